#include "core/domain/command.hpp"

#include <fmt/format.h>

#include <set>

namespace assay {

namespace {

using boost::json::object;

stream_id test_stream(uuid const& test)
{
    return {stream_kind::test, test};
}

stream_id cell_stream(uuid const& test, std::uint32_t cell)
{
    return {stream_kind::cell, grid_id::make(test, grid_kind::invocation, cell)};
}

result<void> visible_test(partition_state const& state)
{
    if (!state.test.exists || state.test.workspace != state.workspace)
        return fail(errc::not_found, "there is no such test", "test_not_found");
    return {};
}

result<void> open_test(partition_state const& state)
{
    ASSAY_CHECK(visible_test(state));
    if (state.test.phase == test_phase::completed)
        return fail(errc::conflict, "the test is completed; nothing about it changes any more",
                    "test_completed");
    return {};
}

/// One cell that a command names, with its effective status.
struct cell_view {
    cell_state const& own;
    cell_status status;
};

result<cell_view> cell_of(partition_state const& state, std::uint32_t index)
{
    static cell_state const untouched{};
    if (!state.test.has_cell(index))
        return fail(errc::not_found, "there is no such invocation", "invocation_not_found");
    auto const found = state.cells.find(index);
    auto const& cell = found == state.cells.end() ? untouched : found->second;
    return cell_view{cell, effective_status(state.test, cell)};
}

result<cell_view> open_cell(partition_state const& state, std::uint32_t index)
{
    ASSAY_CHECK(open_test(state));
    return cell_of(state, index);
}

std::unexpected<error> wrong_status(cell_status status, std::string_view wanted)
{
    auto const name = codec::enum_name(status);
    return fail(errc::conflict, fmt::format("the invocation is {}; {}", name, wanted),
                fmt::format("invocation_{}", name));
}

std::string id_text(uuid const& test, grid_kind kind, std::uint32_t cell, std::uint16_t ordinal = 0)
{
    return grid_id::make(test, kind, cell, ordinal).text();
}

/// Counters of a cell are 16 bits wide; beyond that the cell has had its time.
result<std::uint16_t> next_ordinal(std::uint16_t last, std::string_view what)
{
    if (last == UINT16_MAX)
        return fail(errc::conflict, fmt::format("the invocation has no room for another {}", what),
                    "invocation_full");
    return static_cast<std::uint16_t>(last + 1);
}

struct decider {
    partition_state const& state;

    result<decision> operator()(command::create_workspace const& c) const
    {
        if (state.workspace_row.exists)
            return fail(errc::conflict, "the workspace is there already", "workspace_exists");
        if (c.name.empty() || c.name.size() > 200)
            return fail(errc::invalid, "a workspace's name has 1 to 200 bytes", "name_length");
        return decision{{{{stream_kind::workspace, c.id}, event::workspace_created{c.name}}},
                        {{"workspace_id", c.id.text()}}};
    }

    result<decision> operator()(command::create_api_key const& c) const
    {
        if (state.api_keys.contains(c.id) && state.api_keys.at(c.id).exists)
            return fail(errc::conflict, "the API key is there already", "api_key_exists");
        return decision{{{{stream_kind::api_key, c.id},
                          event::api_key_created{c.profile, c.name, c.secret_hash}}},
                        {{"api_key_id", c.id.text()}}};
    }

    result<decision> operator()(command::revoke_api_key const& c) const
    {
        auto const found = state.api_keys.find(c.id);
        if (found == state.api_keys.end() || !found->second.exists ||
            found->second.workspace != state.workspace)
            return fail(errc::not_found, "there is no such API key", "api_key_not_found");
        decision d{{}, {{"api_key_id", c.id.text()}, {"revoked", !found->second.revoked}}};
        if (!found->second.revoked)
            d.events.push_back({{stream_kind::api_key, c.id}, event::api_key_revoked{c.reason}});
        return d;
    }

