#pragma once

#include "core/result.hpp"
#include "events/recorded.hpp"
#include "projections/rows.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace assay::projections {

/// The views there are, in the order of `all_views`.
enum class view_id : std::uint8_t {
    tests,
    cells,
    open_cells,
    runs,
    grades,
    traces,
    benchmark,
    catalog,
    identity,
    answers,
    files,
    notes,
};

constexpr std::size_t view_count = 12;

/// One reading of the log. A view never knows whether it is live or being rebuilt.
struct view {
    std::string name;
    std::uint32_t schema = 0; ///< another number: the stored rows are of no use and are built again

    /// Writes the event's effect to the rows. Depends on nothing but the event and the rows; events
    /// that the view does not read leave no trace.
    std::function<result<void>(events::recorded const&, rows&)> apply;

    /// A row for people, as JSON.
    std::function<std::string(std::string_view key, std::string_view value)> describe;
};

/// Wraps a class that has a name, a schema, `apply` and `describe`.
template <class V>
[[nodiscard]] view view_of()
{
    return {std::string(V::name), V::schema,
            [](events::recorded const& e, rows& out) { return V{}.apply(e, out); },
            [](std::string_view key, std::string_view value) { return V{}.describe(key, value); }};
}

/// Every view, at the index of its view_id.
[[nodiscard]] std::span<view const> all_views();

} // namespace assay::projections
