#include "http/api/test_data.hpp"

#include <algorithm>

namespace assay::api {

result<std::shared_ptr<test_data>> test_data::open(services const& s, incoming const& in,
                                                   std::shared_ptr<projections::reader const> views,
                                                   uuid const& test)
{
    std::shared_ptr<test_data> out(new test_data(s.engine, std::move(views)));
    ASSAY_TRY(out->test_, projections::get_test(*out->views_, in.who.workspace, test));
    ASSAY_CHECK(check_departments(in, out->test_.started.departments));
    ASSAY_TRY(out->counts_, projections::get_test_counts(*out->views_, test));
    auto config = s.engine.config_of(out->test_);
    if (config)
        out->config_ = std::move(*config);
    else if (config.error().code != errc::gone)
        return std::unexpected(std::move(config.error()));
    return out;
}

result<std::optional<uuid>> test_data::scenario_id(std::uint32_t number)
{
    auto const chunk = number / engine::scenario_chunk;
    auto found = chunks_.find(chunk);
    if (found == chunks_.end()) {
        auto read = engine_.scenarios_of(test_, chunk);
        if (!read && read.error().code != errc::gone)
            return std::unexpected(std::move(read.error()));
        found = chunks_.emplace(chunk, read ? std::move(*read) : nullptr).first;
    }
    auto const at = number % engine::scenario_chunk;
    if (!found->second || at >= found->second->size())
        return std::nullopt;
    return (*found->second)[at].id;
}

result<void> test_data::read_runs_and_grades(std::vector<cell_data>& cells)
{
    auto const first_touched =
        std::ranges::find_if(cells, [](cell_data const& c) { return c.cell.touched; });
    if (first_touched == cells.end())
        return {};
    auto const from = first_touched->cell.cell;
    auto const last = cells.back().cell.cell;
    // Rows and cells ascend alike: one pass over both.
    auto at = first_touched;
    auto const seek = [&](std::uint32_t cell) {
        while (at != cells.end() && at->cell.cell < cell)
            ++at;
        return at != cells.end() && at->cell.cell == cell;
    };
    ASSAY_CHECK(projections::visit_runs(*views_, test_.id, from,
                                        [&](std::uint32_t cell, projections::run_view const& run) {
                                            if (cell > last)
                                                return false;
                                            if (seek(cell))
                                                at->runs.push_back(run);
                                            return true;
                                        }));
    at = first_touched;
    return projections::visit_grades(*views_, test_.id, from,
                                     [&](std::uint32_t cell, projections::grade_row const& grade) {
                                         if (cell > last)
                                             return false;
                                         if (seek(cell))
                                             at->grades.push_back(grade);
                                         return true;
                                     });
}

result<void> test_data::read_remarks(cell_data& c)
{
    auto const number = c.cell.cell;
    if (c.cell.row.own.traces > 0) {
        ASSAY_TRY(c.traces, projections::list_traces(*views_, test_.id, number));
    }
    if (c.cell.row.own.feedbacks == 0)
        return {};
    ASSAY_TRY(c.feedback, projections::list_feedback(*views_, test_.id, number));
    for (auto const& f : c.feedback) {
        auto& comment = c.comments.emplace_back();
        if (!f.feedback.text)
            continue;
        auto text = engine_.text(test_.workspace, *f.feedback.text);
        if (text)
            comment = std::move(*text);
        else if (text.error().code != errc::gone)
            return std::unexpected(std::move(text.error()));
    }
    return {};
}

result<std::vector<cell_data>> test_data::cells(projections::page const& page, bool deep)
{
    ASSAY_TRY(auto listed, projections::list_cells(*views_, test_, page));
    std::vector<cell_data> out;
    out.reserve(listed.cells.size());
    for (auto& cell : listed.cells) {
        auto& c = out.emplace_back();
        c.cell = std::move(cell);
        ASSAY_TRY(c.scenario, scenario_id(c.cell.place.scenario));
    }
    if (!deep)
        return out;
    ASSAY_CHECK(read_runs_and_grades(out));
    for (auto& c : out)
        ASSAY_CHECK(read_remarks(c));
    return out;
}

result<cell_data> test_data::cell(std::uint32_t number)
{
    cell_data c;
    ASSAY_TRY(c.cell, projections::get_cell(*views_, test_, number));
    ASSAY_TRY(c.scenario, scenario_id(c.cell.place.scenario));
    ASSAY_TRY(c.runs, projections::list_runs(*views_, test_.id, number));
    ASSAY_TRY(c.grades, projections::list_grades(*views_, test_.id, number));
    ASSAY_CHECK(read_remarks(c));
    return c;
}

} // namespace assay::api