    result<item_state> live_item(uuid const& id, item_kind kind) const
    {
        auto const found = state.items.find(id);
        if (found == state.items.end() || !found->second.exists || found->second.deleted ||
            found->second.workspace != state.workspace || found->second.kind != kind)
            return fail(errc::not_found, fmt::format("there is no such {}", codec::enum_name(kind)),
                        fmt::format("{}_not_found", codec::enum_name(kind)));
        return found->second;
    }

    result<decision> operator()(command::save_item const& c) const
    {
        stream_id const stream{stream_kind::item, c.id};
        object answer{{"id", c.id.text()}};
        if (c.create) {
            auto const found = state.items.find(c.id);
            if (found != state.items.end() && found->second.exists)
                return fail(errc::conflict, "an item with this id is there already", "item_exists");
            return decision{{{stream, c.item}}, std::move(answer)};
        }
        ASSAY_CHECK(live_item(c.id, c.item.kind));
        event::item_updated updated{c.item.kind,        c.item.name, c.item.active,
                                    c.item.departments, c.item.body, c.item.texts};
        return decision{{{stream, std::move(updated)}}, std::move(answer)};
    }

    result<decision> operator()(command::delete_item const& c) const
    {
        ASSAY_CHECK(live_item(c.id, c.kind));
        return decision{{{{stream_kind::item, c.id}, event::item_deleted{c.kind}}},
                        {{"id", c.id.text()}}};
    }

    result<decision> operator()(command::start_test const& c) const
    {
        if (state.test.exists)
            return fail(errc::conflict, "a test with this id is there already", "test_exists");
        grid_size const size{
            static_cast<std::uint32_t>(c.started.models.size()), c.started.scenarios,
            static_cast<std::uint32_t>(c.started.agents.size()), c.started.repeats};
        if (size.cells() == 0)
            return fail(errc::invalid,
                        "a test needs at least one model, one scenario, one agent and one repeat",
                        "empty_grid");
        if (size.cells() > cells_max || size.scenarios > scenarios_max)
            return fail(errc::invalid,
                        fmt::format("a test has at most {} cells over {} scenarios", cells_max,
                                    scenarios_max),
                        "grid_too_large");
        return decision{{{test_stream(c.test), c.started}},
                        {{"test_id", c.test.text()},
                         {"invocation_id", id_text(c.test, grid_kind::invocation, 0)},
                         {"benchmark_id", grid_id::make(c.test, grid_kind::benchmark).text()}}};
    }

    result<decision> operator()(command::stop_test const& c) const
    {
        ASSAY_CHECK(open_test(state));
        auto const& counts = state.test.counts;
        if (state.test.phase == test_phase::stopped && counts.queued == 0)
            return decision{
                {}, {{"test_id", c.test.text()}, {"queued", 0}, {"running", 0}, {"already", true}}};
        object answer{{"test_id", c.test.text()},
                      {"queued", counts.queued},
                      {"running", counts.running},
                      {"already", false}};
        if (c.first_open && counts.open() > 0)
            answer["invocation_id"] = c.first_open->text();
        return decision{{{test_stream(c.test), event::test_stopped{counts.queued, counts.running}}},
                        std::move(answer)};
    }

    result<decision> operator()(command::complete_test const& c) const
    {
        ASSAY_CHECK(open_test(state));
        auto const& counts = state.test.counts;
        return decision{
            {{test_stream(c.test), event::test_completed{counts.completed, counts.open()}}},
            {{"test_id", c.test.text()},
             {"completed_count", counts.completed},
             {"terminated", counts.open()}}};
    }

    result<decision> operator()(command::archive_test const& c) const
    {
        ASSAY_CHECK(visible_test(state));
        bool const wanted = c.archived.value_or(!state.test.archived);
        decision d{{}, {{"test_id", c.test.text()}, {"changed", wanted != state.test.archived}}};
        if (wanted != state.test.archived)
            d.events.push_back({test_stream(c.test), event::test_archived{wanted}});
        return d;
    }

