#include "http/api/byte_range.hpp"

#include <algorithm>
#include <charconv>

namespace assay::api {

namespace {

std::string_view trimmed(std::string_view text)
{
    auto const blank = [](char c) { return c == ' ' || c == '\t'; };
    while (!text.empty() && blank(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && blank(text.back()))
        text.remove_suffix(1);
    return text;
}

/// A number without sign; one too large for 64 bits counts as the largest there is.
std::optional<std::uint64_t> number(std::string_view digits)
{
    std::uint64_t out = 0;
    auto const end = digits.data() + digits.size();
    auto const [at, ec] = std::from_chars(digits.data(), end, out);
    if (digits.empty() || at != end || (ec != std::errc{} && ec != std::errc::result_out_of_range))
        return std::nullopt;
    return ec == std::errc{} ? out : UINT64_MAX;
}

bool is_unit(std::string_view text)
{
    constexpr std::string_view bytes = "bytes";
    return std::ranges::equal(text, bytes, [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

} // namespace

range_request parse_range(std::optional<std::string_view> field, std::uint64_t size)
{
    using kind = range_request::kind;
    auto const equals = field ? field->find('=') : std::string_view::npos;
    if (equals == std::string_view::npos || !is_unit(trimmed(field->substr(0, equals))))
        return {};
    auto const spec = trimmed(field->substr(equals + 1));
    auto const dash = spec.find('-');
    if (dash == std::string_view::npos)
        return {};
    auto const left = spec.substr(0, dash);
    auto const right = spec.substr(dash + 1);
    auto const first = number(left);
    auto const last = number(right);
    if ((!left.empty() && !first) || (!right.empty() && !last) || (!first && !last))
        return {};
    if (!first) {
        if (*last == 0 || size == 0)
            return {kind::unsatisfiable, {}};
        return {kind::part, {size - std::min(size, *last), size - 1}};
    }
    if (last && *last < *first)
        return {};
    if (*first >= size)
        return {kind::unsatisfiable, {}};
    return {kind::part, {*first, std::min(last.value_or(size - 1), size - 1)}};
}

bool names_etag(std::string_view list, std::string_view etag)
{
    while (!list.empty()) {
        // A comma may stand inside the quotes of a member.
        auto const quote = list.find('"');
        auto const closing = quote == std::string_view::npos ? quote : list.find('"', quote + 1);
        auto const comma = list.find(',', closing == std::string_view::npos ? 0 : closing);
        auto member = trimmed(list.substr(0, comma));
        if (member.starts_with("W/"))
            member.remove_prefix(2);
        if (member == "*" || member == etag)
            return true;
        list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    }
    return false;
}

} // namespace assay::api
