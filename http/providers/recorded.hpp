#pragma once

#include "core/model_client.hpp"
#include "http/providers/recordings.hpp"
#include "http/server/handler.hpp"

#include <atomic>
#include <cstdint>
#include <memory>

namespace assay::http {

/// Plays back recorded answers: demonstrations, tests, and grading anew without paying.
///
/// The question is the text of the last user message. Tokens are what the recording says; latency
/// is measured.
class recorded_client final : public model_client {
public:
    /// @param threads that answer; looking an answer up takes about a microsecond.
    explicit recorded_client(std::shared_ptr<recordings const> recorded, unsigned threads = 1);

    /// Answers what has been asked, then ends.
    ~recorded_client() override = default;

    void complete(model_request request,
                  std::move_only_function<void(model_outcome)> done) override;
    void cancel_all() override;

private:
    std::shared_ptr<recordings const> const recorded_;
    std::atomic<std::uint64_t> cancellations_{0};
    blocking_pool pool_;
};

} // namespace assay::http
