#include "http/api/test_rows.hpp"

#include <cmath>

namespace assay::api {

namespace {

void write_common(json_writer& w, uuid const& id, uuid const& invocation, instant created,
                  instant updated, events::channel channel)
{
    w.member("id", id)
        .member("test_invocation_id", invocation)
        .member("created_at", created)
        .member("updated_at", updated)
        .member("generated", channel == events::channel::runner)
        .member("mcp", channel == events::channel::mcp)
        .member("active", true);
}

} // namespace

std::vector<uuid> calls_answered(test_data const& d, cell_data const& c, message_place const& m)
{
    auto const& call = m.call->call;
    if (!call.answer || m.text != &*call.answer)
        return {};
    return {d.id(grid_kind::call, c.cell.cell, call.call)};
}

void write_message_entry(json_writer& w, test_data const& d, cell_data const& c,
                         message_place const& m, surface form, std::string const* text)
{
    bool const v5 = form == surface::v5;
    std::vector<uuid> const none;
    w.begin_object()
        .member("message_id", m.id)
        .member("run_id", m.run->id)
        .member("role", m.role)
        .member("message_created_at", m.call->at)
        .member(v5 ? "text_upload_ids" : "text_ids", std::vector{m.id})
        .member(v5 ? "audio_upload_ids" : "audio_ids", none)
        .member(v5 ? "image_upload_ids" : "image_ids", none)
        .member(v5 ? "video_upload_ids" : "video_ids", none)
        .member(v5 ? "file_upload_ids" : "file_ids", none)
        .member(v5 ? "call_upload_ids" : "call_ids", calls_answered(d, c, m));
    if (!v5)
        w.member("reasoning", false);
    if (text)
        w.member("content", *text);
    w.end_object();
}

void write_run_entry(json_writer& w, test_data const& d, cell_data const& c,
                     projections::run_view const& run)
{
    auto const& r = run.row;
    w.begin_object();
    write_common(w, run.id, c.cell.invocation, r.started_at, r.ended_at.value_or(r.started_at),
                 r.channel);
    std::optional<uuid> trace;
    for (auto const& t : c.traces)
        if (t.run == r.run)
            trace = d.id(grid_kind::trace, c.cell.cell, t.trace);
    w.member("test_invocation_traces_id", trace)
        .member("run_id", run.id)
        .member("agent_ids", std::vector{d.agent_of(c).id})
        .end_object();
}

void write_trace_entry(json_writer& w, test_data const& d, cell_data const& c,
                       projections::trace_row const& trace)
{
    w.begin_object();
    write_common(w, d.id(grid_kind::trace, c.cell.cell, trace.trace), c.cell.invocation, trace.at,
                 trace.at, trace.channel);
    w.member("run_id", trace.run > 0 ? std::optional(d.id(grid_kind::run, c.cell.cell, trace.run))
                                     : std::nullopt);
    auto const bundle = projections::trace_bundle(trace);
    for (auto const list :
         {"reasoning_level_ids", "temperature_level_ids", "voice_ids", "prompt_ids",
          "instruction_ids", "tool_ids", "quality_ids", "modality_ids"})
        if (auto const* const ids = bundle.if_contains(list))
            w.member(list, *ids);
    w.end_object();
}

void write_grade_entry(json_writer& w, test_data const& d, cell_data const& c,
                       projections::grade_row const& row)
{
    auto const& g = row.grade;
    w.begin_object()
        .member("id", d.id(grid_kind::grade, c.cell.cell, g.grade))
        .member("invocation_id", c.cell.invocation)
        .member("run_id",
                g.run > 0 ? std::optional(d.id(grid_kind::run, c.cell.cell, g.run)) : std::nullopt)
        .member("created_at", row.at)
        .member("updated_at", row.at)
        .member("passed", g.passed)
        .member("score", std::llround(points_of(g.score_ppm, g.total_points)))
        .member("exact_score", points_of(g.score_ppm, g.total_points))
        .member("time_taken", seconds_of(g.time_taken_us))
        .member("grader", g.grader)
        .member("generated", row.channel == events::channel::runner)
        .member("mcp", row.channel == events::channel::mcp)
        .member("active", g.grade == c.cell.row.own.grades)
        .null("call_id")
        .end_object();
}

void write_feedback_entry(json_writer& w, test_data const& d, cell_data const& c, std::size_t index)
{
    auto const& row = c.feedback[index];
    auto const& f = row.feedback;
    auto const* const group = group_of(d, f.standard_group);
    w.begin_object()
        .member("feedback_id", d.id(grid_kind::feedback, c.cell.cell, f.feedback))
        .member("grade_id", d.id(grid_kind::grade, c.cell.cell, f.grade))
        .null("call_id")
        .member("tool_call_id", f.call)
        .null("standard_id")
        .member("standard_group_id", group_id_of(f))
        .member("total", static_cast<int>(f.score))
        .member("feedback", c.comments[index])
        .member("total_points", group ? group->points : 0)
        .member("pass_points", group ? group->pass_points : 0)
        .member("created_at", row.at)
        .end_object();
}

void write_call_members(json_writer& w, test_data const& d, cell_data const& c,
                        projections::run_view const& run, projections::call_row const& row)
{
    auto const& call = row.call;
    w.member("id", d.id(grid_kind::call, c.cell.cell, call.call))
        .member("run_id", run.id)
        .member("invocation_id", c.cell.invocation)
        .member("created_at", row.at)
        .member("model", call.resolved_model)
        .member("finish_reason", call.finish_reason)
        .member("attempts", call.attempts)
        .member("input_tokens", call.input_tokens)
        .member("output_tokens", call.output_tokens)
        .member("cached_input_tokens", call.cached_input_tokens)
        .member("cost",
                call.cost_pico ? std::optional(decimal_of_pico(*call.cost_pico)) : std::nullopt)
        .member("currency", call.currency)
        .member("latency_ms", static_cast<double>(call.latency_us) / 1000)
        .member("reused", call.reused);
}

void write_call_entry(json_writer& w, test_data const& d, cell_data const& c,
                      projections::run_view const& run, projections::call_row const& row)
{
    w.begin_object();
    write_call_members(w, d, c, run, row);
    w.end_object();
}

} // namespace assay::api
