#include "http/api/test_get.hpp"
#include "projections/text_match.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace assay::api {

namespace {

bool group_matches(answer_state const& a)
{
    projections::text_match const wanted(a.asked.configs_search.value_or(std::string()));
    return wanted.in(a.data->test().started.name);
}

/// Whether the one group is on the page that was asked for.
bool group_shown(answer_state const& a)
{
    return group_matches(a) && a.asked.configs_groups_page.value_or(1) == 1;
}

/// The ids that the newest trace of the run binds.
void write_bundle(json_writer& w, cell_data const& c, std::uint16_t run)
{
    auto const bound = std::find_if(c.traces.rbegin(), c.traces.rend(),
                                    [&](auto const& t) { return t.run == run; });
    if (bound == c.traces.rend())
        return;
    auto const bundle = projections::trace_bundle(*bound);
    for (auto const list : {"prompt_ids", "tool_ids", "instruction_ids"})
        if (auto const* const ids = bundle.if_contains(list))
            w.member(list, *ids);
}

void write_config(json_writer& w, test_data const& d, cell_data const& c,
                  projections::run_view const& run)
{
    auto const* const config = d.config();
    auto const& model = d.model_of(c);
    auto const& agent = d.agent_of(c);
    w.begin_object()
        .member("run_id", run.id)
        .member("group_id", d.id(grid_kind::group))
        .member("agent_name", agent.name)
        .member("model_name", model.name)
        .member("label", fmt::format("{} / {} #{}", model.name, agent.name, c.cell.position + 1))
        .member("created_at", run.row.started_at)
        .member("model_id", model.id);
    if (config) {
        auto const& parameters = config->agents[c.cell.place.agent].parameters;
        if (auto const* const t = parameters.if_contains("temperature"); t && t->is_number())
            w.member("temperature", *t);
        if (auto const* const r = parameters.if_contains("reasoning_effort"); r && r->is_string())
            w.member("reasoning", *r);
    }
    write_bundle(w, c, run.row.run);
    w.end_object();
}

void write_rows(json_writer& w, answer_state const& a)
{
    auto const& open = a.asked.configs_expanded;
    auto const group = a.data->id(grid_kind::group).text();
    if (!group_shown(a) || !open || std::ranges::find(*open, group) == open->end())
        return;
    auto left = page_size_of(a.asked.configs_expanded_page_size);
    for (auto c = a.cells.begin(); left > 0 && c != a.cells.end(); ++c)
        for (auto run = c->runs.begin(); left > 0 && run != c->runs.end(); ++run, --left)
            write_config(w, *a.data, *c, *run);
}

result<void> count_runs(answer_state& a)
{
    auto const count = [&](projections::run_view const& run) {
        ++a.runs;
        a.last_run = std::max(a.last_run.value_or(run.row.started_at), run.row.started_at);
    };
    auto const& d = *a.data;
    if (d.total() > inline_cells_max)
        return projections::visit_runs(d.views(), d.test().id, 0, [&](auto, auto const& run) {
            count(run);
            return true;
        });
    for (auto const& c : a.cells)
        std::ranges::for_each(c.runs, count);
    return {};
}

result<void> read_texts(services const& s, answer_state& a, cell_data const& c, uuid const& run)
{
    for (auto const& m : messages_of(*a.data, c)) {
        if (m.run->id != run)
            continue;
        auto text = s.engine.text(a.data->test().workspace, *m.text);
        if (text)
            a.texts.emplace(m.id, std::move(*text));
        else if (text.error().code != errc::gone)
            return std::unexpected(std::move(text.error()));
    }
    return {};
}

/// A picked run that is none, or another test's, is passed over: the picker may be out of date.
result<void> read_selected(services const& s, answer_state& a, std::string const& picked)
{
    auto const id = uuid::parse(picked);
    auto const run = id ? grid_id::read(*id, grid_kind::run) : std::nullopt;
    if (!run || run->test != a.data->test().id)
        return {};
    auto const is_it = [&](cell_data const& c) { return c.cell.cell == run->cell; };
    auto found = std::ranges::find_if(a.cells, is_it);
    if (found != a.cells.end())
        return read_texts(s, a, *found, *id);
    found = std::ranges::find_if(a.selected, is_it);
    if (found == a.selected.end()) {
        auto cell = a.data->cell(run->cell);
        if (!cell && cell.error().code == errc::not_found)
            return {};
        if (!cell)
            return std::unexpected(std::move(cell.error()));
        found = a.selected.insert(a.selected.end(), std::move(*cell));
    }
    return read_texts(s, a, *found, *id);
}

} // namespace

result<void> fill_configs(services const& s, answer_state& a)
{
    ASSAY_CHECK(count_runs(a));
    if (a.asked.configs_selected)
        for (auto const& picked : *a.asked.configs_selected)
            ASSAY_CHECK(read_selected(s, a, picked));
    return {};
}

void write_configs(json_writer& w, answer_state const& a)
{
    auto const group = a.data->id(grid_kind::group);
    w.name("configs").begin_array();
    write_rows(w, a);
    w.end_array().name("configs_groups").begin_array();
    if (group_shown(a))
        w.begin_object()
            .member("group_id", group)
            .member("name", a.data->test().started.name)
            .member("run_count", a.runs)
            .member("last_run_at", a.last_run)
            .end_object();
    w.end_array()
        .member("configs_total", a.runs)
        .member("configs_groups_total", group_matches(a) ? 1 : 0)
        .name("configs_per_group_total")
        .begin_object()
        .member(group.text(), a.runs)
        .end_object();
}

} // namespace assay::api
