#pragma once

#include "core/result.hpp"
#include "http/api/token_grant.hpp"
#include "http/server/tls.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// The server program without its command line.
namespace assay::tools {

/// "127.0.0.1:8321" taken apart.
struct endpoint {
    std::string address; ///< a literal IP address, without brackets
    std::uint16_t port = 0;

    /// @returns errc::invalid for anything but ADDRESS:PORT or [ADDRESS]:PORT.
    [[nodiscard]] static result<endpoint> parse(std::string const& text);

    /// Whether only this machine can reach it.
    [[nodiscard]] bool loopback() const;
};

/// Which JSON Web Tokens are taken beside API keys; none without keys.
struct token_settings {
    std::string keys{};                   ///< file or https URL of a JWK Set
    std::string secret_file{};            ///< the HS256 secret
    std::vector<std::string> issuers{};   ///< `iss` must be one of them
    std::vector<std::string> audiences{}; ///< `aud` must hold one of them
    std::uint32_t leeway_seconds = 60;    ///< by how much clocks may differ, 0 to 600
    std::uint32_t refresh_seconds = 300;  ///< between two readings of the keys, 10 to 86,400
    std::string ca_file{};                ///< trusted for the URL besides the system's
    api::token_claim_names claims{};

    [[nodiscard]] bool taken() const;
};

struct serve_options {
    std::filesystem::path data_dir;
    std::string listen = "127.0.0.1:8321";
    std::string admin_listen;     ///< health and metrics without a key; empty: none
    http::tls_files tls{};        ///< both or none; of `listen` alone
    bool insecure = false;        ///< allow other addresses than loopback without TLS
    std::uint32_t in_flight = 64; ///< model calls at once
    unsigned threads = 1;         ///< I/O threads
    std::vector<std::filesystem::path> recordings;
    token_settings tokens{};
    std::string log = "off"; ///< access log: a file, "-" for standard error, "off"
    std::chrono::milliseconds grace{std::chrono::seconds{10}};
};

/// Reads members of a YAML file over `options`; those that the file does not have stay.
///
/// @returns errc::invalid naming the member and what it should be, errc::io if there is no such
/// file.
[[nodiscard]] result<void> read_config(std::filesystem::path const& file, serve_options& options);

/// errc::invalid for addresses that are none, or that others could reach without TLS or `insecure`.
[[nodiscard]] result<void> check(serve_options const& options);

/// Serves until SIGTERM or SIGINT, then drains; a second signal ends the process at once. SIGHUP
/// has the certificate and the keys of tokens read again.
///
/// @returns errc::conflict if another process holds the directory, and every other reason not to
/// start.
[[nodiscard]] result<void> serve(serve_options options);

} // namespace assay::tools
