#pragma once

#include "http/engine/engine.hpp"
#include "http/runner/options.hpp"

#include <chrono>
#include <memory>

namespace assay::http {

/// Runs cells: reads which are open, calls the models, submits what happened as commands.
///
/// It keeps no truth of its own. Each call is an event before the next of its cell is made, so after a
/// crash a run goes on behind its last recorded call; a call in flight at that moment is made again,
/// nothing recorded is. Concurrency starts at the configured figure and shrinks only on 429; requests
/// per minute and Retry-After are kept per provider key.
///
/// Thread-safe. One thread of its own schedules (`agenda`); the providers' threads and the log's writer
/// only hand over results. On it, in the order in which a cell meets them: `intake` takes cells, the
/// `conductor` leads their runs, the `dispatcher` makes the calls through the lanes, the `recorder` gives
/// what happened to the log.
class runner {
public:
    runner(engine::engine& e, runner_options options = {});

    /// Stops.
    ~runner();

    /// Begins: takes up what is open, then follows the log.
    void start();

    /// Makes no further call, waits until those in flight are recorded (at most `grace`), then
    /// cancels the rest. What was begun and has no answer goes on at the next start.
    void stop(std::chrono::milliseconds grace = std::chrono::seconds(30));

    [[nodiscard]] runner_stats const& stats() const { return stats_; }

private:
    struct impl;

    runner_stats stats_;
    std::unique_ptr<impl> impl_;
};

} // namespace assay::http
