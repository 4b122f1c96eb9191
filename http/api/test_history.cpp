#include "http/api/test_history.hpp"

#include <algorithm>
#include <cmath>

namespace assay::api {

namespace {

using projections::facet_count;
using projections::test_row;

projections::test_filter filter_of(incoming const& in, history_body const& b)
{
    projections::test_filter f;
    f.evals = b.history_eval_ids.value_or(std::vector<uuid>());
    f.departments = b.department_ids.value_or(std::vector<uuid>());
    f.within_departments = in.scope().departments;
    f.archived = b.history_archived.value_or(false);
    if (b.start_date)
        f.from = b.start_date->at;
    if (b.end_date)
        f.to = b.end_date->at;
    f.text = b.history_search.value_or(std::string());
    if (b.history_sort_by == "test_name")
        f.order = projections::test_order::test_name;
    else if (b.history_sort_by == "eval_name")
        f.order = projections::test_order::eval_name;
    f.ascending = b.history_sort_order == "asc";
    return f;
}

struct standing {
    std::uint64_t graded = 0;
    std::uint64_t passed = 0;
    std::uint64_t sum = 0; ///< of scores, in millionths
    std::uint32_t models_completed = 0;
};

result<standing> standing_of(projections::reader const& views, test_row const& test)
{
    standing out;
    ASSAY_TRY(auto lines, projections::get_benchmark(views, test));
    std::vector<bool> done(test.started.models.size(), true);
    for (auto const& line : lines) {
        out.graded += line.totals.scores.n;
        out.passed += line.totals.scores.passed;
        out.sum += line.totals.scores.sum;
        if (line.totals.results.ended() < line.cells)
            done[line.model] = false;
    }
    out.models_completed = static_cast<std::uint32_t>(std::ranges::count(done, true));
    return out;
}

std::string_view score_word(std::int64_t percent)
{
    return percent >= 80 ? "high" : percent >= 50 ? "medium" : "low";
}

result<void> write_item(json_writer& w, services const& s, projections::reader const& views,
                        test_row const& t)
{
    ASSAY_TRY(auto const state, standing_of(views, t));
    auto const who = s.keys.profile(t.profile);
    auto const& rubric = t.started.rubric;
    w.begin_object()
        .member("test_id", t.id)
        .member("date", t.started_at)
        .member("test_name", t.started.name)
        .member("profile_id", t.profile.nil() ? std::nullopt : std::optional(t.profile))
        .member("profile_name", who ? std::optional(who->name) : std::nullopt)
        .member("eval_id", t.started.eval)
        .member("eval_name", t.started.eval_name)
        .member("rubric_id", rubric ? std::optional(rubric->id) : std::nullopt)
        .member("rubric_name", rubric ? std::optional(rubric->name) : std::nullopt)
        .member("num_models", t.started.models.size())
        .member("num_models_completed", state.models_completed);
    w.name("model_ids").begin_array();
    for (auto const& m : t.started.models)
        w.value(m.id);
    w.end_array().name("model_names").begin_array();
    for (auto const& m : t.started.models)
        w.value(m.name);
    w.end_array();
    if (state.graded > 0) {
        auto const n = static_cast<double>(state.graded);
        auto const percent = std::llround(static_cast<double>(state.sum) / n / 1e4);
        w.member("score", percent)
            .member("score_status", score_word(percent))
            .member("pass_pct", std::llround(100.0 * static_cast<double>(state.passed) / n));
    } else {
        w.null("score").null("score_status").null("pass_pct");
    }
    w.member("show_view", true)
        .member("show_continue", t.phase != test_phase::completed)
        .member("status", codec::enum_name(t.phase))
        .member("is_archived", t.archived)
        .member("infinite_mode", t.started.infinite)
        .member("department_ids", t.started.departments)
        .end_object();
    return {};
}

void write_options(json_writer& w, std::string_view name, std::vector<facet_count> const& facets,
                   std::function<std::optional<std::string>(uuid const&)> const& label)
{
    w.name(name).begin_array();
    for (auto const& f : facets)
        w.begin_object()
            .member("value", f.value)
            .member("label", f.name.empty() ? label(f.value) : std::optional(f.name))
            .member("count", f.tests)
            .end_object();
    w.end_array();
}

projections::page page_of(history_body const& asked, std::uint64_t size)
{
    auto const number = static_cast<std::uint64_t>(asked.history_page.value_or(1)) - 1;
    return {std::min<std::uint64_t>(number, UINT32_MAX) * size, size};
}

} // namespace

bool is_history(json::object const& body)
{
    return std::ranges::any_of(body, [](auto const& m) {
        return std::string_view(m.key()).starts_with("history_") && !m.value().is_null();
    });
}

result<void> write_history(json_writer& w, services const& s, incoming const& in,
                           projections::reader const& views, history_body const& asked)
{
    auto const size = page_size_of(asked.history_page_size);
    ASSAY_TRY(auto const page, projections::list_tests(views, in.who.workspace,
                                                       filter_of(in, asked), page_of(asked, size)));
    w.begin_object().name("data").begin_array();
    for (auto const& t : page.tests)
        ASSAY_CHECK(write_item(w, s, views, t));
    w.end_array()
        .member("total_count", page.total)
        .member("page", asked.history_page.value_or(1))
        .member("page_size", size);
    auto const item_name = [&](item_kind kind) {
        return [&views, &in, kind](uuid const& id) -> std::optional<std::string> {
            auto row = projections::get_item(views, in.who.workspace, kind, id);
            return row ? std::optional(row->name) : std::nullopt;
        };
    };
    write_options(w, "eval_options", page.evals, item_name(item_kind::eval));
    write_options(w, "model_options", page.models, item_name(item_kind::model));
    write_options(w, "profile_options", page.profiles,
                  [&](uuid const& id) -> std::optional<std::string> {
                      auto const who = s.keys.profile(id);
                      return who ? std::optional(who->name) : std::nullopt;
                  });
    write_options(w, "rubric_options", page.rubrics, item_name(item_kind::rubric));
    w.end_object();
    return {};
}

result<std::string> history(services const& s, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<history_body>(in.body));
    ASSAY_TRY(auto const views, views_of(s, in, asked.snapshot_key));
    std::string body;
    json_writer w(body);
    ASSAY_CHECK(write_history(w, s, in, *views, asked));
    return body;
}

} // namespace assay::api
