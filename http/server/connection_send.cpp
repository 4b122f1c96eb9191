#include "http/server/connection.hpp"

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>

namespace assay::http {

// The second half of `connection`: putting answers on the wire.

namespace {

using boost::system::error_code;

/// A body up to here travels in one buffer with its head: copying it costs less than a second
/// buffer.
constexpr std::size_t joined_body_bytes_max = 16 * 1024;

std::string_view reason(unsigned status)
{
    auto const text =
        boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
    return {text.data(), text.size()};
}

bool is_safe(std::string_view text)
{
    return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 && c != '\t'; });
}

std::string_view size_in_hex(std::size_t size, std::array<char, 20>& into)
{
    auto const end = fmt::format_to(into.data(), "{:x}\r\n", size);
    return {into.data(), static_cast<std::size_t>(end - into.data())};
}

/// What the pool fills while the connection waits. Shared, since the connection may be cut
/// meanwhile.
struct pull {
    body_source source;
    std::string bytes{};
    result<bool> more = true;
    bool done = false; // touched on the I/O thread only

    void run()
    {
        try {
            more = source(bytes);
        } catch (std::exception const& e) {
            more = fail(errc::internal, e.what());
        }
    }
};

} // namespace

connection::framing connection::frame(response const& answer) const
{
    if (answer.status == 204 || answer.status == 304)
        return framing::none;
    if (std::holds_alternative<std::string>(answer.body) || answer.length)
        return framing::length;
    return http_1_1_ ? framing::chunked : framing::until_close;
}

/// Fills `output_` with the head of `answer`.
void connection::write_head(response const& answer, framing how)
{
    auto const out = std::back_inserter(output_);
    output_.clear();
    fmt::format_to(out, "HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status));
    output_ += home_.date_line();
    if (!answer.content_type.empty())
        output_.append("Content-Type: ").append(answer.content_type).append("\r\n");
    if (auto const* const whole = std::get_if<std::string>(&answer.body); how == framing::length)
        fmt::format_to(out, "Content-Length: {}\r\n", whole ? whole->size() : *answer.length);
    else if (how == framing::chunked)
        output_ += "Transfer-Encoding: chunked\r\n";
    for (auto const& [name, value] : answer.headers)
        if (is_safe(name) && is_safe(value))
            output_.append(name).append(": ").append(value).append("\r\n");
    output_.append("X-Request-Id: ").append(request_id_).append("\r\n");
    if (!keep_alive_)
        output_ += "Connection: close\r\n";
    else if (!http_1_1_)
        output_ += "Connection: keep-alive\r\n";
    output_ += "\r\n";
}

/// @returns whether the answer was sent whole and the connection may serve another request.
task<bool> connection::send(response answer)
{
    auto const how = frame(answer);
    bool const with_body = method_ != method::head && how != framing::none;
    bool const is_events = std::holds_alternative<std::shared_ptr<sse_stream>>(answer.body);
    if (how == framing::until_close || is_events || home_.shared().draining)
        keep_alive_ = false;
    if (is_events)
        answer.headers.insert(answer.headers.end(),
                              {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}});
    write_head(answer, how);

    bool sent = false;
    if (auto* const body = std::get_if<std::string>(&answer.body)) {
        bool const joined = body->size() <= joined_body_bytes_max;
        if (with_body && joined)
            output_ += *body;
        sent = co_await write(output_);
        if (sent && with_body && !joined)
            sent = co_await write(*body);
        body_bytes_sent_ = sent && with_body ? body->size() : 0;
    } else {
        sent = co_await write(output_);
        if (auto* const source = std::get_if<body_source>(&answer.body);
            sent && with_body && source) {
            sent = co_await send_source(std::move(*source), how == framing::chunked);
            sent = sent && (!answer.length || *answer.length == body_bytes_sent_);
        } else if (sent && with_body) {
            sent = co_await send_events(std::get<2>(answer.body), how == framing::chunked);
        } else if (is_events) {
            std::get<2>(answer.body)->detach();
        }
    }
    finish(answer.status, !is_events);
    co_return sent&& keep_alive_;
}

/// Writes all of `bytes`. @returns false if the connection is over.
task<bool> connection::write(std::string_view bytes)
{
    return tls_ ? write_secure(bytes) : write_plain(bytes);
}

