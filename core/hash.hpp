#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace assay {

/// 32 bytes that stand for some content: a SHA-256, or an HMAC of it.
struct digest {
    std::array<std::uint8_t, 32> bytes{};

    friend auto operator<=>(digest const&, digest const&) = default;

    /// 64 lower-case hexadecimal digits.
    [[nodiscard]] std::string hex() const;

    /// The inverse of `hex`; anything else is none.
    [[nodiscard]] static std::optional<digest> parse(std::string_view hex);

    [[nodiscard]] std::string_view raw() const
    {
        return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
    }

    /// The inverse of `raw`; `raw` must hold 32 bytes.
    [[nodiscard]] static digest from_raw(std::string_view raw)
    {
        digest d;
        std::memcpy(d.bytes.data(), raw.data(), d.bytes.size());
        return d;
    }

    [[nodiscard]] bool zero() const { return *this == digest{}; }
};

/// SHA-256 of `data` (FIPS 180-4).
[[nodiscard]] digest sha256(std::string_view data);

/// SHA-256 of the concatenation; no copy is made.
[[nodiscard]] digest sha256(std::string_view a, std::string_view b, std::string_view c = {});

/// HMAC-SHA-256 (RFC 2104).
[[nodiscard]] digest hmac_sha256(std::string_view key, std::string_view data);

/// Lower-case hexadecimal digits of `raw`.
[[nodiscard]] std::string to_hex(std::string_view raw);
void append_hex(std::string_view raw, std::string& out);

/// The bytes that `hex` writes; none if it is not an even number of hexadecimal digits.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view hex);

/// Standard base64 with padding (RFC 4648 §4).
[[nodiscard]] std::string to_base64(std::string_view raw);

/// The inverse of `to_base64`; none for anything that it would not write.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);

/// Whether two secrets are equal, in a time that depends on their lengths only.
[[nodiscard]] bool equal_secrets(std::string_view a, std::string_view b);

namespace detail {

/// -1 for what is no digit. A table: reading the log back turns more digits into bytes than
/// anything else.
inline constexpr auto hex_values = [] {
    std::array<std::int8_t, 256> values{};
    values.fill(-1);
    for (int i = 0; i < 10; ++i)
        values['0' + static_cast<unsigned>(i)] = static_cast<std::int8_t>(i);
    for (int i = 0; i < 6; ++i)
        values['a' + static_cast<unsigned>(i)] = values['A' + static_cast<unsigned>(i)] =
            static_cast<std::int8_t>(10 + i);
    return values;
}();

} // namespace detail

/// Value of a hexadecimal digit, -1 for any other character.
[[nodiscard]] constexpr int hex_digit(char c)
{
    return detail::hex_values[static_cast<unsigned char>(c)];
}

} // namespace assay

template <>
struct std::hash<assay::digest> {
    std::size_t operator()(assay::digest const& d) const noexcept
    {
        std::size_t h = 0;
        std::memcpy(&h, d.bytes.data(), sizeof h);
        return h;
    }
};
