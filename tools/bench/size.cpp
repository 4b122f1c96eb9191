#include "projections/queries.hpp"
#include "tools/bench/harness.hpp"

#include <fmt/format.h>

namespace assay::tools::bench {

figures measure_size()
{
    reset_peak();
    ASSAY_TRY(auto w, workbench::open());
    // 10 models x 1,000 scenarios x 100 repeats.
    ASSAY_TRY(auto eval, make_plain_eval(*w, 10, 1000));
    auto const start = std::chrono::steady_clock::now();
    ASSAY_TRY(auto test, w->start({.eval = eval, .repeats = 100}));
    auto const started_ms = seconds_since(start) * 1000;

    auto const asked = std::chrono::steady_clock::now();
    auto const views = w->engine->read();
    ASSAY_TRY(auto row, projections::get_test(*views, w->who.workspace, test));
    ASSAY_TRY(auto page, projections::list_cells(*views, row, {0, 50}));
    for (auto const& cell : page.cells) {
        ASSAY_CHECK(w->engine->scenario_of(row, cell.place.scenario));
    }
    auto const page_ms = seconds_since(asked) * 1000;
    if (page.total != 1'000'000 || page.cells.size() != 50)
        return fail(errc::internal, "the grid is not what was started");
    auto const memory = peak_mib();

    std::vector<figure> out;
    out.push_back({"start of a test of 1,000,000 cells", fmt::format("{:.1f} ms", started_ms), "",
                   std::nullopt, "< 50 ms", started_ms < 50});
    out.push_back({"its first page of 50 results", fmt::format("{:.2f} ms", page_ms), "",
                   std::nullopt, "< 20 ms", page_ms < 20});
    out.push_back({"memory of the process after both", fmt::format("{:.0f} MiB", memory), "",
                   std::nullopt, "< 256 MiB", memory < 256});
    return out;
}

} // namespace assay::tools::bench
