#include "http/client/client.hpp"

#include "http/asio.hpp"
#include "http/client/channel.hpp"
#include "http/client/response_parser.hpp"
#include "http/client/url.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <map>
#include <thread>
#include <unordered_set>

namespace assay::http {

namespace {

using boost::system::error_code;
using beast_error = boost::beast::http::error;

constexpr std::size_t read_bytes = 16 * 1024;

bool is_safe(std::string_view text)
{
    return std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 && c != '\t'; });
}

/// The bytes of `request`, head and body in one: one write, one segment if it fits.
std::string encode(outbound_request const& request, remote_url const& url, std::string_view agent)
{
    std::string out;
    out.reserve(request.body.size() + 512);
    out.append(to_string(request.method))
        .append(" ")
        .append(url.target)
        .append(" HTTP/1.1\r\nHost: ");
    out.append(url.host_field()).append("\r\nUser-Agent: ").append(agent).append("\r\n");
    if (!request.body.empty() || request.method == method::post || request.method == method::put)
        out += fmt::format("Content-Length: {}\r\n", request.body.size());
    for (auto const& [name, value] : request.headers)
        out.append(name).append(": ").append(value).append("\r\n");
    return out.append("\r\n").append(request.body);
}

void run_to_end(asio::io_context& io)
{
    for (;;) {
        try {
            io.run();
            return;
        } catch (std::exception const& e) {
            // A callback threw; the other calls go on.
            spdlog::error("http client: {}", e.what());
        }
    }
}

} // namespace

/// One call under way. Belongs to the client's thread once it is there.
struct call {
    call(executor where, outbound_request asked, client::callback told)
        : request(std::move(asked)), done(std::move(told)), deadline(where)
    {
    }

    /// Tells the caller, once; what comes later is dropped.
    void finish(result<inbound_response> outcome)
    {
        deadline.cancel();
        if (auto once = std::exchange(done, nullptr))
            once(std::move(outcome));
    }

    [[nodiscard]] bool over() const { return !done; }

    /// Tells the caller now and lets the coroutine unwind when it can: a name server may keep it
    /// waiting.
    void abandon(errc code, std::string detail)
    {
        finish(fail(code, std::move(detail)));
        if (in_use)
            in_use->close();
    }

    outbound_request request;
    client::callback done;
    timer deadline;
    remote_url url{};
    std::shared_ptr<channel> in_use{};
    steady_time ends{};
};

struct client::impl {
    explicit impl(client_options given);

    result<void> trust();
    void begin(std::shared_ptr<call> const& c);
    void arm(std::shared_ptr<call> const& c, steady_time at, char const* what);
    task<void> run(std::shared_ptr<call> c);
    task<result<void>> open(call& c);
    task<result<asio::ip::basic_resolver_results<tcp>>> resolve(remote_url url);
    task<result<inbound_response>> exchange(call& c, bool& untouched);

    std::shared_ptr<channel> take(std::string const& origin);
    void keep(std::string const& origin, std::shared_ptr<channel> used);

    client_options const options;
    asio::ssl::context tls{asio::ssl::context::tls_client};
    asio::io_context io{1};
    asio::executor_work_guard<executor> work{io.get_executor()};
    // Belong to the thread.
    std::unordered_set<std::shared_ptr<call>> calls;
    std::map<std::string, std::vector<std::shared_ptr<channel>>> idle;
    std::jthread thread;
};

client::impl::impl(client_options given) : options(std::move(given)) {}

result<void> client::impl::trust()
{
    using context = asio::ssl::context;
    error_code ec;
    tls.set_options(context::no_sslv2 | context::no_sslv3 | context::no_tlsv1 | context::no_tlsv1_1,
                    ec);
    tls.set_verify_mode(asio::ssl::verify_peer, ec);
    tls.set_default_verify_paths(ec);
    if (!options.ca_file.empty())
        tls.load_verify_file(options.ca_file, ec);
    if (ec)
        return fail(errc::io, fmt::format("trusted certificates: {}", ec.message()));
    return {};
}

std::shared_ptr<channel> client::impl::take(std::string const& origin)
{
    auto& kept = idle[origin];
    while (!kept.empty()) {
        // The one used last: the others grow old and go.
        auto candidate = std::move(kept.back());
        kept.pop_back();
        if (candidate->quiet())
            return candidate;
    }
    return nullptr;
}

void client::impl::keep(std::string const& origin, std::shared_ptr<channel> used)
{
    auto const now = std::chrono::steady_clock::now();
    for (auto& [unused, kept] : idle)
        std::erase_if(kept,
                      [&](auto const& c) { return now - c->idle_since > options.idle_timeout; });
    auto& kept = idle[origin];
    if (kept.size() >= options.idle_per_origin_max)
        return;
    used->idle_since = now;
    kept.push_back(std::move(used));
}

void client::impl::arm(std::shared_ptr<call> const& c, steady_time at, char const* what)
{
    c->deadline.expires_at(at);
    c->deadline.async_wait([c, what](error_code ec) {
        if (!ec && !c->over())
            c->abandon(errc::timeout, fmt::format("{}: {}", c->url.origin(), what));
    });
}

void client::impl::begin(std::shared_ptr<call> const& c)
{
    if (auto url = parse_url(c->request.url))
        c->url = std::move(*url);
    else
        return c->finish(fail(url.error()));
    for (auto const& [name, value] : c->request.headers)
        if (!is_safe(name) || !is_safe(value))
            return c->finish(fail(errc::invalid, "a header's name or value cannot be sent"));

    calls.insert(c);
    asio::co_spawn(io.get_executor(), run(c), [this, c](std::exception_ptr thrown) {
        calls.erase(c);
        try {
            if (thrown)
                std::rethrow_exception(thrown);
        } catch (std::exception const& e) {
            c->finish(fail(errc::internal, fmt::format("unexpected: {}", e.what())));
        }
    });
}

