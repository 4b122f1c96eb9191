#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace assay {

/// A moment in UTC, in microseconds since 1970-01-01T00:00:00Z. Years 0001 to 9999.
struct instant {
    std::int64_t us = 0;

    friend auto operator<=>(instant const&, instant const&) = default;

    /// "2026-11-21T06:51:14.123456Z" (RFC 3339); six decimals always, so that texts sort as moments do.
    [[nodiscard]] std::string text() const;

    /// Reads an RFC 3339 date-time with any offset. Digits beyond microseconds are cut off; a leap
    /// second (":60"), which
    /// Unix time cannot tell from the next one, is none.
    [[nodiscard]] static std::optional<instant> parse(std::string_view text);
};

/// One end of a range that a client gave: a date-time, or a bare date, which is a UTC day.
///
/// @param end  a bare date then means the last microsecond of that day.
[[nodiscard]] std::optional<instant> parse_date_bound(std::string_view text, bool end);

constexpr std::int64_t day_us = 86'400'000'000;

} // namespace assay
