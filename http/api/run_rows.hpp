#pragma once

#include "http/api/json_writer.hpp"
#include "http/api/test_data.hpp"

/// Runs with what was said in them.
namespace assay::api {

/// An InvocationTrace: the binding, and the cell's runs with messages and calls in order. Without a
/// binding (null) the runs hang on the cell itself: null is written when there is no run either.
///
/// These are the only answers that resolve the texts of models and users. A text whose key was
/// destroyed shows as null with `erased`.
[[nodiscard]] result<void> write_trace(json_writer& w, services const& s, test_data const& d,
                                       cell_data const& c, projections::trace_row const* trace);

/// One model call with all that was sent to the model, and what it answered.
[[nodiscard]] result<void> write_whole_call(json_writer& w, services const& s, test_data const& d,
                                            cell_data const& c, projections::run_view const& run,
                                            projections::call_row const& call);

/// A GroupRun for each run of the cell: whose messages are there, but not their texts.
void write_group_runs(json_writer& w, test_data const& d, cell_data const& c);

} // namespace assay::api
