#include "core/time.hpp"

#include <chrono>

namespace assay {

namespace {

using std::chrono::day;
using std::chrono::month;
using std::chrono::year;
using std::chrono::year_month_day;

constexpr std::int64_t first_us = -62'135'596'800'000'000; // 0001-01-01T00:00:00Z
constexpr std::int64_t last_us = 253'402'300'799'999'999;  // 9999-12-31T23:59:59.999999Z

/// Reads `n` decimal digits at `at`; -1 if there are others.
int digits(std::string_view text, std::size_t at, std::size_t n)
{
    if (at + n > text.size())
        return -1;
    int value = 0;
    for (std::size_t i = at; i < at + n; ++i) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/// Writes `value` as `n` decimal digits at `at`. Every envelope has a time in it: a tenth of what a
/// formatting library takes.
void write_digits(std::string& out, std::size_t at, std::size_t n, std::int64_t value)
{
    for (; n > 0; value /= 10)
        out[at + --n] = static_cast<char>('0' + value % 10);
}

std::optional<std::int64_t> parse_day(std::string_view text)
{
    int const y = digits(text, 0, 4);
    int const m = digits(text, 5, 2);
    int const d = digits(text, 8, 2);
    if (y < 1 || m < 0 || d < 0 || text[4] != '-' || text[7] != '-')
        return std::nullopt;
    year_month_day const date{year{y}, month{static_cast<unsigned>(m)},
                              day{static_cast<unsigned>(d)}};
    if (!date.ok())
        return std::nullopt;
    return std::chrono::sys_days{date}.time_since_epoch().count();
}

/// Microseconds east of UTC of "Z", "+hh:mm" or "-hh:mm".
std::optional<std::int64_t> parse_offset(std::string_view text)
{
    if (text == "Z" || text == "z")
        return 0;
    int const h = digits(text, 1, 2);
    int const m = digits(text, 4, 2);
    if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':' || h < 0 ||
        h > 23 || m < 0 || m > 59)
        return std::nullopt;
    auto const us = (h * 60LL + m) * 60'000'000LL;
    return text[0] == '-' ? -us : us;
}

} // namespace

std::string instant::text() const
{
    std::chrono::sys_time<std::chrono::microseconds> const at{std::chrono::microseconds{us}};
    auto const midnight = std::chrono::floor<std::chrono::days>(at);
    year_month_day const date{midnight};
    auto const in_day = (at - midnight).count();
    auto const seconds = in_day / 1'000'000;
    std::string out("0000-00-00T00:00:00.000000Z");
    write_digits(out, 0, 4, static_cast<int>(date.year()));
    write_digits(out, 5, 2, static_cast<unsigned>(date.month()));
    write_digits(out, 8, 2, static_cast<unsigned>(date.day()));
    write_digits(out, 11, 2, seconds / 3600);
    write_digits(out, 14, 2, seconds / 60 % 60);
    write_digits(out, 17, 2, seconds % 60);
    write_digits(out, 20, 6, in_day % 1'000'000);
    return out;
}

std::optional<instant> instant::parse(std::string_view text)
{
    if (text.size() < 20)
        return std::nullopt;
    auto const days = parse_day(text.substr(0, 10));
    int const h = digits(text, 11, 2);
    int const m = digits(text, 14, 2);
    int const s = digits(text, 17, 2);
    if (!days || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') || text[13] != ':' ||
        text[16] != ':' || h < 0 || h > 23 || m < 0 || m > 59 || s < 0 || s > 59)
        return std::nullopt;

    std::size_t at = 19;
    std::int64_t fraction = 0;
    if (text[at] == '.') {
        std::int64_t scale = 100'000;
        auto const first = ++at;
        for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
            fraction += (text[at] - '0') * scale;
        if (at == first)
            return std::nullopt;
    }
    auto const offset = parse_offset(text.substr(at));
    if (!offset)
        return std::nullopt;
    instant const moment{*days * day_us + ((h * 60LL + m) * 60 + s) * 1'000'000 + fraction -
                         *offset};
    if (moment.us < first_us || moment.us > last_us)
        return std::nullopt;
    return moment;
}

std::optional<instant> parse_date_bound(std::string_view text, bool end)
{
    if (text.size() != 10)
        return instant::parse(text);
    auto const days = parse_day(text);
    if (!days)
        return std::nullopt;
    return instant{*days * day_us + (end ? day_us - 1 : 0)};
}

} // namespace assay
