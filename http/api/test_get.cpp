#include "http/api/test_get.hpp"

#include "http/api/routes.hpp"
#include "http/api/row_stream.hpp"

#include <algorithm>

namespace assay::api {

namespace {

using state_ptr = std::shared_ptr<answer_state>;

void write_head(json_writer& w, answer_state const& a)
{
    auto const& d = *a.data;
    auto const& started = d.test().started;
    w.name("test");
    write_test(w, d);
    w.member("status", word_of(d.test().phase))
        .member("eval_name", started.eval_name)
        .member("eval_description", a.eval_description)
        .member("rubric_name", started.rubric ? std::optional(started.rubric->name) : std::nullopt)
        .member("infinite_mode", started.infinite);
    w.name("status_summary");
    write_status_summary(w, d.counts(), d.total());
    w.member("show_controls", d.test().phase != test_phase::completed)
        .member("current_invocation_id", a.current);
    if (a.form == surface::current)
        w.member("next_invocation_id", a.next);
    w.member("has_runs_or_groups", true)
        .member("truncated", d.total() > inline_cells_max)
        .member("total_invocations", d.total());
}

void write_named(json_writer& w, std::string_view list, std::vector<named> const& items)
{
    w.name(list).begin_object();
    for (auto const& i : items)
        w.name(i.id.text()).begin_object().member("id", i.id).member("name", i.name).end_object();
    w.end_object();
}

void write_models(json_writer& w, engine::frozen_config const& config)
{
    w.name("models").begin_object();
    for (auto const& m : config.models)
        w.name(m.id.text())
            .begin_object()
            .member("id", m.id)
            .member("name", m.name)
            .member("value", m.value)
            .member("provider_id", m.provider.id)
            .member("provider_name", m.provider.name)
            .member("parameters", m.parameters)
            .end_object();
    w.end_object().name("agents").begin_object();
    for (auto const& agent : config.agents)
        w.name(agent.id.text())
            .begin_object()
            .member("id", agent.id)
            .member("name", agent.name)
            .member("system_prompt", agent.system_prompt)
            .member("instructions", agent.instructions)
            .member("parameters", agent.parameters)
            .end_object();
    w.end_object();
}

/// Configuration as it was frozen; when that was erased, the names that the log holds.
void write_resources(json_writer& w, answer_state const& a)
{
    auto const& d = *a.data;
    auto const& started = d.test().started;
    w.name("resources").begin_object();
    w.name("evals")
        .begin_object()
        .name(started.eval.text())
        .begin_object()
        .member("id", started.eval)
        .member("name", started.eval_name)
        .member("description", a.eval_description)
        .end_object()
        .end_object();
    if (d.config()) {
        write_models(w, *d.config());
    } else {
        write_named(w, "models", started.models);
        write_named(w, "agents", started.agents);
    }
    w.name("rubrics").begin_object();
    if (started.rubric)
        w.name(started.rubric->id.text())
            .begin_object()
            .member("id", started.rubric->id)
            .member("name", started.rubric->name)
            .member("total_points", started.total_points)
            .member("pass_points", started.pass_points)
            .end_object();
    w.end_object().name("standard_groups").begin_object();
    for (auto const& g : started.standards)
        w.name(g.id.text())
            .begin_object()
            .member("id", g.id)
            .member("name", g.name)
            .member("points", g.points)
            .member("pass_points", g.pass_points)
            .end_object();
    w.end_object().end_object();
}

/// Members of the newer surface alone: what the cells add up to, and each of them in short.
void add_results(row_stream& out, state_ptr const& a)
{
    out.once([a](json_writer& w) {
        w.name("aggregated_results").begin_object().name("status_summary");
        write_status_summary(w, a->data->counts(), a->data->total());
        auto const& s = a->scores;
        if (s.n > 0)
            w.member("average_score", static_cast<double>(s.sum) / static_cast<double>(s.n) / 1e6 *
                                          a->data->test().started.total_points)
                .member("pass_rate", static_cast<double>(s.passed) / static_cast<double>(s.n));
        else
            w.null("average_score").null("pass_rate");
        w.member("n", s.n);
    });
    out.once([](json_writer& w) { w.name("cells").begin_array(); });
    out.each(a->cells.size(), [a](json_writer& w, std::size_t i) {
        write_aggregated_cell(w, *a->data, a->cells[i]);
    });
    out.once([](json_writer& w) { w.end_array().end_object(); });
}

void write_messages(json_writer& w, answer_state const& a, cell_data const& c)
{
    for (auto const& m : messages_of(*a.data, c)) {
        auto const text = a.texts.find(m.id);
        write_message_entry(w, *a.data, c, m, a.form,
                            text == a.texts.end() ? nullptr : &text->second);
    }
}

/// The sections that have a row for each cell.
void add_rows(row_stream& out, state_ptr const& a)
{
    auto const n = a->cells.size();
    bool const whole = a->form == surface::current;
    auto const section = [&](std::string name,
                             void (*write)(json_writer&, test_data const&, cell_data const&)) {
        out.once([name](json_writer& w) { w.name(name).begin_array(); });
        out.each(n, [a, write](json_writer& w, std::size_t i) { write(w, *a->data, a->cells[i]); });
        out.once([](json_writer& w) { w.end_array(); });
    };
    section("invocations", write_invocation);
    section("runs", write_run_item);
    if (whole)
        section("invocation_details", write_detail);
    out.once([a](json_writer& w) {
        w.name("entries").begin_object().name("tests").begin_array();
        write_test(w, *a->data);
        w.end_array();
    });
    section("runs", [](json_writer& w, test_data const& d, cell_data const& c) {
        for (auto const& run : c.runs)
            write_run_entry(w, d, c, run);
    });
    section("groups", [](json_writer& w, test_data const& d, cell_data const& c) {
        for (auto const& trace : c.traces)
            write_trace_entry(w, d, c, trace);
    });
    section("grades", [](json_writer& w, test_data const& d, cell_data const& c) {
        for (auto const& grade : c.grades)
            write_grade_entry(w, d, c, grade);
    });
    section("feedback", [](json_writer& w, test_data const& d, cell_data const& c) {
        for (std::size_t i = 0; i < c.feedback.size(); ++i)
            write_feedback_entry(w, d, c, i);
    });
    out.once([](json_writer& w) { w.name("messages").begin_array(); });
    auto const messages = [&](std::vector<cell_data> answer_state::* list) {
        out.each(((*a).*list).size(), [a, list](json_writer& w, std::size_t i) {
            write_messages(w, *a, ((*a).*list)[i]);
        });
    };
    messages(&answer_state::cells);
    messages(&answer_state::selected);
    out.once([](json_writer& w) { w.end_array(); });
    section("calls", [](json_writer& w, test_data const& d, cell_data const& c) {
        for (auto const& run : c.runs)
            for (auto const& call : run.calls)
                write_call_entry(w, d, c, run, call);
    });
    out.once([](json_writer& w) { w.end_object(); });
    if (whole)
        add_results(out, a);
}

result<void> fill(services const& s, incoming const& in, answer_state& a)
{
    auto& d = *a.data;
    ASSAY_TRY(a.cells, d.cells(projections::page{0, inline_cells_max}, true));
    ASSAY_TRY(auto next, projections::first_open_cell(d.views(), d.test()));
    if (next)
        a.next = a.current = next->invocation;
    if (d.counts().counts.running > 0) {
        ASSAY_TRY(auto running, projections::list_open_runs(d.views(), d.test().id));
        if (!running.empty())
            a.current = d.id(grid_kind::invocation, running.front().cell);
    }
    auto const eval =
        projections::get_item(d.views(), in.who.workspace, item_kind::eval, d.test().started.eval);
    if (eval) {
        auto const body = projections::item_body(*eval);
        if (auto const* const text = body.if_contains("description"); text && text->is_string())
            a.eval_description = std::string(text->get_string());
    }
    ASSAY_TRY(auto lines, projections::get_benchmark(d.views(), d.test()));
    for (auto const& line : lines) {
        a.scores.n += line.totals.scores.n;
        a.scores.passed += line.totals.scores.passed;
        a.scores.sum += line.totals.scores.sum;
    }
    return fill_configs(s, a);
}

result<http::response> get_test(services const& s, incoming const& in, surface form)
{
    ASSAY_TRY(auto asked, read_body<get_body>(in.body));
    ASSAY_TRY(auto views, views_of(s, in, asked.snapshot_key));
    auto const a = std::make_shared<answer_state>();
    ASSAY_TRY(a->data, test_data::open(s, in, std::move(views), asked.test_id));
    a->asked = std::move(asked);
    a->form = form;
    if (a->asked.summary.value_or(false)) {
        std::string body;
        json_writer w(body);
        w.begin_object().name("test");
        write_test(w, *a->data);
        w.member("status", word_of(a->data->test().phase))
            .member("eval_name", a->data->test().started.eval_name)
            .name("status_summary");
        write_status_summary(w, a->data->counts(), a->data->total());
        w.end_object();
        return http::json_text(200, std::move(body));
    }
    ASSAY_CHECK(fill(s, in, *a));

    auto const rows = std::make_shared<row_stream>();
    rows->once([a](json_writer& w) {
        w.begin_object();
        write_head(w, *a);
        if (a->form == surface::current)
            write_configs(w, *a);
        write_resources(w, *a);
    });
    add_rows(*rows, a);
    rows->once([](json_writer& w) { w.end_object(); });
    return respond_with(rows, a->cells.size() >= streamed_from_cells);
}

} // namespace

void add_test_get(http::router& to, services const& s)
{
    add_response_query(
        to, s,
        {.name = "test.get", .path = "/test/get", .permission = {"test", "get"}, .tags = "test"},
        [s](incoming const& in) { return get_test(s, in, surface::current); });
    add_response_query(to, s,
                       {.name = "v5.test.get",
                        .path = "/api/v5/artifacts/test/get",
                        .permission = {"test", "get"},
                        .tags = "test"},
                       [s](incoming const& in) { return get_test(s, in, surface::v5); });
}

} // namespace assay::api
