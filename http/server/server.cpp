#include "http/server/server.hpp"

#include "http/server/problem.hpp"
#include "http/server/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <vector>

namespace assay::http {

namespace {

using boost::system::error_code;

/// What a connection beyond the limit gets, ready to be sent.
std::string full_answer()
{
    auto const answer = problem(error{errc::overloaded, "too many connections are open"}, false);
    auto const& body = std::get<std::string>(answer.body);
    return fmt::format(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
        "Retry-After: 1\r\nConnection: close\r\n\r\n{}",
        answer.content_type, body.size(), body);
}

} // namespace

struct server::impl {
    impl(server_options options, router routes, blocking_pool& pool, metrics& numbers,
         std::unique_ptr<access_log> log)
        : shared(std::move(options), std::move(routes), pool, numbers, std::move(log))
    {
        for (unsigned i = 0; i < std::max(1U, shared.options.io_threads); ++i)
            workers.push_back(std::make_unique<worker>(shared));
        acceptor.emplace(workers.front()->io().get_executor());
    }

    result<void> listen();
    task<void> accept();
    void take(tcp_socket socket, worker& home);

    server_shared shared;
    std::string const full = full_answer();
    std::vector<std::unique_ptr<worker>> workers;
    std::optional<tcp_acceptor> acceptor;
    tcp::endpoint bound;
    std::mutex drain_mutex;
    bool drained = false;
};

result<void> server::impl::listen()
{
    error_code ec;
    auto const address = asio::ip::make_address(shared.options.address, ec);
    if (ec)
        return fail(errc::invalid,
                    fmt::format("'{}' is not an IP address", shared.options.address));
    tcp::endpoint const wanted(address, shared.options.port);
    acceptor->open(wanted.protocol(), ec);
    if (!ec)
        acceptor->set_option(tcp_acceptor::reuse_address(true), ec);
    if (!ec)
        acceptor->bind(wanted, ec);
    if (!ec)
        acceptor->listen(tcp_acceptor::max_listen_connections, ec);
    if (!ec)
        bound = acceptor->local_endpoint(ec);
    if (ec)
        return fail(errc::io, fmt::format("cannot listen on {}:{}: {}", shared.options.address,
                                          shared.options.port, ec.message()));
    return {};
}

/// Hands connections to the workers in turn.
task<void> server::impl::accept()
{
    timer pause(workers.front()->io().get_executor());
    for (std::size_t turn = 0; acceptor->is_open(); turn = (turn + 1) % workers.size()) {
        auto& home = *workers[turn];
        tcp_socket socket(home.io().get_executor());
        auto const [ec] = co_await acceptor->async_accept(socket, use_task);
        if (ec == asio::error::operation_aborted)
            co_return;
        if (ec) {
            // Out of file descriptors, most likely: trying again at once would spin.
            spdlog::warn("accept: {}", ec.message());
            pause.expires_after(std::chrono::milliseconds{50});
            co_await pause.async_wait(use_task);
            continue;
        }
        take(std::move(socket), home);
    }
}

void server::impl::take(tcp_socket socket, worker& home)
{
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.set_option(tcp::no_delay(true), ignored);
    if (shared.connections.load() >= shared.options.connections_max) {
        shared.connections_refused.add();
        if (!shared.options.tls) // a handshake for a refusal would be the dearer one
            socket.write_some(asio::buffer(full), ignored);
        socket.shutdown(tcp::socket::shutdown_send, ignored);
        // Bytes left unread would turn the close into a reset, which can overtake the answer.
        std::array<char, 4096> unread;
        socket.read_some(asio::buffer(unread), ignored);
        return;
    }
    shared.connections.fetch_add(1);
    asio::post(home.io(),
               [&home, socket = std::move(socket)]() mutable { home.adopt(std::move(socket)); });
}

server::server(std::unique_ptr<impl> made) : impl_(std::move(made)) {}

result<std::unique_ptr<server>> server::start(server_options options, router routes,
                                              blocking_pool& pool, metrics& numbers)
{
    ASSAY_TRY(auto log, access_log::open(options.access_log));
    auto made = std::make_unique<impl>(std::move(options), std::move(routes), pool, numbers,
                                       std::move(log));
    ASSAY_CHECK(made->listen());
    for (auto const& each : made->workers)
        each->start();
    asio::co_spawn(made->workers.front()->io().get_executor(), made->accept(), asio::detached);
    return std::unique_ptr<server>(new server(std::move(made)));
}

server::~server()
{
    drain(std::chrono::milliseconds{0});
}

std::uint16_t server::port() const
{
    return impl_->bound.port();
}

std::string server::url() const
{
    auto const address = impl_->bound.address().to_string();
    auto const* const scheme = impl_->shared.options.tls ? "https" : "http";
    if (impl_->bound.address().is_v6())
        return fmt::format("{}://[{}]:{}", scheme, address, impl_->bound.port());
    return fmt::format("{}://{}:{}", scheme, address, impl_->bound.port());
}

void server::drain(std::chrono::milliseconds grace)
{
    std::lock_guard const once(impl_->drain_mutex);
    if (std::exchange(impl_->drained, true))
        return;
    auto& shared = impl_->shared;
    shared.draining = true;
    impl_->workers.front()->gate()->post([this] {
        error_code ignored;
        impl_->acceptor->close(ignored);
    });
    for (auto const& each : impl_->workers)
        each->drain();
    auto const wait = [&](std::chrono::milliseconds limit) {
        std::unique_lock lock(shared.idle_mutex);
        return shared.idle.wait_for(lock, limit, [&] { return shared.connections.load() == 0; });
    };
    if (!wait(grace)) {
        // Again and again: a connection accepted just before the close may be on its way to its
        // worker.
        do {
            for (auto const& each : impl_->workers)
                each->abort();
        } while (!wait(std::chrono::milliseconds{20}));
    }
    for (auto const& each : impl_->workers)
        each->join();
}

} // namespace assay::http
