#include "http/client/response_parser.hpp"

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

/// Parses `bytes` as they come from a host in reads of at most `step` bytes, then its end.
/// @returns nothing if they are no whole answer.
std::optional<inbound_response> parse(std::string_view bytes, std::size_t step)
{
    inbound_response out;
    response_parser parser(out, false, head_bytes_max, body_bytes_max);
    std::string pending;
    boost::beast::error_code ec;
    while (!parser.is_done() && !bytes.empty()) {
        pending.append(bytes.substr(0, step));
        bytes.remove_prefix(std::min(step, bytes.size()));
        pending.erase(0, parser.put(boost::asio::buffer(pending), ec));
        if (ec && ec != boost::beast::http::error::need_more)
            return std::nullopt;
    }
    if (parser.is_done())
        return out;
    if (!parser.is_header_done() || !parser.need_eof())
        return std::nullopt;
    parser.put_eof(ec);
    if (ec)
        return std::nullopt;
    return out;
}

bool same(inbound_response const& a, inbound_response const& b)
{
    if (a.status != b.status || a.body != b.body || a.headers.size() != b.headers.size())
        return false;
    for (std::size_t i = 0; i < a.headers.size(); ++i)
        if (a.headers.at(i) != b.headers.at(i))
            return false;
    return true;
}

} // namespace

/// A host's bytes become the same answer however they are cut, within the limits; or none.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const bytes(reinterpret_cast<char const*>(data), size);
    auto const whole = parse(bytes, std::max<std::size_t>(size, 1));
    auto const pieces = parse(bytes, 7);
    if (whole.has_value() != pieces.has_value() || (whole && !same(*whole, *pieces)))
        std::abort();
    if (whole && whole->body.size() > body_bytes_max)
        std::abort();
    return 0;
}
