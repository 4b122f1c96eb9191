#include "core/grading/number.hpp"

#include "core/grading/text.hpp"

#include <boost/multiprecision/cpp_int.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace assay::grading {

namespace {

using boost::multiprecision::cpp_int;

constexpr std::int64_t places_max = 1'000;
constexpr std::size_t exponent_digits_max = 4;

/// Where the parts of one unsigned decimal lie in a text.
struct layout {
    std::string_view whole;    ///< with its commas
    std::string_view fraction; ///< without the point
    std::string_view exponent; ///< with its sign
    std::size_t end = 0;       ///< position after it
};

std::size_t digits_end(std::string_view text, std::size_t at)
{
    while (at < text.size() && is_digit(text[at]))
        ++at;
    return at;
}

/// End of the digits at `at`, with groups of three after commas.
std::size_t whole_end(std::string_view text, std::size_t at)
{
    std::size_t end = digits_end(text, at);
    if (end - at > 3)
        return end;
    while (end < text.size() && text[end] == ',' && digits_end(text, end + 1) == end + 4)
        end += 4;
    return end;
}

/// Reads the unsigned decimal at `at`; nothing when there is none.
std::optional<layout> read_layout(std::string_view text, std::size_t at)
{
    layout found;
    std::size_t end = whole_end(text, at);
    found.whole = text.substr(at, end - at);
    if (end + 1 < text.size() && text[end] == '.' && is_digit(text[end + 1])) {
        std::size_t const fraction_end = digits_end(text, end + 1);
        found.fraction = text.substr(end + 1, fraction_end - end - 1);
        end = fraction_end;
    }
    if (found.whole.empty() && found.fraction.empty())
        return std::nullopt;
    if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
        bool const sign = end + 1 < text.size() && (text[end + 1] == '+' || text[end + 1] == '-');
        std::size_t const first = end + 1 + (sign ? 1 : 0);
        std::size_t const last = digits_end(text, first);
        if (last > first && last - first <= exponent_digits_max && border_after(text, last)) {
            found.exponent = text.substr(end + 1, last - end - 1);
            end = last;
        }
    }
    found.end = end;
    return found;
}

/// `digits` * 10^`exponent` in normal form.
decimal normal(bool negative, std::string digits, std::int64_t exponent)
{
    auto const last = digits.find_last_not_of('0');
    if (last == std::string::npos)
        return {};
    exponent += static_cast<std::int64_t>(digits.size() - last - 1);
    digits.resize(last + 1);
    digits.erase(0, digits.find_first_not_of('0'));
    return {negative, std::move(digits), exponent};
}

decimal to_decimal(layout const& found, bool negative)
{
    std::string digits;
    digits.reserve(found.whole.size() + found.fraction.size());
    for (char const c : found.whole) {
        if (c != ',')
            digits.push_back(c);
    }
    digits.append(found.fraction);
    std::int64_t exponent = 0;
    auto written = found.exponent;
    if (written.starts_with('+'))
        written.remove_prefix(1);
    std::from_chars(written.data(), written.data() + written.size(), exponent);
    return normal(negative, std::move(digits),
                  exponent - static_cast<std::int64_t>(found.fraction.size()));
}

/// One number in a text, and its fraction if it has one.
struct token {
    bool negative = false;
    layout head;
    std::optional<layout> over{};  ///< what stands after a slash
    std::optional<layout> mixed{}; ///< with `over`: the whole number before the fraction
    std::size_t end = 0;
};

bool is_plain(layout const& l)
{
    return l.fraction.empty() && l.exponent.empty() && !l.whole.empty() &&
           l.whole.find(',') == std::string_view::npos;
}

