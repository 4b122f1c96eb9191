#include "core/json.hpp"
#include "http/api/client.hpp"
#include "http/server/sse.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace assay;

struct seen {
    std::string id;
    boost::json::value data;

    bool operator==(seen const&) const = default;
};

/// The events in `bytes`, which arrive in reads of at most `step` bytes.
std::vector<seen> read(std::string_view bytes, std::size_t step)
{
    std::vector<seen> out;
    api::event_reader reader;
    for (; !bytes.empty(); bytes.remove_prefix(std::min(step, bytes.size())))
        reader.take(bytes.substr(0, step), [&](api::stream_event const& e) {
            out.push_back({e.id, e.data});
            return true;
        });
    return out;
}

} // namespace

/// Bytes of a stream are the same events however they are cut. Whatever text is sent as an event
/// arrives as that text, under its id; carriage returns and NULs alone are lost.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const bytes(reinterpret_cast<char const*>(data), size);
    if (read(bytes, std::max<std::size_t>(size, 1)) != read(bytes, 5))
        std::abort();

    auto const name = bytes.substr(0, size / 4);
    auto const got = read(http::encode({.id = "7", .name = name, .data = bytes}), 64);
    std::string text(bytes);
    std::erase_if(text, [](char c) { return c == '\r' || c == '\0'; });
    auto const parsed = json::parse(text);
    if (got != std::vector{seen{"7", parsed ? *parsed : boost::json::value(text)}})
        std::abort();
    return 0;
}
