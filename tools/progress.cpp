#include "tools/progress.hpp"

#include "tools/terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace assay::tools {

namespace {

constexpr std::chrono::milliseconds redraw_every{100};
constexpr std::chrono::seconds line_every{5};
constexpr std::size_t bar_max = 30;
constexpr std::size_t bar_min = 5;

} // namespace

std::string spoken_seconds(double seconds)
{
    if (seconds < 0.95)
        return fmt::format("{:.1f} s", std::max(seconds, 0.0));
    auto const whole = static_cast<std::uint64_t>(std::llround(std::min(seconds, 1e9)));
    if (whole < 60)
        return fmt::format("{} s", whole);
    if (whole < 3600)
        return fmt::format("{} min {} s", whole / 60, whole % 60);
    return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
}

std::string progress_line(std::string_view what, progress_state const& s, std::size_t width)
{
    auto const share =
        s.total == 0 ? 1.0
                     : std::min(1.0, static_cast<double>(s.done) / static_cast<double>(s.total));
    // Rounded down: 100 % is said only of what is done.
    auto text = fmt::format("{}/{}  {} %", s.done, s.total, static_cast<int>(share * 100));
    if (s.rate > 0)
        text += fmt::format("  {:.{}f}/s", s.rate, s.rate < 10 ? 1 : 0);
    if (s.rate > 0 && s.done < s.total)
        text +=
            fmt::format("  ETA {}", spoken_seconds(static_cast<double>(s.total - s.done) / s.rate));
    if (!s.extra.empty())
        text += fmt::format("  {}", s.extra);
    auto const taken = what.size() + text.size() + 4;
    auto const room = width > taken ? std::min(width - taken, bar_max) : 0;
    if (room < bar_min)
        return shorten(fmt::format("{} {}", what, text), width);
    auto const filled = static_cast<std::size_t>(share * static_cast<double>(room));
    return fmt::format("{} [{}{}] {}", what, std::string(filled, '#'),
                       std::string(room - filled, '.'), text);
}

progress::progress(std::string what, bool wanted)
    : what_(std::move(what)), wanted_(wanted), redraws_(is_terminal(stderr)),
      width_(terminal_width(stderr) - 1) // the last column may wrap
{
}

progress::~progress()
{
    finish();
}

void progress::show(std::uint64_t done, std::uint64_t total, std::string_view extra)
{
    auto const now = clock::now();
    if (!first_)
        first_.emplace(now, done);
    done_ = done;
    total_ = total;
    extra_ = extra;
    dirty_ = true;
    // Without a terminal the first line comes after a while: what is done by then needs none.
    auto const since = now - drawn_.value_or(redraws_ ? clock::time_point{} : first_->first);
    if (since >= (redraws_ ? redraw_every : std::chrono::milliseconds(line_every)))
        draw();
}

void progress::draw()
{
    if (!wanted_)
        return;
    auto const now = clock::now();
    auto const seconds = std::chrono::duration<double>(now - first_->first).count();
    auto const rate =
        seconds > 0.2 ? static_cast<double>(done_ - std::min(done_, first_->second)) / seconds : 0;
    auto const line = progress_line(what_, {done_, total_, rate, extra_}, width_);
    if (redraws_)
        fmt::print(stderr, "\r{}\x1b[K", line);
    else
        fmt::print(stderr, "{}\n", line);
    std::fflush(stderr);
    line_open_ = redraws_;
    drawn_ = now;
    dirty_ = false;
}

void progress::finish()
{
    if (first_ && dirty_ && (redraws_ || drawn_))
        draw();
    if (line_open_)
        fmt::print(stderr, "\n");
    line_open_ = false;
    first_.reset();
}

} // namespace assay::tools
