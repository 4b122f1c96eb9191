#include "core/uuid.hpp"

#include "core/hash.hpp"

#include <algorithm>

namespace assay {

namespace {

constexpr bool dash_at(std::size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

void set_version(uuid& id, std::uint8_t version)
{
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | (version << 4));
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
}

} // namespace

std::optional<uuid> uuid::parse(std::string_view text)
{
    if (text.size() != 36)
        return std::nullopt;

    static constexpr std::array<std::uint8_t, 16> places{0,  2,  4,  6,  9,  11, 14, 16,
                                                         19, 21, 24, 26, 28, 30, 32, 34};
    if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-')
        return std::nullopt;
    uuid id;
    int wrong = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
        auto const high = hex_digit(text[places[i]]);
        auto const low = hex_digit(text[places[i] + 1U]);
        wrong |= high | low; // negative as soon as one is
        id.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    if (wrong < 0)
        return std::nullopt;
    return id;
}

std::string uuid::text() const
{
    std::string out;
    append_text(out);
    return out;
}

void uuid::append_text(std::string& out) const
{
    static constexpr char hex[] = "0123456789abcdef";
    std::array<char, 36> text;
    std::size_t at = 0;
    for (auto const byte : bytes) {
        if (dash_at(at))
            text[at++] = '-';
        text[at++] = hex[byte >> 4];
        text[at++] = hex[byte & 15];
    }
    out.append(text.data(), text.size());
}

uuid make_uuid_v7(std::uint64_t unix_ms, std::span<std::uint8_t const, 10> random)
{
    uuid id;
    for (std::size_t i = 0; i < 6; ++i)
        id.bytes[i] = static_cast<std::uint8_t>(unix_ms >> (40 - 8 * i));
    std::copy(random.begin(), random.end(), id.bytes.begin() + 6);
    set_version(id, 7);
    return id;
}

uuid derive_uuid(std::string_view name)
{
    auto const digest = sha256(name);
    uuid id;
    std::copy_n(digest.bytes.begin(), id.bytes.size(), id.bytes.begin());
    set_version(id, 8);
    return id;
}

uuid derive_uuid(uuid const& command, std::string_view what, std::uint64_t ordinal)
{
    std::string name(command.raw());
    name.append(what).push_back('\0');
    name.append(std::to_string(ordinal));
    return derive_uuid(name);
}

} // namespace assay