/// The denominator after a slash at `at`, unless it begins a longer chain such as 1/2/2024.
std::optional<layout> read_over(std::string_view text, std::size_t at)
{
    if (at + 1 >= text.size() || text[at] != '/' || !is_digit(text[at + 1]))
        return std::nullopt;
    auto const over = read_layout(text, at + 1);
    if (!over ||
        (over->end + 1 < text.size() && text[over->end] == '/' && is_digit(text[over->end + 1])))
        return std::nullopt;
    if (over->whole.find_first_not_of("0,") == std::string_view::npos &&
        over->fraction.find_first_not_of('0') == std::string_view::npos)
        return std::nullopt;
    return over;
}

/// Reads the number whose first digit or point is at `at`.
std::optional<token> read_token(std::string_view text, std::size_t at)
{
    auto const head = read_layout(text, at);
    if (!head)
        return std::nullopt;
    token found{false, *head, {}, {}, head->end};
    if (at >= 2 && text[at - 1] == '/' && is_digit(text[at - 2]))
        return found; // the rest of a chain such as 1/2/2024
    if (auto const over = read_over(text, head->end)) {
        found.over = over;
        found.end = over->end;
        return found;
    }
    // 1 3/4: a whole number, one space, a plain fraction.
    std::size_t const next = head->end + 1;
    if (is_plain(*head) && next < text.size() && text[head->end] == ' ' && is_digit(text[next])) {
        auto const top = read_layout(text, next);
        auto const over = top && is_plain(*top) ? read_over(text, top->end) : std::nullopt;
        if (over && is_plain(*over)) {
            found.mixed = head;
            found.head = *top;
            found.over = over;
            found.end = over->end;
        }
    }
    return found;
}

/// Whether the sign of the number whose first digit is at `at` is a minus. Between the two a
/// currency sign may stand, as in -$5.
bool minus_before(std::string_view text, std::size_t at)
{
    static constexpr std::array<std::string_view, 6> currencies = {"$", "€", "£", "¥", "₹", "₩"};
    auto before = text.substr(0, at);
    auto const ends_in_minus = [&before] {
        return before.ends_with('-') || before.ends_with("\u2212");
    };
    for (auto const currency : currencies) {
        if (!ends_in_minus() && before.ends_with(currency))
            before.remove_suffix(currency.size());
    }
    if (!ends_in_minus())
        return false;
    before.remove_suffix(before.ends_with('-') ? 1 : std::string_view("\u2212").size());
    if (before.empty())
        return true;
    char const c = before.back();
    return !is_digit(c) && !is_letter(c) && c != '_' && c != ')' && c != ']' && c != '%';
}

/// The next number at or after `at`.
std::optional<token> next_token(std::string_view text, std::size_t at)
{
    for (; at < text.size(); ++at) {
        bool const point = text[at] == '.' && at + 1 < text.size() && is_digit(text[at + 1]) &&
                           (at == 0 || (!is_digit(text[at - 1]) && text[at - 1] != '.'));
        if (!is_digit(text[at]) && !point)
            continue;
        if (auto found = read_token(text, at)) {
            found->negative = minus_before(text, at);
            return found;
        }
    }
    return std::nullopt;
}

/// Whether the number can be written with at most `places_max` digits, zeros included.
bool short_enough(decimal const& d)
{
    return static_cast<std::int64_t>(d.digits.size()) <= places_max &&
           std::abs(d.exponent) <= places_max;
}

bool short_enough(number const& n)
{
    return short_enough(n.value) && (!n.divisor || short_enough(*n.divisor));
}

/// top / bottom, not reduced; bottom is above 0. (Not cpp_rational: Boost 1.81 has 1 / 100 as 1
/// when the hundred is an integer.)
struct ratio {
    cpp_int top;
    cpp_int bottom;
};

ratio to_ratio(decimal const& d)
{
    cpp_int top = d.digits.empty() ? cpp_int(0) : cpp_int(d.digits);
    if (d.negative)
        top = -top;
    cpp_int const power = pow(cpp_int(10), static_cast<unsigned>(std::abs(d.exponent)));
    return d.exponent < 0 ? ratio{top, power} : ratio{top * power, 1};
}

