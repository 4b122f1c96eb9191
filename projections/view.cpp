#include "projections/view.hpp"

#include "projections/answers.hpp"
#include "projections/benchmark.hpp"
#include "projections/catalog.hpp"
#include "projections/cells.hpp"
#include "projections/files.hpp"
#include "projections/grades.hpp"
#include "projections/identity.hpp"
#include "projections/notes.hpp"
#include "projections/open_cells.hpp"
#include "projections/runs.hpp"
#include "projections/tests.hpp"
#include "projections/traces.hpp"

namespace assay::projections {

std::span<view const> all_views()
{
    static std::array<view, view_count> const views{
        view_of<tests>(),    view_of<cells>(),   view_of<open_cells>(), view_of<runs>(),
        view_of<grades>(),   view_of<traces>(),  view_of<benchmark>(),  view_of<catalog>(),
        view_of<identity>(), view_of<answers>(), view_of<files>(),      view_of<notes>(),
    };
    return views;
}

} // namespace assay::projections
