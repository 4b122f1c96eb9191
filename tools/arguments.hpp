#pragma once

#include "core/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

/// Forms of command-line values that several verbs share.
namespace assay::tools {

/// Reads "20ms", "1.5s", "250us", "2m", "1h" or "0".
/// @returns errc::invalid for anything else, negative values included.
[[nodiscard]] result<std::chrono::microseconds> parse_duration(std::string_view text);

/// Where a server listens.
struct listen_address {
    std::string host; ///< literal address, without brackets
    std::uint16_t port = 0;
};

/// Reads "127.0.0.1:8080" or "[::1]:0".
/// @returns errc::invalid for anything else.
[[nodiscard]] result<listen_address> parse_listen(std::string_view text);

/// Reads "429:0.02": a number and a share.
/// @returns errc::invalid for anything else, and for a share that is not between 0 and 1.
[[nodiscard]] result<std::pair<unsigned, double>> parse_share(std::string_view text);

} // namespace assay::tools
