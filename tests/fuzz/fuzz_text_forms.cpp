#include "core/domain/state.hpp"
#include "core/grid_id.hpp"
#include "core/hash.hpp"
#include "core/time.hpp"
#include "core/uuid.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

/// What was read is written as a text that reads as the same.
template <class T>
void leads_back(std::string_view text)
{
    if (auto const value = T::parse(text)) {
        if (T::parse(value->text()) != value)
            std::abort();
    }
}

std::string lower(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    return out;
}

} // namespace

/// Ids, moments, streams and encodings in text: read or refused, and what is read leads back.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    using namespace assay;
    std::string_view const text(reinterpret_cast<char const*>(data), size);

    leads_back<uuid>(text);
    leads_back<instant>(text);
    leads_back<stream_id>(text);
    if (auto const id = uuid::parse(text)) {
        if (id->text() != lower(text))
            std::abort();
        if (auto const place = grid_id::read(*id)) {
            if (grid_id::make(place->test, place->kind, place->cell, place->ordinal) != *id)
                std::abort();
        }
    }
    if (auto const from = parse_date_bound(text, false)) {
        auto const to = parse_date_bound(text, true);
        if (!to || *to < *from)
            std::abort();
    }
    if (auto const d = digest::parse(text); d && d->hex() != lower(text))
        std::abort();
    if (auto const raw = from_base64(text); raw && to_base64(*raw) != text)
        std::abort();
    if (auto const raw = from_hex(text); raw && to_hex(*raw) != lower(text))
        std::abort();
    return 0;
}
