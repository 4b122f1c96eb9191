#pragma once

#include "http/api/json_writer.hpp"
#include "http/api/test_data.hpp"

/// Runs with what was said in them: the only answers that resolve the texts of models and users.
namespace assay::api {

/// An InvocationTrace: the binding, and the cell's runs with messages and calls in order. Without a
/// binding (null) the runs hang on the cell itself: null is written when there is no run either.
///
/// A text whose key was destroyed shows as null with `erased`.
[[nodiscard]] result<void> write_trace(json_writer& w, services const& s, test_data const& d,
                                       cell_data const& c, projections::trace_row const* trace);

} // namespace assay::api
