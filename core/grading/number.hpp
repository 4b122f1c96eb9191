#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Numbers as people and models write them, without rounding.
namespace assay::grading {

/// A decimal of any length in its one normal form: 0.<digits> is never written, `digits` neither
/// begins nor ends with a zero (empty: the number is zero, not negative), and the value is digits *
/// 10^exponent.
struct decimal {
    bool negative = false;
    std::string digits;
    std::int64_t exponent = 0;

    friend bool operator==(decimal const&, decimal const&) = default;
};

/// A number read from a text: a decimal, or a fraction `value / divisor`.
struct number {
    decimal value;
    std::optional<decimal> divisor{}; ///< not zero, not negative
};

/// Reads a decimal and nothing else, e.g. "-0.05" or "1e-6".
[[nodiscard]] std::optional<decimal> parse_decimal(std::string_view text);

/// The first or the last number in `text` by the rules of the numeric grader
/// (core/grading/kinds.hpp), in linear time.
[[nodiscard]] std::optional<number> first_number(std::string_view text);
[[nodiscard]] std::optional<number> last_number(std::string_view text);

/// Whether two numbers are the same. Fractions with a part of more than 1,000 places are equal to
/// nothing.
[[nodiscard]] bool equal(number const& a, number const& b);

/// Whether `seen` lies within max(absolute, relative * |wanted|) of `wanted`. Beyond 1,000 places
/// only equality counts.
[[nodiscard]] bool within(number const& seen, number const& wanted, decimal const& absolute,
                          decimal const& relative);

/// Whether `value` is a whole number of times `step`, which is above 0. Never beyond 1,000 places.
[[nodiscard]] bool is_multiple(decimal const& value, decimal const& step);

/// A number for a comment, e.g. "-12.5", "3/4" or "1e+30".
[[nodiscard]] std::string to_text(number const& n);

} // namespace assay::grading