    result<decision> operator()(command::begin_runs const& c) const
    {
        ASSAY_CHECK(visible_test(state));
        decision d;
        boost::json::array begun;
        std::set<std::uint32_t> named;
        for (auto const index : c.cells) {
            ASSAY_TRY(auto cell, cell_of(state, index));
            // A cell added to a stopped test is queued and waits until somebody fires it.
            if (cell.status != cell_status::queued || cell.own.runs == UINT16_MAX ||
                state.test.phase != test_phase::running || !named.insert(index).second)
                continue;
            auto const run = static_cast<std::uint16_t>(cell.own.runs + 1);
            d.events.push_back({cell_stream(c.test, index), event::run_started{run}});
            begun.push_back({index, run});
        }
        d.answer["begun"] = std::move(begun);
        return d;
    }

    result<decision> operator()(command::run_cell const& c) const
    {
        ASSAY_TRY(auto cell, open_cell(state, c.cell));
        if (cell.status == cell_status::running)
            return wrong_status(cell.status, "it can be fired again when that run has ended");
        if (cell.status == cell_status::completed)
            return wrong_status(cell.status, "only a queued, failed or terminated one can be run");
        ASSAY_TRY(auto run, next_ordinal(cell.own.runs, "run"));
        decision d;
        if (state.test.phase == test_phase::stopped)
            d.events.push_back({test_stream(c.test), event::test_reopened{}});
        d.events.push_back({cell_stream(c.test, c.cell), event::run_started{run}});
        d.answer = {{"invocation_id", id_text(c.test, grid_kind::invocation, c.cell)},
                    {"run_id", id_text(c.test, grid_kind::run, c.cell, run)}};
        return d;
    }

    result<decision> operator()(command::record_progress const& c) const
    {
        ASSAY_CHECK(visible_test(state));
        ASSAY_TRY(auto cell, cell_of(state, c.cell));
        if (c.run == 0 || c.run > cell.own.runs)
            return fail(errc::not_found, "there is no such run", "run_not_found");

        auto const stream = cell_stream(c.test, c.cell);
        bool const open =
            cell.status == cell_status::running && cell.own.run_open && cell.own.runs == c.run;
        decision d{{}, {{"open", open}}};
        if (state.test.phase == test_phase::completed)
            return d; // what comes in after the terminal write changes nothing any more
        // A call that came back after its run was cut off was paid for: it is recorded, and changes nothing.
        if (c.call) {
            ASSAY_TRY(auto ordinal, next_ordinal(cell.own.calls, "call"));
            auto call = *c.call;
            call.run = c.run;
            call.call = ordinal;
            d.events.push_back({stream, std::move(call)});
        }
        if (!open)
            return d;
        if (c.ended) {
            auto ended = *c.ended;
            ended.run = c.run;
            d.events.push_back({stream, std::move(ended)});
        }
        if (c.grade) {
            ASSAY_TRY(auto ordinal, next_ordinal(cell.own.grades, "grade"));
            auto grade = *c.grade;
            grade.grade = ordinal;
            grade.run = c.run;
            d.events.push_back({stream, std::move(grade)});
        }
        if (c.grading_failed) {
            auto failed = *c.grading_failed;
            failed.run = c.run;
            d.events.push_back({stream, std::move(failed)});
        }
        return d;
    }

    result<decision> operator()(command::fail_cells const& c) const
    {
        ASSAY_CHECK(visible_test(state));
        decision d;
        std::uint64_t failed = 0;
        std::set<std::uint32_t> named;
        for (auto const index : c.cells) {
            ASSAY_TRY(auto cell, cell_of(state, index));
            if (cell.status != cell_status::queued || !named.insert(index).second)
                continue;
            d.events.push_back({cell_stream(c.test, index), event::cell_failed{c.reason}});
            ++failed;
        }
        d.answer["failed"] = failed;
        return d;
    }

