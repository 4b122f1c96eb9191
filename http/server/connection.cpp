#include "http/server/connection.hpp"

#include "http/server/problem.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <limits>

namespace assay::http {

namespace {

using boost::system::error_code;
using beast_error = boost::beast::http::error;

constexpr std::size_t head_read_bytes = 4096;
constexpr std::size_t body_read_bytes = 64 * 1024;
constexpr std::size_t idle_buffer_bytes_max = 16 * 1024;
constexpr std::uint64_t refused_body_bytes_max = 64 * 1024;
constexpr std::size_t linger_bytes_max = 1 << 20;
constexpr std::chrono::seconds linger_time{1};

std::string describe(tcp_socket const& socket)
{
    error_code ec;
    auto const peer = socket.remote_endpoint(ec);
    if (ec)
        return "-";
    return peer.address().is_v6() ? fmt::format("[{}]:{}", peer.address().to_string(), peer.port())
                                  : fmt::format("{}:{}", peer.address().to_string(), peer.port());
}

bool acceptable_request_id(std::string_view id)
{
    return !id.empty() && id.size() <= 128 &&
           std::ranges::all_of(id, [](char c) { return c > 0x20 && c < 0x7f; });
}

} // namespace

void connection::start(worker& home, tcp_socket socket)
{
    auto made = std::make_shared<connection>(home, std::move(socket));
    home.add(*made);
    // The completion handler owns the connection, so the coroutine's `this` outlives it.
    auto coroutine = made->serve();
    asio::co_spawn(home.io().get_executor(), std::move(coroutine),
                   [made](std::exception_ptr thrown) {
                       if (!thrown)
                           return;
                       try {
                           std::rethrow_exception(thrown);
                       } catch (std::exception const& e) {
                           spdlog::error("http connection {}: {}", made->peer_, e.what());
                       }
                   });
}

connection::connection(worker& home, tcp_socket socket)
    : home_(home), socket_(std::move(socket)), peer_(describe(socket_))
{
    if (auto const& tls = home_.shared().options.tls)
        tls_.emplace(socket_, *tls->context());
}

connection::~connection()
{
    if (events_)
        events_->detach();
    home_.remove(*this);
}

void connection::arm(stage next, std::chrono::milliseconds limit)
{
    stage_ = next;
    deadline_ = std::chrono::steady_clock::now() + limit;
}

void connection::sweep(steady_time now)
{
    if (now < deadline_)
        return;
    deadline_ = steady_time::max();
    error_code ignored;
    switch (stage_) {
    case stage::reading:
        timed_out_ = true;
        socket_.cancel(ignored);
        break;
    case stage::streaming: // the keep-alive comment is due
        timed_out_ = true;
        wake();
        break;
    case stage::idle:
    case stage::writing:
    case stage::lingering: socket_.close(ignored); break;
    case stage::handling: break;
    }
}

void connection::drain()
{
    if (stage_ == stage::idle) {
        error_code ignored;
        socket_.close(ignored);
    }
    if (events_)
        events_->close();
}

void connection::abort()
{
    aborted_ = true;
    error_code ignored;
    socket_.close(ignored);
    wake();
}

task<void> connection::serve()
{
    bool more = true;
    if (tls_)
        more = co_await secure();
    while (more)
        more = co_await serve_one();
    if (tls_ && socket_.is_open())
        co_await say_goodbye();
    if (linger_ && !aborted_)
        co_await linger();
}

/// Serves one request. @returns whether another may follow on this connection.
task<bool> connection::serve_one()
{
    request_ = request();
    request_.peer = peer_;
    refusal_.reset();
    body_bytes_sent_ = 0;
    route_ = nullptr;
    method_ = method::other;
    path_.clear();
    caller_.reset();

    bool const whole_head = co_await read_head();
    if (!whole_head && !refusal_)
        co_return false;
    if (whole_head) {
        admit();
        if (refusal_ && !body_is_worth_reading()) {
            keep_alive_ = false;
            linger_ = true;
        } else {
            if (refusal_)
                parser_->discard_body();
            bool const whole_body = co_await read_body();
            if (!whole_body && !refusal_)
                co_return false;
        }
    }
    if (!refusal_) {
        response answer = co_await handle();
        if (aborted_)
            co_return false;
        bool const sent = co_await send(std::move(answer));
        co_return sent;
    }
    response answer = std::move(*refusal_);
    bool const sent = co_await send(std::move(answer));
    co_return sent;
}

/// Reads until the head is complete. @returns false if the connection is over, or if `refusal_`
/// says why not.
task<bool> connection::read_head()
{
    if (input_.size() == 0 && input_.capacity() > idle_buffer_bytes_max)
        input_ = boost::beast::flat_buffer();
    // Between two requests nothing is in flight; `drain` itself may have come while the last answer
    // was being written.
    if (home_.shared().draining && input_.size() == 0)
        co_return false;
    auto const& options = home_.shared().options;
    arm(stage::idle, std::exchange(first_, false) ? options.head_timeout : options.idle_timeout);
    for (;;) {
        // An empty line before a request is to be ignored (RFC 9112 §2.2).
        auto const* const bytes = static_cast<char const*>(input_.data().data());
        auto const blank = std::find_if(bytes, bytes + input_.size(),
                                        [](char c) { return c != '\r' && c != '\n'; });
        input_.consume(static_cast<std::size_t>(blank - bytes));
        if (input_.size() != 0)
            break;
        bool const more = co_await fill(head_read_bytes);
        if (!more)
            co_return false;
    }

    arm(stage::reading, options.head_timeout);
    parser_.emplace(request_, options.head_bytes_max);
    for (;;) {
        boost::beast::error_code ec;
        input_.consume(parser_->put(input_.data(), ec));
        if (!ec && parser_->is_header_done())
            break;
        if (ec && ec != beast_error::need_more) {
            if (ec == beast_error::header_limit)
                refuse(431, "header_too_large", "the request's head is larger than the limit");
            else
                refuse(400, "malformed", fmt::format("not a valid request: {}", ec.message()));
            co_return false;
        }
        bool const more = co_await fill(head_read_bytes);
        if (!more) {
            if (timed_out_)
                refuse(408, "timeout", "the request's head did not arrive in time");
            co_return false;
        }
    }
    began_ = std::chrono::steady_clock::now();
    keep_alive_ = parser_->keep_alive() && !home_.shared().draining;
    http_1_1_ = parser_->http_1_1();
    co_return true;
}

/// Reads the rest of the request. @returns false if the connection is over, or if `refusal_` says
/// why not.
task<bool> connection::read_body()
{
    if (parser_->is_done())
        co_return true;
    if (input_.size() == 0 && request_.headers.find("Expect")) {
        bool const told = co_await write("HTTP/1.1 100 Continue\r\n\r\n");
        if (!told)
            co_return false;
    }
    arm(stage::reading, home_.shared().options.body_timeout);
    parser_->eager(true);
    while (!parser_->is_done()) {
        boost::beast::error_code ec;
        if (input_.size() != 0)
            input_.consume(parser_->put(input_.data(), ec));
        if (ec == beast_error::body_limit) {
            refuse(413, "too_large", "the body is larger than this operation takes");
            co_return false;
        }
        if (ec && ec != beast_error::need_more) {
            refuse(400, "malformed", fmt::format("not a valid body: {}", ec.message()));
            co_return false;
        }
        if (parser_->is_done())
            break;
        bool const more = co_await fill(body_read_bytes);
        if (!more) {
            if (timed_out_)
                refuse(408, "timeout", "the request's body did not arrive in time");
            co_return false;
        }
    }
    co_return true;
}

task<bool> connection::fill(std::size_t at_most)
{
    auto const room = input_.prepare(at_most);
    auto const [ec, n] = co_await read_some(room, use_task);
    input_.commit(n);
    co_return !ec;
}

/// After a refusal the client may still be sending. Closing at once would reset the connection and
/// could take the answer with it, so what comes is read and dropped for a moment (RFC 9112 §9.6).
task<void> connection::linger()
{
    error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    arm(stage::lingering, linger_time);
    for (std::size_t dropped = 0; dropped < linger_bytes_max;) {
        auto const [ec, n] = co_await socket_.async_read_some(asio::buffer(ignored_), use_task);
        if (ec)
            break;
        dropped += n;
    }
}

void connection::refuse(unsigned status, std::string code, std::string detail)
{
    refusal_ =
        problem(status, std::move(code), std::move(detail), route_ && route_->documented_errors);
    keep_alive_ = false;
    linger_ = true;
    choose_request_id();
    if (!parser_ || !parser_->is_header_done())
        began_ = std::chrono::steady_clock::now();
}

void connection::refuse(error const& e)
{
    refusal_ = problem(e, route_ && route_->documented_errors);
}

/// A refused request's body is read when that is cheaper than a new connection.
bool connection::body_is_worth_reading() const
{
    if (parser_->is_done())
        return true;
    auto const length = parser_->content_length();
    return keep_alive_ && length && *length <= refused_body_bytes_max &&
           !request_.headers.find("Expect");
}

void connection::choose_request_id()
{
    auto const given = request_.headers.find("X-Request-Id");
    if (given && acceptable_request_id(*given))
        request_id_ = *given;
    else
        request_id_ = home_.mint_request_id();
    request_.request_id = request_id_;
}

/// Decides by the head alone whether the request will be served, and by whom.
void connection::admit()
{
    choose_request_id();
    auto const hosts = request_.headers.count("Host");
    if (hosts > 1 || (hosts == 0 && http_1_1_)) // RFC 9112 §3.2
        return refuse(400, "malformed", "exactly one Host header is required");
    if (auto const expected = request_.headers.find("Expect");
        expected && !boost::beast::iequals(*expected, "100-continue"))
        return refuse(417, "expectation_failed", "only Expect: 100-continue is known");
    admit_target();
    if (!refusal_)
        admit_body();
    if (refusal_ || !route_->permission)
        return;

    auto const& identify = home_.shared().options.identify;
    auto caller =
        identify ? identify(request_) : fail(errc::unauthenticated, "an identity is required");
    if (!caller)
        return refuse(caller.error());
    caller_ = std::move(*caller);
    if (!route_->checks_permission && !caller_->may(*route_->permission))
        return refuse(error{errc::forbidden, fmt::format("{} needs the permission {}.{}",
                                                         route_->name, route_->permission->artifact,
                                                         route_->permission->operation)});
    request_.caller = caller_;
}

void connection::admit_target()
{
    auto const [path, query] = split_target(request_.target);
    request_.path = path;
    method_ = request_.method;
    if (home_.shared().log)
        path_ = path;

    auto match = home_.shared().routes.find(request_.method, path);
    if (!match.found && match.allow.empty())
        return refuse(error{errc::not_found, "no such path", "unknown_path"});
    if (!match.found) {
        refusal_ = problem(405, "method_not_allowed", "this path does not take that method", false);
        refusal_->headers.emplace_back("Allow", std::move(match.allow));
        return;
    }
    route_ = match.found;
    request_.matched = match.found;
    request_.path_params = std::move(match.params);
    if (query.empty())
        return;
    auto pairs = parse_query(query);
    if (!pairs)
        return refuse(pairs.error());
    request_.query = std::move(*pairs);
}

void connection::admit_body()
{
    if (parser_->is_done())
        return;
    parser_->body_limit(route_->body_bytes_max);
    auto const length = parser_->content_length();
    if (length && *length > route_->body_bytes_max)
        refuse(error{errc::too_large,
                     fmt::format("the body is larger than the {} bytes that this operation takes",
                                 route_->body_bytes_max)});
}

responder connection::make_responder()
{
    return responder([gate = home_.gate(), weak = weak_from_this(),
                      exchange = exchange_](result<response> answer) mutable {
        if (gate->thread == std::this_thread::get_id()) {
            auto const self = weak.lock();
            if (!self)
                return;
            // Inside the handler nobody waits yet. Outside, resuming the coroutine from here would
            // run it on somebody else's stack.
            if (self->in_handler_ && self->exchange_ == exchange)
                return self->on_reply(exchange, std::move(answer));
        }
        gate->post([weak = std::move(weak), exchange, answer = std::move(answer)]() mutable {
            if (auto const self = weak.lock())
                self->on_reply(exchange, std::move(answer));
        });
    });
}

void connection::on_reply(std::uint64_t exchange, result<response> answer)
{
    if (exchange != exchange_ || reply_)
        return;
    reply_ = std::move(answer);
    wake();
}

/// Has the route answer, and waits for it.
task<response> connection::handle()
{
    auto& shared = home_.shared();
    bool const documented = route_->documented_errors;
    if (shared.in_flight.fetch_add(1, std::memory_order_relaxed) >= shared.options.in_flight_max &&
        !route_->always) {
        shared.in_flight.fetch_sub(1, std::memory_order_relaxed);
        co_return problem(error{.code = errc::overloaded,
                                .detail = "too many requests are being served",
                                .retry_after_ms = 1000},
                          documented);
    }
    shared.requests_in_flight.add(1);
    ++exchange_;
    reply_.reset();
    stage_ = stage::handling;
    deadline_ = steady_time::max();

    in_handler_ = true;
    try {
        route_->serve(std::move(request_), make_responder());
    } catch (std::exception const& e) {
        // The responder, destroyed on the way here, has answered 500.
        spdlog::error("route {}: {}", route_->name, e.what());
    }
    in_handler_ = false;
    while (!reply_ && !aborted_)
        co_await wait();

    shared.in_flight.fetch_sub(1, std::memory_order_relaxed);
    shared.requests_in_flight.add(-1);
    if (!reply_)
        co_return response{};
    if (!*reply_)
        co_return problem(reply_->error(), documented);
    co_return std::move(**reply_);
}

/// Suspends until `wake`; may also return without cause.
task<void> connection::wait()
{
    co_await asio::async_initiate<asio::use_awaitable_t<executor> const, void()>(
        [this](auto resume) {
            wake_ = [resume = std::move(resume)]() mutable { std::move(resume)(); };
        },
        asio::use_awaitable_t<executor>());
}

void connection::wake()
{
    if (auto resume = std::exchange(wake_, nullptr))
        resume();
}

/// A call for other threads that wakes the coroutine.
std::move_only_function<void()> connection::waker()
{
    return [gate = home_.gate(), weak = weak_from_this()] {
        gate->post([weak] {
            auto const self = weak.lock();
            if (!self)
                return;
            // A write to a reader that takes nothing would end only at its deadline.
            if (self->events_ && self->events_->dropped()) {
                error_code ignored;
                self->socket_.cancel(ignored);
            }
            self->wake();
        });
    };
}

void connection::finish(unsigned status, bool timed)
{
    auto const took = std::chrono::steady_clock::now() - began_;
    home_.count(route_, method_, status, took, timed);
    home_.shared().bytes_sent.add(body_bytes_sent_);
    if (!home_.shared().log)
        return;
    auto const profile = caller_ ? caller_->profile.text() : std::string();
    home_.shared().log->write({
        .time = std::chrono::system_clock::now() -
                std::chrono::duration_cast<std::chrono::system_clock::duration>(took),
        .request_id = request_id_,
        .method = to_string(method_),
        .path = path_,
        .route = route_ ? std::string_view(route_->name) : std::string_view(),
        .status = status,
        .bytes = body_bytes_sent_,
        .duration = std::chrono::duration_cast<std::chrono::microseconds>(took),
        .peer = peer_,
        .profile = profile,
    });
}

} // namespace assay::http
