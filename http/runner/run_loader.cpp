#include "http/runner/run_loader.hpp"

#include "events/vault.hpp"
#include "projections/queries.hpp"

#include <memory>
#include <utility>
#include <vector>

namespace assay::http {

namespace {

result<grid_place> place_of_cell(projections::reader const& views, projections::test_row const& row,
                                 std::uint32_t cell)
{
    if (cell < added_cells_from)
        return place_of(row.size(), cell);
    ASSAY_TRY(auto added, projections::get_cell(views, row, cell));
    added.place.repeat = cell; // a cell of its own: no recording answers for it
    return added.place;
}

} // namespace

result<void> run_loader::load(live_run& live)
{
    auto const& row = live.owner->row;
    auto const& config = *live.owner->config;
    auto const views = engine_.read();
    ASSAY_TRY(auto const place, place_of_cell(*views, row, live.cell));
    live.model = place.model;
    live.agent = place.agent;
    live.through = live.owner->lanes[place.model];
    ASSAY_TRY(auto scenario, engine_.scenario_of(row, place.scenario));
    ASSAY_CHECK(load_script(live, scenario));
    ASSAY_TRY(auto keys, engine_.keys().keys_of(row.workspace));
    live.cell_hash = engine::cell_hash(*keys, scenario.case_hash, config.models[place.model],
                                       config.agents[place.agent], place.repeat);
    return load_answers(live, *views);
}

result<std::string> run_loader::text_of(uuid const& workspace, content const& c)
{
    if (auto const known = texts_.find(c.address))
        return *known;
    ASSAY_TRY(auto text, engine_.text(workspace, c));
    texts_.put(c.address, std::make_shared<std::string const>(text));
    return text;
}

result<void> run_loader::load_script(live_run& live, engine::frozen_scenario const& scenario)
{
    auto const& workspace = live.owner->row.workspace;
    std::vector<spoken> script;
    for (auto const& m : scenario.messages) {
        ASSAY_TRY(auto text, text_of(workspace, m.text));
        script.push_back({m.role, std::move(text), m.text});
    }
    if (scenario.expected) {
        ASSAY_TRY(live.expected, text_of(workspace, *scenario.expected));
    }
    live.talk.emplace(live.owner->config->agents[live.agent], std::move(script));
    return {};
}

/// What this run was answered before, and with reuse what others were.
result<void> run_loader::load_answers(live_run& live, projections::reader const& views)
{
    auto const& row = live.owner->row;
    ASSAY_TRY(auto made, projections::list_calls(views, row.id, live.cell, live.run));
    for (auto const& c : made) {
        if (c.call.answer) {
            ASSAY_TRY(auto answer, engine_.text(row.workspace, *c.call.answer));
            live.answers.push_back(std::move(answer));
        }
    }
    if (live.owner->config->reuse && made.empty())
        return load_recordings(live, views);
    return {};
}

/// The calls of an earlier run of the same content, if there are as many as this one will make.
result<void> run_loader::load_recordings(live_run& live, projections::reader const& views)
{
    ASSAY_TRY(auto earlier,
              projections::find_answer(views, live.owner->row.workspace, live.cell_hash));
    if (!earlier)
        return {};
    ASSAY_TRY(auto calls,
              projections::list_calls(views, earlier->test, earlier->cell, earlier->run));
    if (calls.size() != live.talk->calls())
        return {};
    for (auto& c : calls)
        live.recordings.push_back(std::move(c.call));
    return {};
}

} // namespace assay::http