task<bool> connection::write_plain(std::string_view bytes)
{
    while (!bytes.empty()) {
        auto slice = bytes.substr(0, write_slice_bytes);
        bytes.remove_prefix(slice.size());
        bool armed = false;
        while (!slice.empty()) {
            // Most answers fit into the socket's buffer: no trip through the reactor for them.
            error_code ec;
            auto n = socket_.write_some(asio::buffer(slice.data(), slice.size()), ec);
            if (ec == asio::error::would_block) {
                if (!std::exchange(armed, true))
                    arm(stage::writing, home_.shared().options.write_timeout);
                auto const [waited] = co_await socket_.async_wait(tcp_socket::wait_write, use_task);
                ec = waited;
                n = 0;
            }
            if (ec)
                co_return false;
            slice.remove_prefix(n);
        }
    }
    co_return true;
}

task<bool> connection::send_source(body_source source, bool chunked)
{
    auto const state = std::make_shared<pull>(pull{std::move(source)});
    for (;;) {
        state->bytes.clear();
        state->done = false;
        stage_ = stage::handling;
        deadline_ = steady_time::max();
        home_.shared().pool.run([state, gate = home_.gate(), weak = weak_from_this()] {
            state->run();
            gate->post([state, weak] {
                state->done = true;
                if (auto const self = weak.lock())
                    self->wake();
            });
        });
        while (!state->done && !aborted_)
            co_await wait();
        if (aborted_)
            co_return false;
        if (!state->more) {
            if (state->more.error().code != errc::cancelled)
                spdlog::warn("route {}: body cut: {}", route_->name, state->more.error().detail);
            co_return false;
        }
        bool const last = !*state->more;
        output_.clear();
        if (std::array<char, 20> hex; chunked && !state->bytes.empty())
            output_.append(size_in_hex(state->bytes.size(), hex))
                .append(state->bytes)
                .append("\r\n");
        else
            output_ += state->bytes;
        if (last && chunked)
            output_ += "0\r\n\r\n";
        body_bytes_sent_ += state->bytes.size();
        bool const written = co_await write(output_);
        if (!written)
            co_return false;
        if (last)
            co_return true;
    }
}

/// Reads and drops what the reader of an event stream sends, only to learn that it has gone.
void connection::watch_reader()
{
    read_some(asio::buffer(ignored_), [self = shared_from_this()](error_code ec, std::size_t) {
        if (!ec)
            return self->watch_reader();
        self->reader_gone_ = true;
        self->wake();
    });
}

task<bool> connection::write_events(std::string bytes, bool chunked)
{
    body_bytes_sent_ += bytes.size();
    output_.clear();
    if (std::array<char, 20> hex; chunked)
        output_.append(size_in_hex(bytes.size(), hex)).append(bytes).append("\r\n");
    else
        output_ = std::move(bytes);
    bool const written = co_await write(output_);
    co_return written;
}

task<bool> connection::send_events(std::shared_ptr<sse_stream> events, bool chunked)
{
    auto const pause = home_.shared().options.sse_keep_alive;
    events_ = events;
    events->attach(waker());
    watch_reader();
    if (home_.shared().draining)
        events->close();
    bool alive = true;
    bool closed = false;
    timed_out_ = false;
    arm(stage::streaming, pause);
    while (alive && !closed && !reader_gone_ && !aborted_) {
        // Whose key was revoked or whose token expired meanwhile is told no more.
        if (caller_ && caller_->stands && !caller_->stands()) {
            closed = true;
            break;
        }
        auto taken = events->take();
        if (taken.dropped) {
            alive = false;
        } else if (!taken.bytes.empty()) {
            alive = co_await write_events(std::move(taken.bytes), chunked);
            arm(stage::streaming, pause);
        } else if (taken.closed) {
            closed = true;
        } else if (std::exchange(timed_out_, false)) {
            alive = co_await write_events(": keep-alive\n\n", chunked);
            arm(stage::streaming, pause);
        } else {
            co_await wait();
        }
    }
    if (events->dropped()) {
        // A reset, so that the kernel does not go on holding megabytes for a reader that does not
        // read.
        home_.shared().readers_dropped.add();
        error_code ignored;
        socket_.set_option(asio::socket_base::linger(true, 0), ignored);
        socket_.close(ignored);
    }
    events->detach();
    events_.reset();
    if (closed && chunked)
        co_await write("0\r\n\r\n");
    error_code ignored;
    socket_.cancel(ignored); // ends watch_reader
    co_return false;
}

} // namespace assay::http