ratio to_ratio(number const& n)
{
    ratio const value = to_ratio(n.value);
    if (!n.divisor)
        return value;
    ratio const divisor = to_ratio(*n.divisor);
    return {value.top * divisor.bottom, value.bottom * divisor.top};
}

number to_number(token const& found)
{
    number n{to_decimal(found.head, found.negative)};
    if (!found.over)
        return n;
    n.divisor = to_decimal(*found.over, false);
    if (!found.mixed)
        return n;
    decimal const whole = to_decimal(*found.mixed, found.negative);
    if (!short_enough(whole) || !short_enough(n))
        return {whole};
    // All three parts are whole numbers.
    cpp_int const above = to_ratio(whole).top * to_ratio(*n.divisor).top + to_ratio(n.value).top;
    n.value = normal(found.negative, cpp_int(abs(above)).str(), 0);
    return n;
}

} // namespace

std::optional<decimal> parse_decimal(std::string_view text)
{
    bool const negative = text.starts_with('-');
    auto const found = read_layout(text, negative ? 1 : 0);
    if (!found || found->end != text.size())
        return std::nullopt;
    return to_decimal(*found, negative);
}

std::optional<number> first_number(std::string_view text)
{
    auto const found = next_token(text, 0);
    return found ? std::optional(to_number(*found)) : std::nullopt;
}

std::optional<number> last_number(std::string_view text)
{
    std::optional<token> last;
    std::size_t at = 0;
    while (auto const found = next_token(text, at)) {
        last = found;
        at = found->end;
    }
    return last ? std::optional(to_number(*last)) : std::nullopt;
}

bool equal(number const& a, number const& b)
{
    if (!a.divisor && !b.divisor)
        return a.value == b.value;
    if (!short_enough(a) || !short_enough(b))
        return false;
    ratio const x = to_ratio(a);
    ratio const y = to_ratio(b);
    return x.top * y.bottom == y.top * x.bottom;
}

bool within(number const& seen, number const& wanted, decimal const& absolute,
            decimal const& relative)
{
    if (equal(seen, wanted))
        return true;
    bool const exact = absolute.digits.empty() && relative.digits.empty();
    if (exact || !short_enough(seen) || !short_enough(wanted))
        return false;
    ratio const x = to_ratio(seen);
    ratio const y = to_ratio(wanted);
    ratio const a = to_ratio(absolute);
    ratio const r = to_ratio(relative);
    cpp_int const distance = abs(x.top * y.bottom - y.top * x.bottom); // times both bottoms
    return distance * a.bottom <= a.top * x.bottom * y.bottom ||
           distance * r.bottom <= r.top * abs(y.top) * x.bottom;
}

bool is_multiple(decimal const& value, decimal const& step)
{
    if (!short_enough(value) || !short_enough(step))
        return false;
    ratio const x = to_ratio(value);
    ratio const y = to_ratio(step);
    return cpp_int(x.top * y.bottom) % cpp_int(x.bottom * y.top) == 0;
}

std::string to_text(number const& n)
{
    auto const written = [](decimal const& d) -> std::string {
        if (d.digits.empty())
            return "0";
        auto const size = static_cast<std::int64_t>(d.digits.size());
        std::string const sign = d.negative ? "-" : "";
        if (size > 40 || d.exponent > 20 || d.exponent < -40)
            return fmt::format("{}{}{}e{:+}", sign, d.digits.substr(0, 40), size > 40 ? "..." : "",
                               d.exponent);
        if (d.exponent >= 0)
            return sign + d.digits + std::string(static_cast<std::size_t>(d.exponent), '0');
        if (size + d.exponent > 0)
            return sign + d.digits.substr(0, static_cast<std::size_t>(size + d.exponent)) + "." +
                   d.digits.substr(static_cast<std::size_t>(size + d.exponent));
        return sign + "0." + std::string(static_cast<std::size_t>(-d.exponent - size), '0') +
               d.digits;
    };
    return n.divisor ? written(n.value) + "/" + written(*n.divisor) : written(n.value);
}

} // namespace assay::grading
