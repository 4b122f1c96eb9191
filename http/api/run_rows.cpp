#include "http/api/run_rows.hpp"

#include "http/api/test_rows.hpp"

namespace assay::api {

namespace {

/// Writes "content", or null and `erased`.
result<void> write_text(json_writer& w, services const& s, test_data const& d, content const& text)
{
    auto const plain = s.engine.text(d.test().workspace, text);
    if (!plain && plain.error().code != errc::gone)
        return std::unexpected(plain.error());
    if (plain)
        w.member("content", *plain);
    else
        w.null("content").member("erased", true);
    return {};
}

/// The decimal cost of a run as the documented number; none when it is unknown or in several
/// currencies.
std::optional<double> cost_of(projections::run_row const& run)
{
    if (run.costs.size() != 1)
        return std::nullopt;
    return static_cast<double>(run.costs.front().pico) / 1e12;
}

std::optional<std::uint64_t> known(projections::known_sum const& sum)
{
    return sum.known > 0 ? std::optional(sum.sum) : std::nullopt;
}

void write_call(json_writer& w, test_data const& d, cell_data const& c,
                projections::run_view const& run, projections::call_row const& call)
{
    w.begin_object()
        .member("id", d.id(grid_kind::call, c.cell.cell, call.call.call))
        .member("tool_name", "model")
        .member("template_name", call.call.resolved_model)
        .member("ledger_status", codec::enum_name(run.row.outcome.value_or(outcome::completed)))
        .member("ledger_operation", "run")
        .member("ledger_artifact", "invocation")
        .member("ledger_artifact_id", c.cell.invocation)
        .end_object();
}

void write_message_head(json_writer& w, test_data const& d, cell_data const& c,
                        message_place const& m)
{
    auto const answered = calls_answered(d, c, m);
    w.member("id", m.id).member("role", m.role).member("created_at", m.call->at);
    w.name("text_ids").begin_array().value(m.id).end_array();
    w.member("call_ids", answered).name("calls").begin_array();
    if (!answered.empty())
        write_call(w, d, c, *m.run, *m.call);
    w.end_array().member("reasoning", false).member("in_context", true);
}

void write_run_head(json_writer& w, test_data const& d, cell_data const& c,
                    projections::run_view const& run)
{
    auto const& r = run.row;
    w.member("id", run.id)
        .member("created_at", r.started_at)
        .member("ended_at", r.ended_at)
        .member("input_tokens", known(r.input_tokens))
        .member("output_tokens", known(r.output_tokens))
        .member("cached_input_tokens", known(r.cached_input_tokens))
        .member("cost", cost_of(r))
        .member("currency",
                r.costs.size() == 1 ? std::optional(r.costs.front().currency) : std::nullopt)
        .member("model_id", d.model_of(c).id)
        .member("agent_id", d.agent_of(c).id)
        .member("profile_id", r.profile.nil() ? std::nullopt : std::optional(r.profile))
        .member("outcome", r.outcome ? std::optional(codec::enum_name(*r.outcome)) : std::nullopt)
        .member("latency_ms", static_cast<double>(r.latency_us) / 1000)
        .member("call_ids", call_ids_of(d, c, run));
    if (!r.error_code.empty())
        w.member("error_code", r.error_code);
}

result<void> write_run(json_writer& w, services const& s, test_data const& d, cell_data const& c,
                       projections::run_view const& run, std::vector<message_place> const& messages)
{
    w.begin_object();
    write_run_head(w, d, c, run);
    if (auto const& problem = run.row.error) {
        w.name("error").begin_object();
        ASSAY_CHECK(write_text(w, s, d, *problem));
        w.end_object();
    }
    w.name("messages").begin_array();
    for (auto const& m : messages) {
        if (m.run != &run)
            continue;
        w.begin_object();
        write_message_head(w, d, c, m);
        ASSAY_CHECK(write_text(w, s, d, *m.text));
        w.end_object();
    }
    w.end_array().end_object();
    return {};
}

} // namespace

result<void> write_whole_call(json_writer& w, services const& s, test_data const& d,
                              cell_data const& c, projections::run_view const& run,
                              projections::call_row const& call)
{
    w.begin_object();
    write_call_members(w, d, c, run, call);
    w.name("messages").begin_array();
    // A call was sent everything that the run's earlier calls had sent and got.
    for (auto const& m : messages_of(d, c)) {
        bool const own = m.call->call.call == call.call.call;
        if (m.run->id != run.id || m.call->call.call > call.call.call ||
            (own && !calls_answered(d, c, m).empty()))
            continue;
        w.begin_object().member("role", m.role);
        ASSAY_CHECK(write_text(w, s, d, *m.text));
        w.end_object();
    }
    w.end_array().name("answer");
    if (call.call.answer) {
        w.begin_object();
        ASSAY_CHECK(write_text(w, s, d, *call.call.answer));
        w.end_object();
    } else {
        w.value(nullptr);
    }
    w.end_object();
    return {};
}

void write_group_runs(json_writer& w, test_data const& d, cell_data const& c)
{
    auto const messages = messages_of(d, c);
    for (auto const& run : c.runs) {
        w.begin_object();
        write_run_head(w, d, c, run);
        w.member("previous_context_start_index", 0).name("messages").begin_array();
        for (auto const& m : messages) {
            if (m.run != &run)
                continue;
            w.begin_object();
            write_message_head(w, d, c, m);
            w.end_object();
        }
        w.end_array().end_object();
    }
}

result<void> write_trace(json_writer& w, services const& s, test_data const& d, cell_data const& c,
                         projections::trace_row const* trace)
{
    if (!trace && c.runs.empty()) {
        w.value(nullptr);
        return {};
    }
    auto const messages = messages_of(d, c);
    w.begin_object()
        .member("test_invocation_trace_id",
                d.id(grid_kind::trace, c.cell.cell, trace ? trace->trace : std::uint16_t{0}))
        .member("test_invocation_id", c.cell.invocation)
        .member("run_id", trace && trace->run > 0
                              ? std::optional(d.id(grid_kind::run, c.cell.cell, trace->run))
                              : std::nullopt);
    if (trace)
        w.member("bundle", projections::trace_bundle(*trace));
    w.name("runs").begin_array();
    for (auto const& run : c.runs)
        if (!trace || trace->run == 0 || trace->run == run.row.run)
            ASSAY_CHECK(write_run(w, s, d, c, run, messages));
    w.end_array().end_object();
    return {};
}

} // namespace assay::api
