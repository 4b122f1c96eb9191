#include "core/domain/decide_notes.hpp"
#include "core/domain/decide_parts.hpp"

#include <set>

namespace assay {

namespace {

using boost::json::object;

result<void> check_grid(event::test_started const& started)
{
    grid_size size{static_cast<std::uint32_t>(started.models.size()), started.scenarios,
                   static_cast<std::uint32_t>(started.agents.size()), started.repeats};
    if (size.cells() == 0)
        return fail(errc::invalid,
                    "a test needs at least one model, one scenario, one agent and one repeat",
                    "empty_grid");
    if (started.infinite && !started.max_repeats)
        return fail(errc::invalid, "an infinite test needs max_repeats", "max_repeats_missing");
    if (started.infinite) // the end must fit, too
        size.repeats = std::max(size.repeats, *started.max_repeats);
    if (size.cells() > cells_max || size.scenarios > scenarios_max)
        return fail(
            errc::invalid,
            fmt::format("a test has at most {} cells over {} scenarios", cells_max, scenarios_max),
            "grid_too_large");
    return {};
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
        ASSAY_CHECK(check_grid(c.started));
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
        if (c.run && *c.run != run)
            return wrong_run(*c.run, run);
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
        if (c.ended)
            extend(state.test, state.test.counts.queued, c.test, d);
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
        decision d{
            {{cell_stream(c.test, c.cell), event::cell_completed{run}}},
            {{"invocation_id", id_text(c.test, grid_kind::invocation, c.cell)},
             {"completion_id", id_text(c.test, grid_kind::completion, c.cell, cell.own.runs)}}};
        auto const queued = cell.status == cell_status::queued ? 1U : 0U;
        extend(state.test, state.test.counts.queued - queued, c.test, d);
        return d;
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
        return decide_grade(state, c);
    }

    result<decision> operator()(command::give_feedback const& c) const
    {
        return decide_feedback(state, c);
    }

    result<decision> operator()(command::end_cell const& c) const { return decide_end(state, c); }

    result<decision> operator()(command::note_decrypt const& c) const
    {
        return decision{{{{stream_kind::workspace, state.workspace}, c.attempt}},
                        {{"granted", c.attempt.granted}}};
    }

    result<decision> operator()(command::store_file const& c) const
    {
        return decision{{{{stream_kind::workspace, state.workspace}, c.file}},
                        {{"file_id", c.file.file.text()},
                         {"file_name", c.file.name},
                         {"row_count", c.file.rows}}};
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

    result<decision> operator()(command::change_nothing const&) const { return decision{}; }

    template <class Note>
    result<decision> operator()(Note const& c) const
    {
        return decide_note(state, c);
    }
};

} // namespace

result<decision> decide(partition_state const& state, any_command const& command)
{
    return std::visit(decider{state}, command);
}

} // namespace assay
