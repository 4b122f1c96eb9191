#pragma once

#include "core/domain/event.hpp"
#include "projections/benchmark.hpp"

#include <algorithm>

namespace assay::projections {

/// Adds a value if it is known.
inline void add_known(known_sum& to, std::optional<std::uint64_t> const& value)
{
    if (!value)
        return;
    ++to.known;
    to.sum += *value;
}

/// Adds the cost of a call to the sum of its currency, if both are known.
inline void add_cost(std::vector<cost_sum>& to, event::call_recorded const& call)
{
    if (!call.cost_pico || !call.currency)
        return;
    auto at = std::lower_bound(
        to.begin(), to.end(), *call.currency,
        [](cost_sum const& c, std::string const& currency) { return c.currency < currency; });
    if (at == to.end() || at->currency != *call.currency)
        at = to.insert(at, {*call.currency, 0, 0});
    ++at->known;
    at->pico += *call.cost_pico;
}

} // namespace assay::projections
