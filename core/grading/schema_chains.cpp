#include "core/grading/schema_node.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace assay::grading {

namespace {

constexpr std::size_t chain_max = 16;

/// The schemas that `n` applies to the very value it is applied to.
std::vector<node_index> same_value(schema_node const& n)
{
    std::vector<node_index> same;
    for (auto const& next : {n.reference, n.negated, n.condition, n.consequence, n.alternative}) {
        if (next)
            same.push_back(*next);
    }
    for (auto const* next : {&n.all_of, &n.any_of, &n.one_of})
        same.insert(same.end(), next->begin(), next->end());
    for (auto const& [name, next] : n.dependent_schemas)
        same.push_back(next);
    return same;
}

/// Length of the longest chain from `index` on; `known` holds those found before, 0 for the others.
result<std::size_t> chain_from(std::span<schema_node const> nodes, node_index index,
                               std::size_t depth, std::vector<std::size_t>& known)
{
    if (known[index] != 0)
        return known[index];
    std::size_t longest = 0;
    for (auto const next : same_value(nodes[index])) {
        if (depth < chain_max) {
            ASSAY_TRY(auto const length, chain_from(nodes, next, depth + 1, known));
            longest = std::max(longest, length);
        } else {
            longest = chain_max;
        }
    }
    if (longest >= chain_max)
        return fail(errc::invalid,
                    fmt::format("the schema applies itself, or more than {} schemas inside each "
                                "other, to the same value",
                                chain_max));
    return known[index] = longest + 1;
}

} // namespace

result<void> check_chains(std::span<schema_node const> nodes)
{
    std::vector<std::size_t> known(nodes.size());
    for (node_index i = 0; i < nodes.size(); ++i)
        ASSAY_CHECK(chain_from(nodes, i, 0, known));
    return {};
}

} // namespace assay::grading
