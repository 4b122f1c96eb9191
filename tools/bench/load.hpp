#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <functional>
#include <string>

namespace assay::tools::bench {

/// What a load came to.
struct load_result {
    std::uint64_t requests = 0;
    std::uint64_t refused = 0; ///< answers other than 200
    double seconds = 0;
    double p50_ms = 0;
    double p99_ms = 0;

    [[nodiscard]] double per_second() const { return static_cast<double>(requests) / seconds; }
};

struct load_options {
    std::uint16_t port = 0; ///< on 127.0.0.1
    std::size_t connections = 64;
    std::uint64_t requests = 100'000;
    /// The n-th request as it goes over the wire, head and body.
    std::function<std::string(std::uint64_t n)> request;
};

/// Keeps `connections` busy from one thread, one request at a time on each, until all requests are answered.
[[nodiscard]] result<load_result> run_load(load_options const& options);

/// A POST of a JSON body as it goes over the wire.
[[nodiscard]] std::string post_request(std::string const& path, std::string const& api_key,
                                       std::string const& body);

} // namespace assay::tools::bench
