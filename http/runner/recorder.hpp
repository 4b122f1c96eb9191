#pragma once

#include "core/domain/command.hpp"
#include "core/result.hpp"
#include "events/blobs.hpp"
#include "events/pipeline.hpp"
#include "http/engine/engine.hpp"
#include "http/runner/agenda.hpp"
#include "http/runner/options.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace assay::http {

/// How long a command that the log could not take waits before it is given again.
constexpr monotonic log_pause = std::chrono::milliseconds(500);

/// Gives the runner's own commands to the log; what the log cannot take now is given again until it
/// can. Not thread-safe: the scheduling thread's.
class recorder {
public:
    using done = std::move_only_function<void(result<events::receipt>)>;

    recorder(engine::engine& e, agenda& work, runner_stats& stats);

    /// Gives a command; `then` hears of its end on the scheduling thread.
    void give(uuid const& workspace, std::string operation, any_command command,
              events::blob_list blobs, done then);

    /// Nothing is given again from now on.
    void stop() { stopping_ = true; }

    /// Commands given and not yet answered.
    [[nodiscard]] std::uint32_t under_way() const { return under_way_; }

    /// Some of them wait because the log cannot be written now.
    [[nodiscard]] bool blocked() const { return blocked_ > 0; }

    /// Counts and logs that a command was refused that should not have been.
    void fault(std::string_view what, error const& e);

private:
    using submission_ptr = std::shared_ptr<events::submission const>;

    void submit(submission_ptr s, done then);
    void answered(submission_ptr s, done then, result<events::receipt> r);

    engine::engine& engine_;
    agenda& agenda_;
    runner_stats& stats_;
    std::uint32_t under_way_ = 0;
    std::uint32_t blocked_ = 0;
    bool stopping_ = false;
};

} // namespace assay::http
