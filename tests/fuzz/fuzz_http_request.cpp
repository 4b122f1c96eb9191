#include "http/server/parser.hpp"
#include "http/server/router.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace {

using namespace assay::http;

constexpr std::size_t head_bytes_max = 16 * 1024;
constexpr std::size_t body_bytes_max = 64 * 1024;

router make_routes()
{
    router routes;
    auto const add = [&](method m, std::string pattern, std::string name) {
        routes.add({.method = m,
                    .pattern = std::move(pattern),
                    .name = std::move(name),
                    .serve = on_io_thread([](request const&) { return text(200, ""); })});
    };
    add(method::get, "/healthz", "health");
    add(method::post, "/test/get", "test.get");
    add(method::get, "/test/{test_id}/watch", "test.watch");
    add(method::post, "/test/{test_id}/cells/{cell}", "cell");
    return routes;
}

/// Parses `bytes` as they come from a connection in reads of at most `step` bytes.
/// @returns nothing if they are no whole request.
std::optional<request> parse(std::string_view bytes, std::size_t step)
{
    request out;
    request_parser parser(out, head_bytes_max);
    parser.body_limit(body_bytes_max);
    parser.eager(true);
    std::string pending;
    while (!parser.is_done()) {
        if (bytes.empty())
            return std::nullopt;
        pending.append(bytes.substr(0, step));
        bytes.remove_prefix(std::min(step, bytes.size()));
        boost::beast::error_code ec;
        pending.erase(0, parser.put(boost::asio::buffer(pending), ec));
        if (ec && ec != boost::beast::http::error::need_more)
            return std::nullopt;
    }
    return out;
}

bool same(request const& a, request const& b)
{
    if (a.method != b.method || a.target != b.target || a.body != b.body ||
        a.headers.size() != b.headers.size())
        return false;
    for (std::size_t i = 0; i < a.headers.size(); ++i)
        if (a.headers.at(i) != b.headers.at(i))
            return false;
    return true;
}

void check_target(request const& r)
{
    static router const routes = make_routes();
    auto const [path, query] = split_target(r.target);
    if (path.find_first_of("?#") != std::string_view::npos)
        std::abort();

    auto const match = routes.find(r.method, path);
    if (match.found) {
        auto const named = std::ranges::count(match.found->pattern, '{');
        if (static_cast<std::size_t>(named) != match.params.size())
            std::abort();
    }
    for (auto const& [name, value] : match.params)
        if (value.empty())
            std::abort();
    if (auto const pairs = parse_query(query)) {
        for (auto const& [name, value] : *pairs)
            if (name.size() + value.size() > query.size())
                std::abort();
    }
}

} // namespace

/// The bytes of a request become the same request however they are cut, and its target has one
/// reading; anything else is refused.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const bytes(reinterpret_cast<char const*>(data), size);
    auto const whole = parse(bytes, std::max<std::size_t>(size, 1));
    auto const pieces = parse(bytes, 7);
    if (whole.has_value() != pieces.has_value() || (whole && !same(*whole, *pieces)))
        std::abort();
    if (whole)
        check_target(*whole);
    return 0;
}
