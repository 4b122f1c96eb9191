#include "http/api/test_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace assay::api {

namespace {

void write_standard_scores(json_writer& w, test_data const& d,
                           std::vector<event::standard_score> const& scores)
{
    w.begin_array();
    for (auto const& s : scores) {
        auto const* const group = group_of(d, s.group);
        w.begin_object()
            .null("id")
            .null("standard_id")
            .member("standard_group_id", s.group)
            .member("total", points_of(s.score_ppm, group ? group->points : 1))
            .null("feedback")
            .member("passed", s.passed)
            .end_object();
    }
    w.end_array();
}

std::optional<uuid> rubric_id(test_data const& d)
{
    auto const& rubric = d.test().started.rubric;
    return rubric ? std::optional(rubric->id) : std::nullopt;
}

void write_rubric_structure(json_writer& w, test_data const& d)
{
    auto const* const config = d.config();
    if (!d.test().started.rubric) {
        w.null("rubric_structure");
        return;
    }
    w.name("rubric_structure").begin_object().name("standard_groups").begin_object();
    for (auto const& g : d.test().started.standards)
        w.name(g.id.text()).begin_array().end_array();
    w.end_object().name("standard_groups_mapping").begin_object();
    for (auto const& g : d.test().started.standards) {
        w.name(g.id.text())
            .begin_object()
            .member("standard_group_id", g.id)
            .member("name", g.name)
            .member("points", g.points)
            .member("pass_points", g.pass_points);
        if (config && config->rubric)
            for (auto const& s : config->rubric->standards)
                if (s.id == g.id)
                    w.member("description", s.description);
        w.end_object();
    }
    w.end_object().name("standards_mapping").begin_object().end_object().end_object();
}

/// The newest grade of a run.
projections::grade_row const* grade_of(cell_data const& c, std::uint16_t run)
{
    for (auto g = c.grades.rbegin(); g != c.grades.rend(); ++g)
        if (g->grade.run == run)
            return &*g;
    return nullptr;
}

void write_feedback_row(json_writer& w, test_data const& d, cell_data const& c, std::size_t index)
{
    auto const& f = c.feedback[index].feedback;
    w.begin_object()
        .member("id", d.id(grid_kind::feedback, c.cell.cell, f.feedback))
        .null("standard_id")
        .member("standard_group_id", group_id_of(f));
    if (f.score > 0)
        w.member("total", static_cast<int>(f.score));
    else
        w.null("total");
    w.member("feedback", c.comments[index]).end_object();
}

void write_grading(json_writer& w, test_data const& d, cell_data const& c,
                   projections::grade_row const& row)
{
    auto const& g = row.grade;
    w.name("grade")
        .begin_object()
        .member("score", points_of(g.score_ppm, g.total_points))
        .member("passed", g.passed)
        .member("description", g.grader)
        .member("time_taken", seconds_of(g.time_taken_us))
        .member("total_points", g.total_points)
        .member("pass_points", g.pass_points)
        .end_object();
    w.name("grading_state").begin_object().name("achieved_standards").begin_object();
    for (auto const& s : g.standards) {
        auto const* const group = group_of(d, s.group);
        w.member(s.group.text(), points_of(s.score_ppm, group ? group->points : 1));
    }
    w.end_object().name("passed_standards").begin_object();
    for (auto const& s : g.standards)
        w.member(s.group.text(), s.passed);
    w.end_object().name("feedback_by_standard_id").begin_object();
    std::vector<uuid> told;
    for (auto i = c.feedback.size(); i-- > 0;) {
        auto const& f = c.feedback[i].feedback;
        if (f.grade != g.grade || f.standard_group.nil() ||
            std::ranges::find(told, f.standard_group) != told.end())
            continue;
        told.push_back(f.standard_group); // the newest remark of each group
        w.member(f.standard_group.text(), c.comments[i]);
    }
    w.end_object().end_object().name("feedbacks").begin_array();
    for (std::size_t i = 0; i < c.feedback.size(); ++i)
        if (c.feedback[i].feedback.grade == g.grade)
            write_feedback_row(w, d, c, i);
    w.end_array();
}

void write_run_detail(json_writer& w, test_data const& d, cell_data const& c,
                      projections::run_view const& run, std::vector<message_place> const& messages)
{
    auto const* const grade = grade_of(c, run.row.run);
    w.begin_object()
        .member("run_id", run.id)
        .member("binding_id", run.id)
        .member("created_at", run.row.started_at)
        .member("completed", run.row.ended_at.has_value());
    if (grade) {
        w.member("grade_id", d.id(grid_kind::grade, c.cell.cell, grade->grade.grade));
        write_grading(w, d, c, *grade);
    } else {
        w.null("grade_id").null("grade").null("grading_state");
        w.name("feedbacks").begin_array().end_array();
    }
    w.name("analyses").begin_array().end_array();
    w.name("message_ids").begin_array();
    for (auto const& m : messages)
        if (m.run == &run)
            w.value(m.id);
    w.end_array().member("call_ids", call_ids_of(d, c, run));
    if (run.row.outcome)
        w.member("outcome", codec::enum_name(*run.row.outcome));
    if (!run.row.error_code.empty())
        w.member("error_code", run.row.error_code);
    w.end_object();
}

} // namespace

