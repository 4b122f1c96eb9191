#include "core/json.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

/// A text is parsed or refused; what parses has one canonical form, which parses to itself.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace assay;
    std::string_view const text(reinterpret_cast<char const*>(data), size);

    auto const parsed = json::parse(text);
    auto const stored = json::parse_stored(text);
    if (parsed && !stored)
        std::abort();
    if (parsed) {
        auto const canonical = json::canonical(*parsed);
        auto const again = json::parse(canonical);
        if (!again || json::canonical(*again) != canonical || json::canonical(*stored) != canonical)
            std::abort();
    }

    // Any bytes at all become a string that parses.
    std::string quoted;
    json::append_string(text, quoted);
    auto const string = json::parse(quoted);
    if (!string || !string->is_string())
        std::abort();
    return 0;
}
