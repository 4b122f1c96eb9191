#pragma once

#include "http/asio.hpp"

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace assay::api {

struct attempt_limit_options {
    double burst = 300;             ///< failures of one host at once
    double per_second = 5;          ///< failures that are forgiven
    std::size_t hosts_max = 10'000; ///< remembered; beyond it all are forgotten
};

/// Slows down guessing: counts what failed, by the host that it came from.
///
/// Thread-safe.
class attempt_limit {
public:
    explicit attempt_limit(attempt_limit_options options = {}) : options_(options) {}

    /// Counts a failure of `peer` ("127.0.0.1:50412"; its port does not matter).
    /// @returns whether its host has had too many.
    [[nodiscard]] bool failed_too_often(std::string_view peer, http::steady_time now);

private:
    struct allowance {
        double left;
        http::steady_time at;
    };

    attempt_limit_options const options_;
    // Guarded by mutex_.
    std::mutex mutex_;
    std::unordered_map<std::string, allowance> hosts_;
};

} // namespace assay::api
