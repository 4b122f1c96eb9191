#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace assay {

/// A 128-bit identifier as RFC 9562 writes it; the nil value means "none". Orders as its bytes do.
struct uuid {
    std::array<std::uint8_t, 16> bytes{};

    friend auto operator<=>(uuid const&, uuid const&) = default;

    /// Reads the 36-character form, either case. Anything else is none.
    [[nodiscard]] static std::optional<uuid> parse(std::string_view text);

    /// Writes the 36-character form in lower case.
    [[nodiscard]] std::string text() const;
    void append_text(std::string& out) const;

    [[nodiscard]] bool nil() const { return *this == uuid{}; }

    /// The 16 bytes as they stand in a database key.
    [[nodiscard]] std::string_view raw() const
    {
        return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
    }

    /// The inverse of `raw`; `raw` must hold 16 bytes.
    [[nodiscard]] static uuid from_raw(std::string_view raw)
    {
        uuid id;
        std::memcpy(id.bytes.data(), raw.data(), id.bytes.size());
        return id;
    }
};

/// A time-ordered id (version 7, RFC 9562 §5.7) from Unix milliseconds and ten random bytes.
[[nodiscard]] uuid make_uuid_v7(std::uint64_t unix_ms, std::span<std::uint8_t const, 10> random);

/// An id that follows from `name` alone (version 8): the first bits of its SHA-256.
///
/// Ids minted by a command derive from the command's id this way, so that doing the command again after a crash
/// mints the same ones.
[[nodiscard]] uuid derive_uuid(std::string_view name);

/// An id for the `ordinal`-th thing of sort `what` that command `command` makes.
[[nodiscard]] uuid derive_uuid(uuid const& command, std::string_view what,
                               std::uint64_t ordinal = 0);

} // namespace assay

template <>
struct std::hash<assay::uuid> {
    std::size_t operator()(assay::uuid const& id) const noexcept
    {
        std::uint64_t a = 0;
        std::uint64_t b = 0;
        std::memcpy(&a, id.bytes.data(), 8);
        std::memcpy(&b, id.bytes.data() + 8, 8);
        return static_cast<std::size_t>((a ^ (b * 0x9E3779B97F4A7C15ULL)) * 0xD6E8FEB86659FD93ULL);
    }
};
