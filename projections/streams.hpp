#pragma once

#include "core/grid_id.hpp"
#include "events/recorded.hpp"
#include "projections/rows.hpp"

#include <utility>

namespace assay::projections {

/// The cell whose stream the event stands in.
///
/// @returns errc::corrupt if the stream is not named by an invocation's id.
[[nodiscard]] inline result<grid_id> cell_of(events::recorded const& e)
{
    auto const id = grid_id::read(e.stream.id, grid_kind::invocation);
    if (!id)
        return fail(errc::corrupt, "a cell's stream is not an invocation's id");
    return *id;
}

/// Hands an event of a test to `on_test(e, out)`, one of a cell to `on_cell(e, cell, out)`; events
/// of other streams leave no trace.
template <class OnTest, class OnCell>
[[nodiscard]] result<void> by_stream(events::recorded const& e, rows& out, OnTest const& on_test,
                                     OnCell const& on_cell)
{
    switch (e.stream.kind) {
    case stream_kind::test: return on_test(e, out);
    case stream_kind::cell: {
        ASSAY_TRY(auto const cell, cell_of(e));
        return on_cell(e, cell, out);
    }
    case stream_kind::workspace:
    case stream_kind::api_key:
    case stream_kind::item:
    case stream_kind::note: return {};
    }
    std::unreachable();
}

} // namespace assay::projections
