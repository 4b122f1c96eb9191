#include "http/api/remote_client.hpp"

#include "core/json.hpp"
#include "http/client/channel.hpp"
#include "http/client/url.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <fmt/format.h>

#include <array>
#include <future>

namespace assay::api {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

constexpr std::size_t head_bytes_max = 64 << 10;
constexpr std::size_t problem_bytes_max = 64 << 10;
/// A test of 10,000 cells comes with all of them in one answer.
constexpr std::size_t answer_bytes_max = 256 << 20;

bool is_json(std::string_view content_type)
{
    auto const type = content_type.substr(0, content_type.find(';'));
    return type == "application/json" || type.ends_with("+json");
}

std::string header_line(std::string_view name, std::string_view value)
{
    return value.empty() ? std::string() : fmt::format("{}: {}\r\n", name, value);
}

/// One event stream over a connection of its own.
class stream_reader {
public:
    stream_reader(http::remote_url const& to,
                  std::function<bool(stream_event const&)> const& on_event)
        : to_(to), on_event_(on_event)
    {
        tls_.set_default_verify_paths();
        tls_.set_verify_mode(asio::ssl::verify_peer);
        head_.header_limit(head_bytes_max);
        head_.body_limit(boost::none);
    }

    result<void> run(std::string_view target, std::string_view key, std::string_view last_event_id)
    {
        auto const request = fmt::format(
            "GET {} HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nUser-Agent: "
            "assay/" ASSAY_VERSION "\r\n{}{}\r\n",
            target, to_.host_field(),
            key.empty() ? "" : header_line("Authorization", fmt::format("Bearer {}", key)),
            header_line("Last-Event-ID", last_event_id));
        std::exception_ptr thrown;
        asio::co_spawn(
            io_.get_executor(), [&]() -> http::task<void> { outcome_ = co_await talk(request); },
            [&](std::exception_ptr e) { thrown = e; });
        io_.run();
        if (thrown)
            std::rethrow_exception(thrown);
        return outcome_;
    }

private:
    std::unexpected<error> broken(std::string_view what, boost::system::error_code ec) const
    {
        return fail(errc::io, fmt::format("{}: {}: {}", to_.origin(), what, ec.message()));
    }

    http::task<result<void>> talk(std::string const& request)
    {
        asio::ip::basic_resolver<http::tcp, http::executor> resolver(io_.get_executor());
        auto const [unresolved, addresses] =
            co_await resolver.async_resolve(to_.host, std::to_string(to_.port), http::use_task);
        if (unresolved)
            co_return broken("cannot find the server", unresolved);
        http::channel connection(io_.get_executor(), to_.tls ? &tls_ : nullptr);
        if (auto const ec = co_await connection.connect(addresses))
            co_return broken("cannot reach the server", ec);
        if (auto const ec = co_await connection.secure(to_.host))
            co_return broken("the connection cannot be made secure", ec);
        if (auto const ec = co_await connection.write(request))
            co_return broken("the connection broke", ec);
        co_return co_await read(connection);
    }

    http::task<result<void>> read(http::channel& connection)
    {
        std::array<char, 16 * 1024> chunk{};
        while (!head_.is_done()) {
            auto const [ec, n] = co_await connection.read_some(asio::buffer(chunk));
            bool const wanted = ec || take(std::string_view(chunk.data(), n));
            if (bad_)
                co_return broken("the answer is no HTTP", bad_);
            if (!wanted) {
                connection.close();
                co_return result<void>{};
            }
            if (ec == asio::error::eof && head_.is_header_done() && head_.need_eof())
                break;
            if (ec)
                co_return broken("the stream was cut", ec);
        }
        auto const& answer = head_.get();
        if (answer.result_int() >= 400)
            co_return fail(
                error_of(answer.result_int(), problem_, answer[beast::http::field::retry_after]));
        co_return result<void>{};
    }

    /// Feeds bytes through the HTTP parser. @returns false when the reader has had enough.
    bool take(std::string_view bytes)
    {
        pending_.append(bytes);
        std::array<char, 4096> body{};
        while (!pending_.empty() && !head_.is_done()) {
            head_.get().body().data = body.data();
            head_.get().body().size = body.size();
            boost::system::error_code ec;
            auto const used = head_.put(asio::buffer(pending_), ec);
            pending_.erase(0, used);
            if (ec == beast::http::error::need_more)
                return true;
            if (ec && ec != beast::http::error::need_buffer) {
                bad_ = ec;
                return true;
            }
            if (!head_.is_header_done())
                continue;
            std::string_view const got(body.data(), body.size() - head_.get().body().size);
            if (!got.empty() && !pass_on(got))
                return false;
        }
        return true;
    }

    bool pass_on(std::string_view bytes)
    {
        if (head_.get().result_int() < 400)
            return events_.take(bytes, on_event_);
        problem_.append(
            bytes.substr(0, problem_bytes_max - std::min(problem_bytes_max, problem_.size())));
        return true;
    }

    http::remote_url const& to_;
    std::function<bool(stream_event const&)> const& on_event_;
    asio::io_context io_{1};
    asio::ssl::context tls_{asio::ssl::context::tls_client};
    beast::http::response_parser<beast::http::buffer_body> head_;
    std::string pending_;
    std::string problem_;
    event_reader events_;
    boost::system::error_code bad_;
    result<void> outcome_;
};

} // namespace

result<std::unique_ptr<remote_client>> remote_client::make(std::string base_url, std::string key)
{
    while (base_url.ends_with('/'))
        base_url.pop_back();
    ASSAY_CHECK(http::parse_url(base_url));
    if (base_url.find_first_of("?#") != std::string::npos)
        return fail(errc::invalid, "the server's URL must not have a query");
    ASSAY_TRY(auto calls, http::client::make({.response_bytes_max = answer_bytes_max}));
    return std::unique_ptr<remote_client>(
        new remote_client(std::move(base_url), std::move(key), std::move(calls)));
}

result<boost::json::value> remote_client::call(std::string_view method, std::string_view path,
                                               boost::json::value const& body,
                                               std::string_view idempotency_key)
{
    http::outbound_request request{.method = http::method::get,
                                   .url = base_url_ + std::string(path)};
    for (auto const m :
         {http::method::post, http::method::put, http::method::patch, http::method::del})
        if (method == http::to_string(m))
            request.method = m;
    if (!key_.empty())
        request.headers.emplace_back("Authorization", "Bearer " + key_);
    if (!idempotency_key.empty())
        request.headers.emplace_back("Idempotency-Key", std::string(idempotency_key));
    if (!body.is_null()) {
        request.headers.emplace_back("Content-Type", "application/json");
        request.body = boost::json::serialize(body);
    }
    std::promise<result<http::inbound_response>> promise;
    auto outcome = promise.get_future();
    calls_->send(std::move(request),
                 [&promise](result<http::inbound_response> r) { promise.set_value(std::move(r)); });
    ASSAY_TRY(auto answer, outcome.get());
    if (answer.status >= 400)
        return fail(
            error_of(answer.status, answer.body, answer.headers.find("retry-after").value_or("")));
    if (answer.body.empty())
        return boost::json::value(nullptr);
    if (!is_json(answer.headers.find("content-type").value_or("")))
        return boost::json::value(boost::json::string(answer.body));
    return json::parse(answer.body);
}

result<void> remote_client::stream(std::string_view path, std::string_view last_event_id,
                                   std::function<bool(stream_event const&)> const& on_event)
{
    ASSAY_TRY(auto const to, http::parse_url(base_url_ + std::string(path)));
    return stream_reader(to, on_event).run(to.target, key_, last_event_id);
}

} // namespace assay::api
