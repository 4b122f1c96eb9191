#include "tools/arguments.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace assay::tools {

namespace {

/// All of `text` as a number; nothing if anything is left over.
template <class Number>
std::optional<Number> read_number(std::string_view text)
{
    Number number{};
    auto const* const end = text.data() + text.size();
    auto const read = std::from_chars(text.data(), end, number);
    if (text.empty() || read.ec != std::errc() || read.ptr != end)
        return std::nullopt;
    return number;
}

std::unexpected<error> no(std::string_view text, std::string_view what)
{
    return fail(errc::invalid, fmt::format("'{}' is not {}", text, what));
}

} // namespace

result<std::chrono::microseconds> parse_duration(std::string_view text)
{
    static constexpr std::array<std::pair<std::string_view, double>, 5> units{
        {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}}};
    constexpr double duration_us_max = 1e15; // some 30 years
    auto const unit_at = text.find_first_not_of("0123456789.");
    auto const number = read_number<double>(text.substr(0, unit_at));
    auto const unit = unit_at == std::string_view::npos ? std::string_view() : text.substr(unit_at);
    if (number && unit.empty() && *number == 0)
        return std::chrono::microseconds{0};
    for (auto const& [name, us] : units)
        if (number && name == unit && *number * us <= duration_us_max)
            return std::chrono::microseconds{static_cast<std::int64_t>(*number * us + 0.5)};
    return no(text, "a duration such as 20ms or 1.5s");
}

result<listen_address> parse_listen(std::string_view text)
{
    auto const colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0)
        return no(text, "an address and port such as 127.0.0.1:8080");
    auto host = text.substr(0, colon);
    bool const bracketed = host.starts_with('[') && host.ends_with(']');
    if (bracketed)
        host = host.substr(1, host.size() - 2);
    auto const port = read_number<std::uint16_t>(text.substr(colon + 1));
    // An IPv6 address without brackets would leave open which colon begins the port.
    if (!port || host.empty() || bracketed != (host.find(':') != std::string_view::npos))
        return no(text, "an address and port such as 127.0.0.1:8080 or [::1]:8080");
    return listen_address{std::string(host), *port};
}

result<std::pair<unsigned, double>> parse_share(std::string_view text)
{
    auto const colon = text.find(':');
    auto const number = read_number<unsigned>(text.substr(0, colon));
    auto const share = colon == std::string_view::npos
                           ? std::nullopt
                           : read_number<double>(text.substr(colon + 1));
    if (!number || !share || !(*share >= 0 && *share <= 1))
        return no(text, "a status and its share such as 429:0.02");
    return std::pair(*number, *share);
}

} // namespace assay::tools
