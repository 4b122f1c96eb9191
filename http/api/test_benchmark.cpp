#include "http/api/routes.hpp"
#include "http/api/test_data.hpp"
#include "http/api/test_history.hpp"
#include "http/api/test_rows.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace assay::api {

namespace {

using projections::benchmark_line;
using statistics::interval;

/// Every pair of models is compared up to here: their number grows with the square.
constexpr std::size_t compared_models_max = 64;

struct benchmark_body {
    std::optional<uuid> test_id;
    std::optional<uuid> benchmark_id;
    std::optional<bool> heatmap;
    std::optional<std::int64_t> heatmap_offset;
    std::optional<std::int64_t> heatmap_limit;

    static constexpr auto fields = std::tuple{
        field{"test_id", &benchmark_body::test_id},
        field{"benchmark_id", &benchmark_body::benchmark_id},
        field{"heatmap", &benchmark_body::heatmap},
        field{"heatmap_offset", &benchmark_body::heatmap_offset, {.min = 0}},
        field{"heatmap_limit", &benchmark_body::heatmap_limit, {.min = 1}},
    };
};

void write_interval(json_writer& w, std::string_view name, std::optional<interval> const& i)
{
    if (!i) {
        w.null(name);
        return;
    }
    w.name(name).begin_array().value(i->low).value(i->high).end_array();
}

void write_scores(json_writer& w, projections::score_total const& scores)
{
    bool const any = scores.n > 0;
    auto const rate = static_cast<double>(scores.passed) / static_cast<double>(any ? scores.n : 1);
    auto const mean = statistics::mean(scores.sums());
    w.member("graded", scores.n)
        .member("passed", scores.passed)
        .member("accuracy", any ? std::optional(rate) : std::nullopt);
    write_interval(w, "accuracy_interval",
                   any ? std::optional(statistics::wilson(scores.passed, scores.n)) : std::nullopt);
    w.member("score_mean", mean.mean);
    write_interval(w, "score_interval", mean.bounds);
}

void write_cost(json_writer& w, std::vector<projections::cost_sum> const& costs)
{
    // Sums of different currencies cannot be added: then each stands in `costs` alone.
    if (costs.size() == 1)
        w.member("cost", decimal_of_pico(costs[0].pico)).member("currency", costs[0].currency);
    else
        w.null("cost").null("currency");
    w.name("costs").begin_array();
    for (auto const& c : costs)
        w.begin_object()
            .member("currency", c.currency)
            .member("cost", decimal_of_pico(c.pico))
            .member("calls", c.known)
            .end_object();
    w.end_array();
}

std::optional<std::uint64_t> known(projections::known_sum const& sum)
{
    return sum.known > 0 ? std::optional(sum.sum) : std::nullopt;
}

void write_latency(json_writer& w, benchmark_line const& line)
{
    for (auto const& [name, p] : {std::pair{"latency_p50_ms", 0.5}, {"latency_p95_ms", 0.95}}) {
        auto const us = projections::latency_quantile(line.latencies, p);
        w.member(name, us ? std::optional(static_cast<double>(*us) / 1000) : std::nullopt);
    }
}

void write_standards(json_writer& w, std::vector<projections::standard_line> const& standards,
                     projections::test_row const& test)
{
    w.name("standards").begin_array();
    for (auto const& line : standards) {
        auto const& groups = test.started.standards;
        auto const group = std::ranges::find(groups, line.group, &event::standard_group::id);
        w.begin_object()
            .member("standard_group_id", line.group)
            .member("name", group != groups.end() ? group->name : line.name)
            .member("n", line.scores.n);
        write_scores(w, line.scores);
        w.end_object();
    }
    w.end_array();
}

/// Cells of the line that are still to come to rest. Those that a stop closed before they began are
/// none.
std::uint64_t open_of(test_data const& d, benchmark_line const& line)
{
    if (d.test().phase == test_phase::completed)
        return 0;
    auto const ended = line.totals.results.ended();
    auto const left = line.cells > ended ? line.cells - ended : 0;
    auto const own = d.test().phase == test_phase::stopped ? line.totals.running : left;
    return std::min<std::uint64_t>(own, d.counts().counts.open());
}

void write_line(json_writer& w, test_data const& d, benchmark_line const& line)
{
    auto const& t = line.totals;
    auto const& r = t.results;
    auto const& model = d.test().started.models[line.model];
    auto const& agent = d.test().started.agents[line.agent];
    w.begin_object()
        .member("model_id", model.id)
        .member("model_name", model.name)
        .member("agent_id", agent.id)
        .member("agent_name", agent.name)
        .member("cells", line.cells)
        .member("ended", r.ended())
        .member("open", open_of(d, line));
    write_scores(w, t.scores);
    w.member("failed", r.provider_error + r.timeout + r.not_recorded + r.failed_unrun)
        .member("refused", r.refused)
        .member("errors", t.grader_errors);
    w.name("outcomes")
        .begin_object()
        .member("completed", r.completed)
        .member("refused", r.refused)
        .member("provider_error", r.provider_error)
        .member("timeout", r.timeout)
        .member("not_recorded", r.not_recorded)
        .member("terminated", r.terminated)
        .member("failed_unrun", r.failed_unrun)
        .member("grader_error", t.grader_errors)
        .end_object();
    w.member("input_tokens", known(t.input_tokens))
        .member("output_tokens", known(t.output_tokens))
        .member("cached_input_tokens", known(t.cached_input_tokens))
        .member("tokens_known", std::max(t.input_tokens.known, t.output_tokens.known))
        .member("calls", t.calls)
        .member("reused", t.reused);
    write_cost(w, t.costs);
    write_latency(w, line);
    write_standards(w, line.standards, d.test());
    w.end_object();
}

std::string_view word_of(statistics::verdict v)
{
    switch (v) {
    case statistics::verdict::better: return "better";
    case statistics::verdict::worse: return "worse";
    case statistics::verdict::cannot_tell: return "cannot_tell";
    }
    std::unreachable();
}

result<void> write_comparison(json_writer& w, test_data const& d, std::uint32_t a, std::uint32_t b,
                              std::uint32_t agent)
{
    ASSAY_TRY(auto const counts, projections::paired(d.views(), d.test(), a, b, agent));
    auto const c = statistics::compare_paired(counts);
    auto const& models = d.test().started.models;
    w.begin_object()
        .member("model_a", models[a].id)
        .member("model_a_name", models[a].name)
        .member("model_b", models[b].id)
        .member("model_b_name", models[b].name)
        .member("agent_id", d.test().started.agents[agent].id)
        .member("n", counts.n())
        .member("both_passed", counts.both)
        .member("only_a", counts.baseline_only)
        .member("only_b", counts.candidate_only)
        .member("neither", counts.neither)
        .member("difference", counts.n() > 0 ? std::optional(c.difference) : std::nullopt);
    write_interval(w, "interval", c.bounds);
    w.member("p_value", c.p).member("verdict", word_of(c.outcome)).end_object();
    return {};
}

result<void> write_comparisons(json_writer& w, test_data const& d)
{
    auto const models = std::min(d.test().started.models.size(), compared_models_max);
    w.name("comparisons").begin_array();
    for (std::uint32_t agent = 0; agent < d.test().started.agents.size(); ++agent)
        for (std::uint32_t a = 0; a < models; ++a)
            for (std::uint32_t b = a + 1; b < models; ++b)
                ASSAY_CHECK(write_comparison(w, d, a, b, agent));
    w.end_array().member("comparisons_truncated", models < d.test().started.models.size());
    return {};
}

result<void> write_heatmap(json_writer& w, services const& s, test_data const& d,
                           benchmark_body const& asked)
{
    auto const limit = page_size_of(asked.heatmap_limit, 100);
    auto const offset = static_cast<std::uint64_t>(asked.heatmap_offset.value_or(0));
    ASSAY_TRY(auto const cells, projections::get_heatmap(d.views(), d.test(), {offset, limit}));
    w.name("cells").begin_array();
    for (auto const& c : cells) {
        auto const scenario = s.engine.scenario_of(d.test(), c.scenario);
        if (!scenario && scenario.error().code != errc::gone)
            return std::unexpected(scenario.error());
        w.begin_object()
            .member("model_id", d.test().started.models[c.model].id)
            .member("agent_id", d.test().started.agents[c.agent].id)
            .member("scenario_id", scenario ? std::optional(scenario->id) : std::nullopt)
            .member("scenario_name", scenario ? std::optional(scenario->name) : std::nullopt)
            .member("ended", c.ended)
            .member("n", c.scores.n);
        write_scores(w, c.scores);
        write_standards(w, c.standards, d.test());
        w.end_object();
    }
    w.end_array()
        .member("heatmap_offset", offset)
        .member("heatmap_limit", limit)
        .member("heatmap_scenarios", d.test().started.scenarios);
    return {};
}

/// The table of one test.
result<void> write_test_side(json_writer& w, services const& s, test_data const& d,
                             benchmark_body const& asked)
{
    ASSAY_TRY(auto const lines, projections::get_benchmark(d.views(), d.test()));
    w.member("test_id", d.test().id)
        .member("benchmark_id", d.id(grid_kind::benchmark))
        .member("status", codec::enum_name(d.test().phase))
        .member("complete", d.counts().counts.open() == 0);
    w.name("status_summary");
    write_status_summary(w, d.counts(), d.total());
    w.name("models").begin_array();
    for (auto const& line : lines)
        write_line(w, d, line);
    w.end_array();
    ASSAY_CHECK(write_comparisons(w, d));
    if (asked.heatmap.value_or(false))
        ASSAY_CHECK(write_heatmap(w, s, d, asked));
    return {};
}

std::string_view status_of(projections::eval_card const& card)
{
    return card.running_tests > 0 ? "running" : card.tests > 0 ? "completed" : "not_started";
}

void write_eval(json_writer& w, projections::item_row const& row,
                projections::eval_card const& card)
{
    auto const body = projections::item_body(row);
    auto const member = [&](std::string_view name) -> json::value {
        auto const* const v = body.if_contains(name);
        return v ? *v : json::value(nullptr);
    };
    w.begin_object()
        .member("eval_id", row.id)
        .member("eval_name", row.name)
        .member("eval_description", member("description"))
        .member("model_ids", member("model_ids"))
        .member("total_tests", card.tests)
        .member("archived_tests", card.archived_tests)
        .member("total_invocations", card.cells)
        .member("completed_invocations", card.completed_cells)
        .member("highest_score", card.best_ppm
                                     ? std::optional(static_cast<double>(*card.best_ppm) / 1e4)
                                     : std::nullopt)
        .member("has_passed", card.passed > 0)
        .member("status", status_of(card))
        .member("infinite_mode", card.infinite)
        .member("department_ids", row.departments)
        .member("rubric_ids", member("rubric_ids"))
        .end_object();
}

result<void> write_evals(json_writer& w, incoming const& in, projections::reader const& views,
                         history_body const& asked)
{
    ASSAY_TRY(auto const cards, projections::list_eval_cards(views, in.who.workspace));
    std::map<uuid, projections::eval_card> by_id;
    for (auto const& card : cards)
        by_id.emplace(card.eval, card);
    projections::item_filter filter;
    filter.departments = asked.department_ids.value_or(std::vector<uuid>());
    filter.within_departments = in.scope().departments;
    ASSAY_TRY(auto const evals, projections::list_items(views, in.who.workspace, item_kind::eval,
                                                        filter, {0, page_size_max}));
    w.name("evals").begin_array();
    for (auto const& row : evals.items) {
        auto const card = by_id.find(row.id);
        write_eval(w, row, card != by_id.end() ? card->second : projections::eval_card{});
    }
    w.end_array();
    return {};
}

void write_analytics(json_writer& w, std::vector<projections::item_row> const& departments,
                     projections::test_page const& page)
{
    w.name("analytics").begin_object().name("fields").begin_object();
    for (auto const& [name, visible] : {std::pair{"date_range", true},
                                        {"departments", !departments.empty()},
                                        {"cohorts", false},
                                        {"roles", false},
                                        {"attempts", false}})
        w.name(name)
            .begin_object()
            .member("visible", visible)
            .member("disabled", !visible)
            .end_object();
    w.end_object().name("department_options").begin_array();
    for (auto const& d : departments)
        w.begin_object().member("value", d.id).member("label", d.name).end_object();
    w.end_array()
        .member("date_range_earliest", page.earliest)
        .member("date_range_latest", page.latest)
        .end_object();
}

/// What the page over all tests shows: evals, departments, dates, history.
result<void> write_overview(json_writer& w, services const& s, incoming const& in,
                            projections::reader const& views, history_body const& asked)
{
    ASSAY_CHECK(write_evals(w, in, views, asked));
    ASSAY_TRY(auto const departments,
              projections::list_items(views, in.who.workspace, item_kind::department, {},
                                      {0, page_size_max}));
    projections::test_filter all;
    all.within_departments = in.scope().departments;
    ASSAY_TRY(auto const page, projections::list_tests(views, in.who.workspace, all, {0, 0}));
    w.name("departments").begin_array();
    for (auto const& d : departments.items) {
        auto const body = projections::item_body(d);
        auto const* const text = body.if_contains("description");
        w.begin_object()
            .member("department_id", d.id)
            .member("name", d.name)
            .member("description", text ? *text : json::value(nullptr))
            .end_object();
    }
    w.end_array().name("department_options").begin_array();
    for (auto const& f : page.departments) {
        auto const d = std::ranges::find(departments.items, f.value, &projections::item_row::id);
        w.begin_object()
            .member("value", f.value)
            .member("label", d != departments.items.end() ? std::optional(d->name) : std::nullopt)
            .member("count", f.tests)
            .end_object();
    }
    w.end_array()
        .member("date_range_earliest", page.earliest)
        .member("date_range_latest", page.latest);
    write_analytics(w, departments.items, page);
    w.name("history");
    return write_history(w, s, in, views, asked);
}

result<std::string> benchmark(services const& s, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<benchmark_body>(in.body));
    ASSAY_TRY(auto const filters, read_body<history_body>(in.body));
    ASSAY_TRY(auto const views, views_of(s, in, filters.snapshot_key));
    std::string body;
    json_writer w(body);
    w.begin_object();
    if (asked.test_id || asked.benchmark_id) {
        auto const named = asked.benchmark_id
                               ? grid_id::read(*asked.benchmark_id, grid_kind::benchmark)
                               : std::nullopt;
        if (!asked.test_id && !named)
            return fail(errc::not_found, "there is no such benchmark", "benchmark_not_found");
        ASSAY_TRY(auto const data,
                  test_data::open(s, in, views, asked.test_id ? *asked.test_id : named->test));
        ASSAY_CHECK(write_test_side(w, s, *data, asked));
    } else {
        ASSAY_CHECK(write_overview(w, s, in, *views, filters));
    }
    w.end_object();
    return body;
}

} // namespace

void add_test_benchmark(http::router& to, services const& s)
{
    add_query(to, s,
              {.name = "test.benchmark",
               .path = "/test/benchmark",
               .permission = {"test", "benchmark"},
               .also = {{"test.benchmark_get", "/test/benchmark/get"}},
               .tags = "benchmark",
               .summary = "Compare models, agents and standards over tests.",
               .params = params_of<benchmark_body>()},
              [s](incoming const& in) { return benchmark(s, in); });
}

} // namespace assay::api
