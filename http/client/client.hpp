#pragma once

#include "core/result.hpp"
#include "http/server/request.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace assay::http {

struct client_options {
    std::size_t response_bytes_max = 8 << 20; ///< of a body; beyond it errc::too_large
    std::size_t head_bytes_max = 64 << 10;
    std::size_t idle_per_origin_max = 256; ///< kept connections
    std::chrono::milliseconds idle_timeout{std::chrono::seconds{45}};
    std::chrono::milliseconds connect_timeout{
        std::chrono::seconds{10}}; ///< name, TCP and TLS together
    std::string ca_file{};         ///< PEM, trusted besides the system's
    std::string user_agent = "assay/" ASSAY_VERSION;
};

struct outbound_request {
    http::method method = http::method::get;
    std::string url;
    std::vector<std::pair<std::string, std::string>>
        headers{}; ///< Host, Content-Length and User-Agent are added
    std::string body{};
    std::chrono::milliseconds timeout{std::chrono::minutes{2}}; ///< from `send` to the last byte
};

struct inbound_response {
    unsigned status = 0;
    header_list headers;
    std::string body;
};

/// Outbound HTTP/1.1 client with kept connections. TLS 1.2 or newer, certificates and host names
/// verified.
///
/// Redirects are not followed. A call on a kept connection that the other side closed before it
/// sent any byte is made once more on a new one.
///
/// Thread-safe. One I/O thread, which also runs the callbacks: they must not block.
class client {
public:
    using callback = std::move_only_function<void(result<inbound_response>)>;

    /// @returns errc::io if `ca_file` cannot be read.
    [[nodiscard]] static result<std::unique_ptr<client>> make(client_options options = {});

    /// Cancels what is in flight and waits for its callbacks.
    ~client();

    /// Makes one call. `done` is called exactly once, from the client's thread, never from inside
    /// `send`.
    ///
    /// Errors: errc::invalid (URL or a header that cannot be sent), errc::timeout, errc::too_large,
    /// errc::cancelled, errc::malformed (the answer is no HTTP), errc::io (not reachable, not
    /// trusted, cut short). Their details name the origin only: no path, query, header or body.
    void send(outbound_request request, callback done);

    /// Ends all calls in flight with errc::cancelled.
    void cancel_all();

private:
    struct impl;

    explicit client(std::unique_ptr<impl> made);

    std::unique_ptr<impl> impl_;
};

} // namespace assay::http
