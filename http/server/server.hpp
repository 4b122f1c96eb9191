#pragma once

#include "http/server/access_log.hpp"
#include "http/server/identity.hpp"
#include "http/server/metrics.hpp"
#include "http/server/router.hpp"
#include "http/server/tls.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace assay::http {

struct server_options {
    std::string address = "127.0.0.1"; ///< a literal IP address
    std::uint16_t port = 0;            ///< 0: the system chooses, see `server::port`
    unsigned io_threads = 1;           ///< each has its own io_context

    std::size_t head_bytes_max = 16 * 1024; ///< request line and fields; beyond it 431
    std::size_t connections_max = 4096;     ///< beyond it 503 and close
    std::size_t in_flight_max = 1024;       ///< requests in handlers; beyond it 503

    std::chrono::milliseconds head_timeout{std::chrono::seconds{10}};
    std::chrono::milliseconds body_timeout{std::chrono::seconds{60}};
    std::chrono::milliseconds idle_timeout{std::chrono::seconds{75}}; ///< between two requests
    std::chrono::milliseconds write_timeout{
        std::chrono::seconds{30}}; ///< for each 256 KiB of an answer
    std::chrono::milliseconds sse_keep_alive{std::chrono::seconds{15}};

    std::shared_ptr<tls_identity> tls{}; ///< without it the listener speaks plain HTTP
    std::chrono::milliseconds handshake_timeout{std::chrono::seconds{10}};

    identify_function identify{}; ///< without it, routes that are not open answer 401
    std::string access_log{};     ///< see access_log::open
};

/// HTTP/1.1 server (RFC 9110, 9112), with or without TLS. Knows routes, not what they mean.
///
/// Each I/O thread has its own io_context and connections stay on the thread they were given to; a
/// connection is one coroutine that reads a request, has it answered and writes the answer before
/// it reads the next, so pipelined requests are answered in order. Everything that a stranger sends
/// is bounded in bytes and in time.
///
/// Thread-safe after `start`.
class server {
public:
    /// Binds, listens and serves. `pool` runs streamed bodies; `numbers` gets the built-in metrics.
    /// Both must outlive the server.
    ///
    /// @returns errc::invalid for an address that is none, errc::io if it cannot be bound or the
    ///          access log opened.
    [[nodiscard]] static result<std::unique_ptr<server>>
    start(server_options options, router routes, blocking_pool& pool, metrics& numbers);

    /// Drains without grace.
    ~server();

    [[nodiscard]] std::uint16_t port() const;

    /// "http://127.0.0.1:8080", or https, no slash at the end.
    [[nodiscard]] std::string url() const;

    /// Stops accepting, closes idle connections, ends event streams, lets requests in flight
    /// finish, and cuts what is left after `grace`. Returns when no connection is left and the I/O
    /// threads have ended. Later calls return at once.
    void drain(std::chrono::milliseconds grace);

private:
    struct impl;

    explicit server(std::unique_ptr<impl> made);

    std::unique_ptr<impl> impl_;
};

} // namespace assay::http