    result<decision> operator()(command::terminate_cell const& c) const
    {
        ASSAY_TRY(auto cell, open_cell(state, c.cell));
        object answer{{"invocation_id", id_text(c.test, grid_kind::invocation, c.cell)}};
        if (cell.own.runs > 0)
            answer["run_id"] = id_text(c.test, grid_kind::run, c.cell, cell.own.runs);
        if (cell.status == cell_status::terminated) {
            answer["already"] = true;
            return decision{{}, std::move(answer)};
        }
        if (cell.status != cell_status::running && cell.status != cell_status::queued)
            return wrong_status(cell.status, "only a queued or running one can be terminated");
        auto const run = cell.status == cell_status::running ? cell.own.runs : std::uint16_t{0};
        return decision{{{cell_stream(c.test, c.cell), event::cell_terminated{run}}},
                        std::move(answer)};
    }

    result<decision> operator()(command::complete_cell const& c) const
    {
        ASSAY_TRY(auto cell, open_cell(state, c.cell));
        if (cell.status != cell_status::running && cell.status != cell_status::queued)
            return wrong_status(cell.status,
                                "only a queued or running one can be completed by hand");
        auto const run = cell.status == cell_status::running ? cell.own.runs : std::uint16_t{0};
        return decision{
            {{cell_stream(c.test, c.cell), event::cell_completed{run}}},
            {{"invocation_id", id_text(c.test, grid_kind::invocation, c.cell)},
             {"completion_id", id_text(c.test, grid_kind::completion, c.cell, cell.own.runs)}}};
    }

    result<decision> operator()(command::add_cell const& c) const
    {
        ASSAY_CHECK(open_test(state));
        auto const& size = state.test.size;
        if (c.cell.model >= size.models || c.cell.agent >= size.agents ||
            c.cell.scenario >= size.scenarios)
            return fail(errc::invalid, "the model, agent or scenario is not part of this test",
                        "not_in_grid");
        if (state.test.added >= cells_max)
            return fail(errc::conflict, "the test has no room for another invocation", "test_full");
        auto const index = added_cells_from + state.test.added;
        return decision{{{cell_stream(c.test, index), c.cell}},
                        {{"invocation_id", id_text(c.test, grid_kind::invocation, index)}}};
    }

    result<decision> operator()(command::grade_cell const& c) const
    {
        ASSAY_TRY(auto cell, open_cell(state, c.cell));
        if (cell.status != cell_status::completed)
            return wrong_status(cell.status, "only a completed one can be graded");
        auto const run = c.run.value_or(cell.own.runs);
        if (c.run && (run == 0 || run > cell.own.runs))
            return fail(errc::not_found, "there is no such run", "run_not_found");
        auto const total = state.test.total_points;
        if (!c.full && !c.score)
            return fail(errc::invalid, "give a score, or full: true", "score_missing");
        auto const score = c.full ? std::int64_t{total} : *c.score;
        if (score < 0 || score > total)
            return fail(errc::invalid, fmt::format("the score must be from 0 to {}", total),
                        "score_out_of_range");
        ASSAY_TRY(auto ordinal, next_ordinal(cell.own.grades, "grade"));

        event::grade_recorded grade;
        grade.grade = ordinal;
        grade.run = run;
        grade.score_ppm =
            total == 0 ? 0 : static_cast<std::uint32_t>(score * 1'000'000 / std::int64_t{total});
        grade.total_points = total;
        grade.pass_points = state.test.pass_points;
        grade.passed = score >= state.test.pass_points;
        grade.grader = "person";
        object answer{{"grade_id", id_text(c.test, grid_kind::grade, c.cell, ordinal)},
                      {"invocation_id", id_text(c.test, grid_kind::invocation, c.cell)},
                      {"score", score},
                      {"total_points", total},
                      {"pass_points", state.test.pass_points},
                      {"passed", grade.passed}};
        return decision{{{cell_stream(c.test, c.cell), std::move(grade)}}, std::move(answer)};
    }

