#pragma once

#include "http/server/parser.hpp"
#include "http/server/sse.hpp"
#include "http/server/worker.hpp"

#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace assay::http {

/// One client's connection: a coroutine on its worker's thread that reads a request, has it
/// answered, writes the answer, and goes on while both sides want to. Private to the server.
///
/// The coroutine owns the connection; the worker's set and posted work only refer to it. All
/// members belong to the worker's thread. Under TLS reading and writing go through `tls_`, the rest
/// is the same.
class connection : public std::enable_shared_from_this<connection> {
public:
    static void start(worker& home, tcp_socket socket);

    /// The write deadline is renewed for each of these, so that a large answer needs no large one.
    static constexpr std::size_t write_slice_bytes = 256 * 1024;

    connection(worker& home, tcp_socket socket);
    connection(connection const&) = delete;
    ~connection();

    /// Ends what has passed its deadline.
    void sweep(steady_time now);

    /// Lets the request in hand finish, then closes; an idle connection closes now, an event stream
    /// ends.
    void drain();

    /// Closes now, whatever is in hand.
    void abort();

private:
    /// What the coroutine waits for; says what an expired deadline means.
    enum class stage : std::uint8_t { idle, reading, handling, writing, streaming, lingering };

    /// How the receiver learns where a body ends (RFC 9112 §6).
    enum class framing : std::uint8_t { none, length, chunked, until_close };

    task<void> serve();
    task<bool> serve_one();
    task<bool> read_head();
    task<bool> read_body();
    task<bool> fill(std::size_t at_most);
    task<void> linger();
    template <class Token>
    auto read_some(asio::mutable_buffer into, Token token);

    task<bool> secure();
    task<void> say_goodbye();
    task<bool> write_secure(std::string_view bytes);

    void admit();
    void admit_target();
    void admit_body();
    void refuse(unsigned status, std::string code, std::string detail);
    void refuse(error const& e);
    [[nodiscard]] bool body_is_worth_reading() const;
    void choose_request_id();

    task<response> handle();
    void on_reply(std::uint64_t exchange, result<response> answer);
    [[nodiscard]] responder make_responder();

    task<bool> send(response answer);
    task<bool> send_source(body_source source, bool chunked);
    task<bool> send_events(std::shared_ptr<sse_stream> events, bool chunked);
    task<bool> write_events(std::string bytes, bool chunked);
    task<bool> write(std::string_view bytes);
    task<bool> write_plain(std::string_view bytes);
    task<void> wait();
    void wake();
    void watch_reader();
    std::move_only_function<void()> waker();

    [[nodiscard]] framing frame(response const& answer) const;
    void write_head(response const& answer, framing how);
    void finish(unsigned status, bool timed);
    void arm(stage next, std::chrono::milliseconds limit);

    worker& home_;
    tcp_socket socket_;
    std::optional<asio::ssl::stream<tcp_socket&>> tls_; ///< empty: plain HTTP
    std::string const peer_;
    boost::beast::flat_buffer input_;
    std::string output_;

    // Of the waiting coroutine.
    stage stage_ = stage::idle;
    steady_time deadline_ = steady_time::max();
    bool timed_out_ = false;
    bool aborted_ = false;
    bool reader_gone_ = false;
    std::move_only_function<void()> wake_;
    std::array<char, 512> ignored_{};

    // Of the request in hand.
    std::uint64_t exchange_ = 0;
    request request_;
    std::optional<request_parser> parser_;
    std::optional<response> refusal_;
    std::optional<result<response>> reply_;
    std::shared_ptr<sse_stream> events_;
    route const* route_ = nullptr;
    method method_ = method::other;
    std::string request_id_;
    std::string path_; // for the access log alone
    std::shared_ptr<identity const> caller_;
    std::chrono::steady_clock::time_point began_;
    std::uint64_t body_bytes_sent_ = 0;
    bool in_handler_ = false;
    bool keep_alive_ = true;
    bool http_1_1_ = true;
    bool linger_ = false;
    bool first_ = true;
};

template <class Token>
auto connection::read_some(asio::mutable_buffer into, Token token)
{
    return tls_ ? tls_->async_read_some(into, std::move(token))
                : socket_.async_read_some(into, std::move(token));
}

} // namespace assay::http