std::int64_t seconds_of(std::uint64_t us)
{
    constexpr std::int64_t second_us = 1'000'000;
    return static_cast<std::int64_t>((us + second_us - 1) / second_us);
}

event::standard_group const* group_of(test_data const& d, uuid const& id)
{
    auto const& groups = d.test().started.standards;
    auto const found = std::ranges::find(groups, id, &event::standard_group::id);
    return found == groups.end() ? nullptr : &*found;
}

double points_of(std::uint32_t score_ppm, std::uint32_t total)
{
    auto const exact = static_cast<double>(score_ppm) * total / 1e6;
    auto const whole = std::round(exact);
    // Millionths are cut off when a score is stored: what is within one of them of a whole number
    // was one.
    if (std::abs(exact - whole) <= static_cast<double>(total) * 1e-6)
        return whole;
    return std::round(exact * 1e4) / 1e4;
}

std::string decimal_of_pico(std::int64_t pico)
{
    constexpr std::int64_t unit = 1'000'000'000'000;
    auto const sign = pico < 0 ? "-" : "";
    auto const magnitude = pico < 0 ? -pico : pico;
    auto text = fmt::format("{}{}.{:012}", sign, magnitude / unit, magnitude % unit);
    while (text.ends_with('0'))
        text.pop_back();
    if (text.ends_with('.'))
        text.pop_back();
    return text;
}

std::string_view word_of(test_phase phase)
{
    return codec::enum_name(phase);
}

void write_bound_ids(json_writer& w, cell_data const& c)
{
    if (c.traces.empty())
        return;
    auto const bundle = projections::trace_bundle(c.traces.back());
    for (auto const& [list, member] : {std::pair{"quality_ids", "quality_id"},
                                       {"voice_ids", "voice_id"},
                                       {"temperature_level_ids", "temperature_level_id"},
                                       {"reasoning_level_ids", "reasoning_level_id"}}) {
        auto const* const ids = bundle.if_contains(list);
        if (ids && ids->is_array() && !ids->get_array().empty())
            w.member(member, ids->get_array().front());
    }
    if (auto const* const ids = bundle.if_contains("modality_ids"))
        w.member("modality_ids", *ids);
}

void write_test(json_writer& w, test_data const& d)
{
    auto const& t = d.test();
    w.begin_object()
        .member("test_id", t.id)
        .null("call_id")
        .member("eval_id", t.started.eval)
        .member("profile_id", t.profile.nil() ? std::nullopt : std::optional(t.profile))
        .member("department_ids", t.started.departments)
        .member("test_name", t.started.name)
        .null("test_description")
        .member("num_invocations", d.total())
        .member("infinite_mode", t.started.infinite)
        .member("is_dynamic", false)
        .member("archived", t.archived)
        .member("test_created_at", t.started_at)
        .member("repeats", t.started.repeats)
        .member("drive", codec::enum_name(t.started.drive))
        .end_object();
}

void write_scores(json_writer& w, test_data const& d, cell_data const& c)
{
    if (c.cell.row.grade)
        write_standard_scores(w, d, c.cell.row.grade->standards);
    else
        w.begin_array().end_array();
}

void write_invocation(json_writer& w, test_data const& d, cell_data const& c)
{
    auto const& row = c.cell.row;
    auto const& added = row.added;
    w.begin_object()
        .member("invocation_id", c.cell.invocation)
        .member("test_id", d.test().id)
        .member("group_id", d.id(grid_kind::group))
        .member("invocation_created_at", c.cell.created_at)
        .member("invocation_title",
                added && !added->title.empty() ? std::optional(added->title) : std::nullopt)
        .member("use_custom", added && added->custom)
        .member("position", c.cell.position)
        .member("invocation_completed", c.cell.status == cell_status::completed);
    if (row.grade) {
        w.member("grade_id", d.id(grid_kind::grade, c.cell.cell, row.grade->grade))
            .member("grade_score", points_of(row.grade->score_ppm, row.grade->total_points))
            .member("grade_passed", row.grade->passed)
            .member("grade_time_taken", static_cast<double>(row.grade->time_taken_us) / 1e6);
    } else {
        w.null("grade_id").null("grade_score").null("grade_passed").null("grade_time_taken");
    }
    w.member("rubric_id", rubric_id(d));
    w.name("agent_ids").begin_array().value(d.agent_of(c).id).end_array();
    write_bound_ids(w, c);
    w.member("department_ids", d.test().started.departments)
        .member("status", codec::enum_name(c.cell.status))
        .member("model_id", d.model_of(c).id)
        .member("scenario_id", c.scenario)
        .member("repeat", c.cell.place.repeat);
    w.name("scores");
    write_scores(w, d, c);
    if (row.outcome)
        w.member("outcome", codec::enum_name(*row.outcome));
    if (!row.error_code.empty())
        w.member("error_code", row.error_code);
    if (row.grading_error)
        w.member("grading_error", *row.grading_error);
    w.end_object();
}