    result<decision> operator()(command::give_feedback const& c) const
    {
        ASSAY_TRY(auto cell, open_cell(state, c.cell));
        if (c.grade == 0 || c.grade > cell.own.grades)
            return fail(errc::not_found, "there is no such grade", "grade_not_found");
        auto const& groups = state.test.standards;
        if (std::none_of(groups.begin(), groups.end(),
                         [&](auto const& g) { return g.id == c.standard_group; }))
            return fail(errc::invalid, "the standard group is not part of this grade's rubric",
                        "standard_group_unknown");
        if (c.score > 5)
            return fail(errc::invalid, "the score must be from 1 to 5", "score_out_of_range");
        auto const call = grid_id::read(c.call, grid_kind::call);
        bool const implicit_call = call && call->ordinal == 0; // of a cell closed without a call
        if (!call || call->test != c.test || call->cell != c.cell ||
            (!implicit_call && call->ordinal > cell.own.calls))
            return fail(errc::not_found, "there is no such tool call in this invocation",
                        "tool_call_not_found");
        ASSAY_TRY(auto ordinal, next_ordinal(cell.own.feedbacks, "feedback"));
        event::feedback_recorded feedback{ordinal,          c.grade, c.call,
                                          c.standard_group, c.score, c.text};
        return decision{{{cell_stream(c.test, c.cell), std::move(feedback)}},
                        {{"feedback_id", id_text(c.test, grid_kind::feedback, c.cell, ordinal)},
                         {"grade_id", id_text(c.test, grid_kind::grade, c.cell, c.grade)},
                         {"tool_call_id", c.call.text()},
                         {"standard_group_id", c.standard_group.text()},
                         {"score", c.score}}};
    }

    result<decision> operator()(command::open_trace const& c) const
    {
        ASSAY_TRY(auto cell, open_cell(state, c.cell));
        if (c.run > cell.own.runs)
            return fail(errc::not_found, "there is no such run", "run_not_found");
        ASSAY_TRY(auto ordinal, next_ordinal(cell.own.traces, "trace"));
        return decision{
            {{cell_stream(c.test, c.cell), event::trace_opened{ordinal, c.run, c.bundle, c.texts}}},
            {{"trace_id", id_text(c.test, grid_kind::trace, c.cell, ordinal)}}};
    }
};

struct footprinter {
    uuid workspace;

    static footprint cells(uuid const& test, std::vector<std::uint32_t> const& indexes)
    {
        footprint f{test, {test_stream(test)}};
        for (auto const index : indexes)
            f.streams.push_back(cell_stream(test, index));
        return f;
    }

    footprint operator()(command::create_workspace const& c) const
    {
        return {c.id, {{stream_kind::workspace, c.id}}};
    }

    footprint operator()(command::create_api_key const& c) const
    {
        return {workspace, {{stream_kind::api_key, c.id}}};
    }

    footprint operator()(command::revoke_api_key const& c) const
    {
        return {workspace, {{stream_kind::api_key, c.id}}};
    }

    footprint operator()(command::save_item const& c) const
    {
        return {workspace, {{stream_kind::item, c.id}}};
    }

    footprint operator()(command::delete_item const& c) const
    {
        return {workspace, {{stream_kind::item, c.id}}};
    }

    footprint operator()(command::begin_runs const& c) const { return cells(c.test, c.cells); }

    footprint operator()(command::fail_cells const& c) const { return cells(c.test, c.cells); }

    template <class Command>
    footprint operator()(Command const& c) const
    {
        if constexpr (requires { std::uint32_t{c.cell}; })
            return cells(c.test, {c.cell});
        else
            return cells(c.test, {});
    }
};

} // namespace

footprint footprint_of(any_command const& command, uuid const& workspace)
{
    return std::visit(footprinter{workspace}, command);
}

result<decision> decide(partition_state const& state, any_command const& command)
{
    return std::visit(decider{state}, command);
}

} // namespace assay