task<void> client::impl::run(std::shared_ptr<call> c)
{
    auto const origin = c->url.origin();
    auto const connect_ends = std::chrono::steady_clock::now() + options.connect_timeout;
    for (bool fresh = false; !c->over(); fresh = true) {
        c->in_use = fresh ? nullptr : take(origin);
        bool const reused = c->in_use != nullptr;
        if (!reused) {
            arm(c, std::min(c->ends, connect_ends), "no connection in time");
            auto const opened = co_await open(*c);
            if (!opened) {
                c->finish(fail(opened.error()));
                co_return;
            }
        }
        arm(c, c->ends, "no complete answer in time");
        bool untouched = true;
        auto outcome = co_await exchange(*c, untouched);
        auto const used = std::exchange(c->in_use, nullptr);
        if (!outcome && reused && untouched && !c->over())
            continue;
        if (outcome && used->quiet())
            keep(origin, used);
        c->finish(std::move(outcome));
        co_return;
    }
}

task<result<asio::ip::basic_resolver_results<tcp>>> client::impl::resolve(remote_url url)
{
    using results = asio::ip::basic_resolver_results<tcp>;
    error_code not_an_address;
    auto const address = asio::ip::make_address(url.host, not_an_address);
    if (!not_an_address)
        co_return results::create(tcp::endpoint(address, url.port), url.host, "");
    asio::ip::basic_resolver<tcp, executor> resolver(io.get_executor());
    auto [ec, found] =
        co_await resolver.async_resolve(url.host, fmt::format("{}", url.port), use_task);
    if (ec)
        co_return fail(errc::io, fmt::format("{}: {}", url.origin(), ec.message()));
    co_return found;
}

/// Makes a new connection for `c`.
task<result<void>> client::impl::open(call& c)
{
    auto const addresses = co_await resolve(c.url);
    if (!addresses)
        co_return fail(addresses.error());
    if (c.over())
        co_return fail(errc::cancelled, "over");
    auto const made = std::make_shared<channel>(io.get_executor(), c.url.tls ? &tls : nullptr);
    c.in_use = made;
    auto ec = co_await made->connect(*addresses);
    if (!ec)
        ec = co_await made->secure(c.url.host);
    if (!ec)
        co_return result<void>();
    auto const untrusted = made->verify_failure();
    co_return fail(errc::io,
                   fmt::format("{}: {}", c.url.origin(),
                               untrusted.empty() ? ec.message() : "certificate: " + untrusted));
}

/// Sends the request and reads the answer. @param untouched becomes false with the first byte of an
/// answer.
task<result<inbound_response>> client::impl::exchange(call& c, bool& untouched)
{
    auto const broken = [&](std::string_view what) {
        return fail(errc::io, fmt::format("{}: {}", c.url.origin(), what));
    };
    auto const link = c.in_use;
    auto const bytes = encode(c.request, c.url, options.user_agent);
    auto const sent = co_await link->write(bytes);
    if (sent)
        co_return broken(sent.message());

    inbound_response answer;
    std::optional<response_parser> parser;
    for (bool more_follow = true; more_follow;) {
        answer = inbound_response();
        parser.emplace(answer, c.request.method == method::head, options.head_bytes_max,
                       options.response_bytes_max);
        while (!parser->is_done()) {
            boost::beast::error_code ec;
            if (link->input.size() != 0)
                link->input.consume(parser->put(link->input.data(), ec));
            if (ec == beast_error::body_limit || ec == beast_error::header_limit)
                co_return fail(errc::too_large,
                               fmt::format("{}: the answer is too large", c.url.origin()));
            if (ec && ec != beast_error::need_more)
                co_return fail(errc::malformed,
                               fmt::format("{}: {}", c.url.origin(), ec.message()));
            if (parser->is_done())
                break;
            auto const room = link->input.prepare(read_bytes);
            auto const [failed, n] = co_await link->read_some(room);
            link->input.commit(n);
            untouched = untouched && n == 0;
            if (!failed)
                continue;
            if (failed == asio::error::eof && parser->is_header_done() && parser->need_eof()) {
                parser->put_eof(ec);
                break;
            }
            co_return broken(untouched ? "the connection was closed before an answer came"
                                       : "the answer was cut short");
        }
        more_follow = answer.status / 100 == 1; // interim answers (RFC 9110 §15.2)
    }
    if (!parser->keep_alive() || parser->need_eof())
        link->close();
    co_return answer;
}

client::client(std::unique_ptr<impl> made) : impl_(std::move(made)) {}

result<std::unique_ptr<client>> client::make(client_options options)
{
    auto made = std::make_unique<impl>(std::move(options));
    ASSAY_CHECK(made->trust());
    made->thread = std::jthread([&io = made->io] { run_to_end(io); });
    return std::unique_ptr<client>(new client(std::move(made)));
}

client::~client()
{
    cancel_all();
    asio::post(impl_->io, [this] {
        impl_->idle.clear();
        impl_->work.reset();
    });
    impl_->thread.join();
}

void client::send(outbound_request request, callback done)
{
    auto const c =
        std::make_shared<call>(impl_->io.get_executor(), std::move(request), std::move(done));
    c->ends = std::chrono::steady_clock::now() + c->request.timeout;
    asio::post(impl_->io, [this, c] { impl_->begin(c); });
}

void client::cancel_all()
{
    asio::post(impl_->io, [this] {
        for (auto const& c : std::vector(impl_->calls.begin(), impl_->calls.end()))
            if (!c->over())
                c->abandon(errc::cancelled, "cancelled");
    });
}

} // namespace assay::http
