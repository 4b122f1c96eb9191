#pragma once

#include "core/domain/state.hpp"
#include "projections/reader.hpp"
#include "projections/rows.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace assay::projections {

/// A test that the runner may have work in.
struct open_test {
    uuid id; ///< from the key
    uuid workspace;
    grid_size size;
    assay::drive drive{};
    bool infinite = false;
    test_phase phase{};
    std::uint32_t added = 0; ///< cells made by hand
    std::uint32_t queued = 0;
    std::uint32_t running = 0;      ///< cells whose newest run has not ended
    bool grid_closed = false;       ///< a stop has closed every queued cell of the grid
    std::uint32_t added_closed = 0; ///< and of the cells made by hand the first so many
};
BOOST_DESCRIBE_STRUCT(open_test, (),
                      (workspace, size, drive, infinite, phase, added, queued, running, grid_closed,
                       added_closed))

/// Which cells still have to be run: what the runner reads when it starts, and what `next` answers.
///
/// Keeps the opposite, cells that are no longer queued, so that starting a million cells writes two
/// rows. Reads the lifecycle of tests and cells.
///
/// Rows:  t test -> open_test
///        o test -> nothing; there while the test has a queued or running cell
///        n test, cell / 1024 -> which of these cells have left the queue, and the runs that have
///        no end
class open_cells {
public:
    static constexpr std::string_view name = "open_cells";
    static constexpr std::uint32_t schema = 1;

    [[nodiscard]] result<void> apply(events::recorded const& e, rows& out) const;
    [[nodiscard]] std::string describe(std::string_view key, std::string_view value) const;
};

/// Every test, of all workspaces, with a queued or running cell.
[[nodiscard]] result<std::vector<open_test>> list_open_tests(reader const& views);

/// What list_open_tests says of one test; none once it has neither queued nor running cells.
[[nodiscard]] result<std::optional<open_test>> get_open_test(reader const& views, uuid const& test);

/// Up to `limit` queued cells from cell number `from` on, ascending (the grid, then cells made by
/// hand).
[[nodiscard]] result<std::vector<std::uint32_t>> next_queued(reader const& views, uuid const& test,
                                                             std::uint32_t from, std::size_t limit);

struct open_run {
    std::uint32_t cell = 0;
    std::uint16_t run = 0;
};

/// Cells whose newest run has begun and not ended, ascending: after a crash they go on from their
/// recorded calls
/// (`list_calls`).
[[nodiscard]] result<std::vector<open_run>> list_open_runs(reader const& views, uuid const& test);

/// The lowest cell that is queued or running.
[[nodiscard]] result<std::optional<std::uint32_t>> first_open(reader const& views,
                                                              uuid const& test);

} // namespace assay::projections
