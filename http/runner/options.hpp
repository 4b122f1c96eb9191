#pragma once

#include "core/rate_limit.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>

namespace assay::http {

struct runner_options {
    std::uint32_t in_flight = 64; ///< model calls at once, over everything; at least 1
    std::chrono::milliseconds call_timeout{std::chrono::minutes{2}};
    backoff::options retries{};
};

struct runner_stats {
    std::atomic<std::uint64_t> calls{0}; ///< model calls made, retries included
    std::atomic<std::uint64_t> retries{0};
    std::atomic<std::uint64_t> rate_limited{0}; ///< answers 429
    std::atomic<std::uint64_t> cells{0};        ///< cells brought to an end
    std::atomic<std::uint64_t> in_flight{0};
    std::atomic<std::uint64_t> reused{0}; ///< calls answered from earlier recordings
    std::atomic<std::uint64_t> faults{0}; ///< commands of its own that were refused unexpectedly
};

} // namespace assay::http
