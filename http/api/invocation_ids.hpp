#pragma once

#include "http/api/route.hpp"
#include "projections/queries.hpp"

#include <optional>

/// From the ids that a request names to places in a test's grid.
namespace assay::api {

[[nodiscard]] inline std::unexpected<error> no_invocation()
{
    return fail(errc::not_found, "there is no such invocation", "invocation_not_found");
}

[[nodiscard]] inline std::unexpected<error> no_run()
{
    return fail(errc::not_found, "there is no such run", "run_not_found");
}

/// Takes an invocation's id apart, if it is one of `test`.
[[nodiscard]] inline result<grid_id> place_of_invocation(uuid const& id,
                                                         std::optional<uuid> const& test = {})
{
    auto const place = grid_id::read(id, grid_kind::invocation);
    if (!place || (test && place->test != *test))
        return no_invocation();
    return *place;
}

/// Takes a run's id apart, if it is one of that invocation of that test. There need not be such a
/// run.
[[nodiscard]] inline result<grid_id> place_of_run(uuid const& test, uuid const& invocation,
                                                  uuid const& run)
{
    ASSAY_TRY(auto const cell, place_of_invocation(invocation, test));
    auto const place = grid_id::read(run, grid_kind::run);
    if (!place || place->test != cell.test || place->cell != cell.cell || place->ordinal == 0)
        return no_run();
    return *place;
}

/// The test that `in` names, if the caller may see it. An invocation of a test that is not the
/// caller's is unknown.
[[nodiscard]] inline result<projections::test_row> test_of(projections::reader const& views,
                                                           incoming const& in, uuid const& test)
{
    ASSAY_TRY(auto row, projections::get_test(views, in.who.workspace, test));
    ASSAY_CHECK(check_departments(in, row.started.departments));
    return row;
}

} // namespace assay::api
