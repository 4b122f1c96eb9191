#include "http/server/handler.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>

#include <exception>

namespace assay::http {

namespace {

/// The edge where exceptions of handlers end.
result<response> call(function const& serve, request const& req)
{
    try {
        return serve(req);
    } catch (std::exception const& e) {
        return fail(errc::internal, fmt::format("unexpected: {}", e.what()));
    }
}

} // namespace

struct blocking_pool::impl {
    explicit impl(unsigned count) : threads(count) {}

    boost::asio::thread_pool threads;
};

blocking_pool::blocking_pool(unsigned threads) : impl_(std::make_unique<impl>(threads)) {}

blocking_pool::~blocking_pool()
{
    impl_->threads.join();
}

void blocking_pool::run(std::move_only_function<void()> work)
{
    boost::asio::post(impl_->threads, std::move(work));
}

handler on_pool(blocking_pool& pool, function serve)
{
    // Shared, not copied per request: the pool may still run it while the router is torn down.
    auto const shared = std::make_shared<function const>(std::move(serve));
    return [&pool, shared](request req, responder respond) {
        pool.run([shared, req = std::move(req), respond = std::move(respond)]() mutable {
            respond(call(*shared, req));
        });
    };
}

handler on_io_thread(function serve)
{
    return
        [serve = std::move(serve)](request req, responder respond) { respond(call(serve, req)); };
}

} // namespace assay::http