void write_run_item(json_writer& w, test_data const& d, cell_data const& c)
{
    auto const& own = c.cell.row.own;
    auto const run =
        own.runs > 0 ? std::optional(d.id(grid_kind::run, c.cell.cell, own.runs)) : std::nullopt;
    w.begin_object()
        .member("chat_id", c.cell.invocation)
        .member("invocation_id", c.cell.invocation)
        .member("run_id", run)
        .member("group_id", d.id(grid_kind::group))
        .null("suite_entry_id")
        .member("model_name", d.model_of(c).name)
        .member("agent_name", d.agent_of(c).name)
        .member("status", codec::enum_name(c.cell.status));
    if (auto const& g = c.cell.row.grade)
        w.member("grade_score", points_of(g->score_ppm, g->total_points))
            .member("grade_passed", g->passed);
    else
        w.null("grade_score").null("grade_passed");
    w.end_object();
}

void write_status_summary(json_writer& w, projections::test_counts const& counts,
                          std::uint64_t total)
{
    auto const& c = counts.counts;
    auto const& o = counts.outcomes;
    w.begin_object()
        .member("total", total)
        .member("completed", c.completed + c.failed + c.terminated)
        .member("in_progress", c.running)
        .member("not_started", c.queued)
        .member("completed_cells", c.completed)
        .member("failed", c.failed)
        .member("terminated", c.terminated)
        .member("queued", c.queued)
        .member("running", c.running)
        .member("graded", counts.graded)
        .member("passed", counts.passed)
        .member("calls", counts.calls);
    w.name("outcomes")
        .begin_object()
        .member("completed", o.completed)
        .member("refused", o.refused)
        .member("provider_error", o.provider_error)
        .member("timeout", o.timeout)
        .member("not_recorded", o.not_recorded)
        .member("terminated", o.terminated)
        .member("grader_error", counts.grader_errors)
        .end_object()
        .end_object();
}

void write_detail(json_writer& w, test_data const& d, cell_data const& c)
{
    auto const messages = messages_of(d, c);
    w.begin_object().member("invocation_id", c.cell.invocation).member("rubric_id", rubric_id(d));
    write_rubric_structure(w, d);
    w.member("primary_run_id", c.runs.empty() ? std::nullopt : std::optional(c.runs.back().id))
        .member("agent_id", d.agent_of(c).id)
        .member("model_id", d.model_of(c).id)
        .member("scenario_id", c.scenario)
        .member("status", codec::enum_name(c.cell.status));
    write_bound_ids(w, c);
    w.name("runs").begin_array();
    for (auto const& run : c.runs)
        write_run_detail(w, d, c, run, messages);
    w.end_array().end_object();
}

std::vector<uuid> call_ids_of(test_data const& d, cell_data const& c,
                              projections::run_view const& run)
{
    std::vector<uuid> out;
    for (auto const& call : run.calls)
        out.push_back(d.id(grid_kind::call, c.cell.cell, call.call.call));
    if (out.empty())
        out.push_back(d.id(grid_kind::call, c.cell.cell, 0));
    return out;
}

std::vector<message_place> messages_of(test_data const& d, cell_data const& c)
{
    std::vector<message_place> out;
    auto const add = [&](projections::run_view const& run, projections::call_row const& call,
                         std::string_view role, content const& text) {
        auto const ordinal = static_cast<std::uint16_t>(out.size() + 1);
        out.push_back({&run, &call, d.id(grid_kind::message, c.cell.cell, ordinal), role, &text});
    };
    for (auto const& run : c.runs) {
        for (auto const& call : run.calls) {
            for (auto const& m : call.call.messages)
                add(run, call, m.role, m.text);
            if (call.call.answer)
                add(run, call, "assistant", *call.call.answer);
        }
    }
    return out;
}

void write_aggregated_cell(json_writer& w, test_data const& d, cell_data const& c)
{
    w.begin_object()
        .member("invocation_id", c.cell.invocation)
        .member("model_id", d.model_of(c).id)
        .member("scenario_id", c.scenario)
        .member("agent_id", d.agent_of(c).id)
        .member("status", codec::enum_name(c.cell.status));
    if (auto const& g = c.cell.row.grade)
        w.member("score", points_of(g->score_ppm, g->total_points)).member("passed", g->passed);
    else
        w.null("score").null("passed");
    w.name("scores");
    write_scores(w, d, c);
    w.end_object();
}

} // namespace assay::api
