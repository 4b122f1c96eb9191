#pragma once

#include "core/domain/command.hpp"

#include <initializer_list>
#include <string>
#include <vector>

/// Histories to decide on, and outcomes as one line of text.
namespace assay::test {

inline uuid const workspace = uuid::parse("0192f0c0-0000-7000-8000-000000000001").value();
inline uuid const other_workspace = uuid::parse("0192f0c0-0000-7000-8000-000000000002").value();
inline uuid const test_id = grid_id::test_id(derive_uuid("the test"));
inline uuid const group_id = derive_uuid("accuracy");

using history = std::vector<draft>;

inline draft of_test(event_body body)
{
    return {{stream_kind::test, test_id}, std::move(body)};
}

inline draft of_cell(std::uint32_t cell, event_body body)
{
    return {{stream_kind::cell, grid_id::make(test_id, grid_kind::invocation, cell)},
            std::move(body)};
}

inline draft of_item(uuid const& id, event_body body)
{
    return {{stream_kind::item, id}, std::move(body)};
}

inline draft of_note(uuid const& id, event_body body)
{
    return {{stream_kind::note, id}, std::move(body)};
}

/// A grid of `models` x `scenarios` x 1 agent; 10 points, 6 to pass, one standard group.
inline event::test_started a_grid(std::uint32_t models, std::uint32_t scenarios,
                                  std::uint32_t repeats = 1)
{
    event::test_started e;
    for (std::uint32_t i = 0; i < models; ++i)
        e.models.push_back({derive_uuid("model " + std::to_string(i)), "model"});
    e.agents.push_back({derive_uuid("agent"), "agent"});
    e.scenarios = scenarios;
    e.repeats = repeats;
    e.total_points = 10;
    e.pass_points = 6;
    e.standards.push_back({group_id, "accuracy", 5, 3});
    return e;
}

inline event::run_ended ended(std::uint16_t run, outcome how)
{
    event::run_ended e;
    e.run = run;
    e.outcome = how;
    return e;
}

inline event::call_recorded call(std::uint16_t run, std::uint16_t ordinal)
{
    event::call_recorded e;
    e.run = run;
    e.call = ordinal;
    return e;
}

inline event::grade_recorded grade(std::uint16_t ordinal, std::uint16_t run)
{
    event::grade_recorded e;
    e.grade = ordinal;
    e.run = run;
    return e;
}

inline command::record_progress progress(std::uint32_t cell, std::uint16_t run)
{
    command::record_progress c;
    c.test = test_id;
    c.cell = cell;
    c.run = run;
    return c;
}

inline command::grade_cell grading(std::uint32_t cell, std::optional<std::int64_t> score,
                                   std::optional<std::uint16_t> run = {})
{
    command::grade_cell c;
    c.test = test_id;
    c.cell = cell;
    c.run = run;
    c.score = score;
    return c;
}

inline command::give_feedback remark(std::uint32_t cell, std::uint16_t on_grade,
                                     uuid const& on_call, uuid const& on_group = group_id,
                                     std::uint8_t score = 3)
{
    command::give_feedback c;
    c.test = test_id;
    c.cell = cell;
    c.grade = on_grade;
    c.call = on_call;
    c.standard_group = on_group;
    c.score = score;
    return c;
}

inline command::open_trace tracing(std::uint32_t cell, std::uint16_t run)
{
    command::open_trace c;
    c.test = test_id;
    c.cell = cell;
    c.run = run;
    return c;
}

inline command::start_test starting(event::test_started const& e)
{
    return {test_id, e};
}

/// The state that `events` lead to, seen by a command of `asker`.
inline partition_state replay(history const& events, uuid const& asker = workspace)
{
    partition_state state;
    state.workspace = asker;
    for (auto const& e : events)
        apply(state, e.stream, e.body, {workspace, {}});
    return state;
}

/// "0:run_started 1": the cell, the event and the number that matters in it.
inline std::string describe(draft const& d)
{
    std::string const cell =
        d.stream.kind == stream_kind::cell
            ? std::to_string(grid_id::read(d.stream.id, grid_kind::invocation).value().cell) + ":"
            : "";
    auto const with = [](char const* name, auto... numbers) {
        std::string out(name);
        ((out += " " + std::to_string(numbers)), ...);
        return out;
    };
    return cell +
           std::visit(
               overloaded{
                   [&](event::workspace_created const&) { return with("workspace_created"); },
                   [&](event::api_key_created const&) { return with("api_key_created"); },
                   [&](event::api_key_revoked const&) { return with("api_key_revoked"); },
                   [&](event::item_created const&) { return with("item_created"); },
                   [&](event::item_updated const&) { return with("item_updated"); },
                   [&](event::item_deleted const&) { return with("item_deleted"); },
                   [&](event::test_started const&) { return with("test_started"); },
                   [&](event::test_stopped const& e) {
                       return with("test_stopped", e.queued, e.running);
                   },
                   [&](event::test_reopened const&) { return with("test_reopened"); },
                   [&](event::test_completed const& e) {
                       return with("test_completed", e.completed, e.terminated);
                   },
                   [&](event::test_archived const& e) {
                       return with("test_archived", int{e.archived});
                   },
                   [&](event::cell_added const&) { return with("cell_added"); },
                   [&](event::run_started const& e) { return with("run_started", e.run); },
                   [&](event::call_recorded const& e) {
                       return with("call_recorded", e.run, e.call);
                   },
                   [&](event::run_ended const& e) { return with("run_ended", e.run); },
                   [&](event::cell_failed const&) { return with("cell_failed"); },
                   [&](event::cell_terminated const& e) { return with("cell_terminated", e.run); },
                   [&](event::cell_completed const& e) { return with("cell_completed", e.run); },
                   [&](event::grade_recorded const& e) {
                       return with("grade_recorded", e.run, e.grade);
                   },
                   [&](event::grading_failed const& e) { return with("grading_failed", e.run); },
                   [&](event::feedback_recorded const& e) {
                       return with("feedback_recorded", e.grade, e.feedback);
                   },
                   [&](event::trace_opened const& e) {
                       return with("trace_opened", e.run, e.trace);
                   },
                   [&](event::decrypt_attempted const& e) {
                       return with("decrypt_attempted", int{e.granted});
                   },
                   [&](event::file_stored const& e) { return with("file_stored", e.rows); },
                   [&](event::test_extended const& e) {
                       return with("test_extended", e.repeats, e.cells);
                   },
                   [&](event::draft_saved const& e) {
                       return with("draft_saved", e.set.size(), e.texts.size());
                   },
                   [&](event::group_opened const&) { return with("group_opened"); },
                   [&](event::group_titled const& e) { return "group_titled " + e.title; },
                   [&](event::problem_reported const&) { return with("problem_reported"); },
                   [&](event::write_staged const& e) { return "write_staged " + e.operation; },
                   [&](event::write_accepted const&) { return with("write_accepted"); },
                   [&](event::write_rejected const&) { return with("write_rejected"); },
               },
               d.body);
}

/// What was decided: the reason of a refusal, the events, or "nothing".
inline std::string outcome_of(result<decision> const& made)
{
    if (!made)
        return made.error().reason;
    std::string out;
    for (auto const& d : made->events)
        out += (out.empty() ? "" : ", ") + describe(d);
    return out.empty() ? "nothing" : out;
}

} // namespace assay::test
