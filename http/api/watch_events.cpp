#include "core/codec.hpp"
#include "core/grid_id.hpp"
#include "http/api/json_writer.hpp"
#include "http/api/watch_hub.hpp"

#include <fmt/format.h>

#include <charconv>

namespace assay::api {

namespace {

/// artifact.operation.phase of each event, and what stands in its payload.
struct shape {
    std::string_view artifact;
    std::string_view operation;
    std::string_view phase;
    std::optional<std::uint16_t> run{};
    std::optional<std::uint16_t> call{};
};

/// Of what is about a cell as a whole the run is 0, which is none.
std::optional<std::uint16_t> some(std::uint16_t run)
{
    return run > 0 ? std::optional(run) : std::nullopt;
}

bool has_answer(outcome o)
{
    return o == outcome::completed || o == outcome::refused;
}

std::optional<shape> shape_of(event_body const& body)
{
    using namespace event;
    using out = std::optional<shape>;
    return std::visit(
        overloaded{
            [](test_started const&) { return out({"test", "start", "completed"}); },
            [](test_stopped const&) { return out({"test", "stop", "completed"}); },
            [](test_reopened const&) { return out({"test", "reopen", "completed"}); },
            [](test_completed const&) { return out({"test", "complete", "completed"}); },
            [](test_archived const&) { return out({"test", "archive", "completed"}); },
            [](test_extended const&) { return out({"test", "extend", "completed"}); },
            [](group_titled const&) { return out({"test", "title", "completed"}); },
            [](cell_added const&) { return out({"invocation", "create", "completed"}); },
            [](run_started const& e) { return out({"invocation", "run", "started", e.run}); },
            [](call_recorded const& e) {
                return out({"invocation", "call", "completed", e.run, e.call});
            },
            [](run_ended const& e) {
                return out(
                    {"invocation", "run", has_answer(e.outcome) ? "completed" : "failed", e.run});
            },
            [](cell_failed const&) { return out({"invocation", "run", "failed"}); },
            [](cell_terminated const& e) {
                return out({"invocation", "terminate", "completed", some(e.run)});
            },
            [](cell_completed const& e) {
                return out({"invocation", "complete", "completed", some(e.run)});
            },
            [](grade_recorded const& e) {
                return out({"invocation", "grade", "completed", some(e.run)});
            },
            [](grading_failed const& e) {
                return out({"invocation", "grade", "failed", some(e.run)});
            },
            [](feedback_recorded const&) { return out({"invocation", "feedback", "completed"}); },
            [](trace_opened const& e) {
                return out({"invocation", "trace", "completed", some(e.run)});
            },
            [](auto const&) { return out(); },
        },
        body);
}

/// Numbers and words of the event; never a text of users or models.
void write_payload(json_writer& w, event_body const& body, uuid const& test, std::uint32_t cell)
{
    using namespace event;
    std::visit(
        overloaded{
            [&](test_started const& e) {
                w.member("eval_id", e.eval)
                    .member("test_name", e.name)
                    .member("models", e.models.size())
                    .member("scenarios", e.scenarios)
                    .member("agents", e.agents.size())
                    .member("repeats", e.repeats);
            },
            [&](test_stopped const& e) {
                w.member("queued", e.queued).member("running", e.running);
            },
            [&](test_completed const& e) {
                w.member("completed_count", e.completed).member("terminated", e.terminated);
            },
            [&](test_archived const& e) { w.member("archived", e.archived); },
            [&](test_extended const& e) {
                w.member("repeats", e.repeats).member("queued", e.cells);
            },
            [&](group_titled const& e) { w.member("title", e.title); },
            [&](call_recorded const& e) {
                w.member("finish_reason", e.finish_reason)
                    .member("input_tokens", e.input_tokens)
                    .member("output_tokens", e.output_tokens)
                    .member("latency_ms", static_cast<double>(e.latency_us) / 1000)
                    .member("reused", e.reused);
            },
            [&](run_ended const& e) {
                w.member("outcome", codec::enum_name(e.outcome)).member("error_code", e.error_code);
            },
            [&](cell_failed const& e) { w.member("reason", codec::enum_name(e.reason)); },
            [&](grade_recorded const& e) {
                w.member("grade_id", grid_id::make(test, grid_kind::grade, cell, e.grade))
                    .member("score_ppm", e.score_ppm)
                    .member("total_points", e.total_points)
                    .member("passed", e.passed)
                    .member("grader", e.grader);
            },
            [&](grading_failed const& e) { w.member("grader", e.grader).member("code", e.code); },
            [&](feedback_recorded const& e) {
                w.member("feedback_id", grid_id::make(test, grid_kind::feedback, cell, e.feedback))
                    .member("grade_id", grid_id::make(test, grid_kind::grade, cell, e.grade))
                    .member("standard_group_id",
                            e.standard_group.nil() ? std::nullopt : std::optional(e.standard_group))
                    .member("score", static_cast<int>(e.score));
            },
            [&](trace_opened const& e) {
                w.member("test_invocation_trace_id",
                         grid_id::make(test, grid_kind::trace, cell, e.trace));
            },
            [](auto const&) {},
        },
        body);
}

} // namespace

std::string stream_position::text() const
{
    return fmt::format("{:x}.{:x}", position, index);
}

std::optional<stream_position> stream_position::parse(std::string_view text)
{
    stream_position out;
    auto const end = text.data() + text.size();
    auto const first = std::from_chars(text.data(), end, out.position, 16);
    if (first.ec != std::errc{} || first.ptr == end || *first.ptr != '.')
        return std::nullopt;
    auto const second = std::from_chars(first.ptr + 1, end, out.index, 16);
    if (second.ec != std::errc{} || second.ptr != end)
        return std::nullopt;
    return out;
}

std::optional<std::uint16_t> run_of(event_body const& body)
{
    auto const s = shape_of(body);
    return s ? s->run : std::nullopt;
}

bool ends_run(event_body const& body)
{
    return std::holds_alternative<event::run_ended>(body) ||
           std::holds_alternative<event::cell_terminated>(body) ||
           std::holds_alternative<event::cell_completed>(body);
}

std::optional<std::string> envelope_of(events::recorded const& e)
{
    auto const s = shape_of(e.body);
    if (!s)
        return std::nullopt;
    auto const test = e.head->partition;
    auto const place = grid_id::read(e.stream.id, grid_kind::invocation);
    auto const cell = place ? place->cell : 0;
    auto const below = [&](grid_kind kind, std::optional<std::uint16_t> ordinal) {
        return ordinal ? std::optional(grid_id::make(test, kind, cell, *ordinal)) : std::nullopt;
    };
    std::string out;
    json_writer w(out);
    w.begin_object()
        .member("id", stream_position{e.head->position, e.index}.text())
        .member("event_type", fmt::format("{}.{}.{}", s->artifact, s->operation, s->phase))
        .member("artifact", s->artifact)
        .member("operation", s->operation)
        .member("created_at", e.head->at)
        .member("group_id", grid_id::make(test, grid_kind::group))
        .member("run_id", below(grid_kind::run, s->run))
        .member("entity_id", e.stream.id)
        .member("call_id", below(grid_kind::call, s->call))
        .null("tool_id")
        .name("payload")
        .begin_object()
        .member("test_id", test);
    if (place)
        w.member("invocation_id", e.stream.id);
    write_payload(w, e.body, test, cell);
    w.end_object().end_object();
    return out;
}

} // namespace assay::api
