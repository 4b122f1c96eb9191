#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

namespace assay::http {

/// Where a request goes, taken apart.
struct remote_url {
    bool tls = false;
    std::string host;     ///< without brackets; lower case is not forced
    std::uint16_t port{}; ///< the scheme's own if none was written
    std::string target;   ///< path and query as sent, at least "/"

    /// "https://api.example.com:443": what connections are shared by. Holds no path and no query.
    [[nodiscard]] std::string origin() const;

    /// The Host header: the port is left out if it is the scheme's own (RFC 9110 §7.2).
    [[nodiscard]] std::string host_field() const;
};

/// Reads an absolute http or https URL (RFC 3986).
/// @returns errc::invalid for anything else, and for user names or passwords in it; the detail does
///          not repeat the URL.
[[nodiscard]] result<remote_url> parse_url(std::string_view text);

} // namespace assay::http
