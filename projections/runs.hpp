#pragma once

#include "core/domain/event.hpp"
#include "projections/benchmark.hpp"
#include "projections/cells.hpp"
#include "projections/reader.hpp"
#include "projections/rows.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace assay::projections {

/// One execution of a cell.
struct run_row {
    std::uint16_t run = 0; ///< ordinal within the cell
    uuid profile;          ///< who fired it; nil: the server
    events::channel channel{};
    instant started_at;
    std::optional<instant> ended_at;
    std::optional<assay::outcome> outcome; ///< none: it has no end, or was closed by hand
    bool closed_by_hand = false;
    std::string error_code;
    std::optional<content> error;
    std::optional<digest> cell_hash;
    std::uint32_t calls = 0;
    known_sum input_tokens;
    known_sum output_tokens;
    known_sum cached_input_tokens;
    std::vector<cost_sum> costs;
    std::uint64_t latency_us = 0; ///< of all its calls
};
BOOST_DESCRIBE_STRUCT(run_row, (),
                      (run, profile, channel, started_at, ended_at, outcome, closed_by_hand,
                       error_code, error, cell_hash, calls, input_tokens, output_tokens,
                       cached_input_tokens, costs, latency_us))

/// One model call of a run.
struct call_row {
    event::call_recorded call;
    instant at;
};
BOOST_DESCRIBE_STRUCT(call_row, (), (call, at))

/// Runs and their calls. Reads run.*, call.* and the ends of cells.
///
/// Rows:  r test, cell, run -> run_row
///        r test, cell, run, call -> call_row; right behind its run
class runs {
public:
    static constexpr std::string_view name = "runs";
    static constexpr std::uint32_t schema = 1;

    [[nodiscard]] result<void> apply(events::recorded const& e, rows& out) const;
    [[nodiscard]] std::string describe(std::string_view key, std::string_view value) const;
};

struct run_view {
    uuid id;
    uuid invocation;
    run_row row;
    std::vector<call_row> calls; ///< in order; their ids are grid ids of kind `call`
};

/// Every run of a cell, oldest first.
[[nodiscard]] result<std::vector<run_view>> list_runs(reader const& views, uuid const& test,
                                                      std::uint32_t cell);

/// @returns errc::not_found if the cell has no such run.
[[nodiscard]] result<run_view> get_run(reader const& views, uuid const& test, std::uint32_t cell,
                                       std::uint16_t run);

/// A run by its id. errc::not_found also for another workspace's.
struct run_of_test {
    test_row test;
    std::uint32_t cell = 0;
    run_view run;
};

[[nodiscard]] result<run_of_test> get_run(reader const& views, uuid const& workspace,
                                          uuid const& run);

/// The calls recorded of one run, in order: what a restarted runner goes on from.
[[nodiscard]] result<std::vector<call_row>> list_calls(reader const& views, uuid const& test,
                                                       std::uint32_t cell, std::uint16_t run);

/// Runs of a whole test in the order of cells, from cell `from` on, while `visit(cell, run)`
/// returns true.
[[nodiscard]] result<void>
visit_runs(reader const& views, uuid const& test, std::uint32_t from,
           std::function<bool(std::uint32_t cell, run_view const& run)> const& visit);

} // namespace assay::projections
