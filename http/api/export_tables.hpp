#pragma once

#include "http/api/test_data.hpp"
#include "http/export/table.hpp"

#include <memory>
#include <optional>
#include <vector>

/// What exports are made of. The first table of a view is its main one, whose rows are counted.
namespace assay::api {

/// A test's invocations, each with what it belongs to, and, one table each, what lies below them.
///
/// @param only  the one cell that is wanted; none: all
[[nodiscard]] std::vector<exporting::table> invocation_tables(services const& s,
                                                              std::shared_ptr<test_data> data,
                                                              std::optional<std::uint32_t> only);

/// The rollup of a test: by model and agent, by standard group, by scenario.
[[nodiscard]] std::vector<exporting::table> benchmark_tables(services const& s,
                                                             std::shared_ptr<test_data> data);

/// The rollup of every test that the caller may see.
[[nodiscard]] std::vector<exporting::table>
workspace_tables(incoming const& in, std::shared_ptr<projections::reader const> views);

} // namespace assay::api
