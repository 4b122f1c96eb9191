#pragma once

#include "projections/cells.hpp"
#include "projections/key.hpp"

/// Keys of the view `cells`, and the bridge to the state that the domain folds.
namespace assay::projections::cells_rows {

inline key counts_key(uuid const& test)
{
    return key('t').id(test);
}

inline key cell_key(uuid const& test, std::uint32_t cell)
{
    return key('c').id(test).u32(cell);
}

/// Fills the part of `state` that a cell's status depends on.
inline void to_state(test_counts const& counts, test_state& state)
{
    state.exists = true;
    state.phase = counts.phase;
    state.stops = counts.stops;
    state.added = counts.added;
    state.counts = counts.counts;
}

inline void from_state(test_state const& state, test_counts& counts)
{
    counts.phase = state.phase;
    counts.stops = state.stops;
    counts.added = state.added;
    counts.counts = state.counts;
}

} // namespace assay::projections::cells_rows
