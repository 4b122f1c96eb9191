#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

namespace assay::tools {

/// What a progress display says of one moment.
struct progress_state {
    std::uint64_t done = 0;
    std::uint64_t total = 0;
    double rate = 0;        ///< per second; 0: not known yet
    std::string_view extra; ///< e.g. "3 failed"
};

/// One line: "cells [#####.....] 2638/5276  50 %  4021/s  ETA 1 s  3 failed", at most `width`
/// columns.
[[nodiscard]] std::string progress_line(std::string_view what, progress_state const& s,
                                        std::size_t width);

/// Seconds as people say them: "0.4 s", "12 s", "3 min 20 s", "2 h 5 min".
[[nodiscard]] std::string spoken_seconds(double seconds);

/// Shows on stderr how far something has come: a bar that redraws itself on a terminal, else a line
/// every few seconds.
///
/// Not thread-safe.
class progress {
public:
    /// @param wanted  false: nothing is ever shown
    progress(std::string what, bool wanted);

    /// Ends the line that is being redrawn.
    ~progress();

    progress(progress const&) = delete;
    progress& operator=(progress const&) = delete;

    /// Shows `done` of `total`, unless it did so a moment ago.
    void show(std::uint64_t done, std::uint64_t total, std::string_view extra = {});

    /// Shows the last state that `show` was given, and ends the line.
    void finish();

private:
    using clock = std::chrono::steady_clock;

    void draw();

    std::string const what_;
    bool const wanted_;
    bool const redraws_;
    std::size_t const width_;
    bool line_open_ = false;
    std::uint64_t done_ = 0;
    std::uint64_t total_ = 0;
    std::string extra_;
    std::optional<std::pair<clock::time_point, std::uint64_t>> first_;
    std::optional<clock::time_point> drawn_;
    bool dirty_ = false;
};

} // namespace assay::tools
