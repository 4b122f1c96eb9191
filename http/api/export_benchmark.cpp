#include "http/api/export_tables.hpp"
#include "http/api/test_rows.hpp"
#include "http/export/values.hpp"

namespace assay::api {

namespace {

using exporting::cell;
using exporting::row_visitor;

/// n, passed, share with its interval, mean score with its interval.
void append_scores(exporting::row& to, projections::score_total const& scores)
{
    to.push_back(cell(scores.n));
    to.push_back(cell(scores.passed));
    if (scores.n == 0) {
        to.insert(to.end(), 6, nullptr);
        return;
    }
    auto const rate = static_cast<double>(scores.passed) / static_cast<double>(scores.n);
    auto const share = statistics::wilson(scores.passed, scores.n);
    auto const mean = statistics::mean(scores.sums());
    to.insert(to.end(), {cell(rate), cell(share.low), cell(share.high), cell(mean.mean)});
    to.push_back(mean.bounds ? cell(mean.bounds->low) : json::value());
    to.push_back(mean.bounds ? cell(mean.bounds->high) : json::value());
}

std::vector<std::string_view> with_scores(std::vector<std::string_view> columns)
{
    columns.insert(columns.end(), {"graded", "passed", "accuracy", "accuracy_low", "accuracy_high",
                                   "score_mean", "score_low", "score_high"});
    return columns;
}

exporting::row place_cells(projections::test_row const& test, std::uint32_t model,
                           std::uint32_t agent)
{
    auto const& m = test.started.models[model];
    auto const& a = test.started.agents[agent];
    return {cell(test.id), cell(m.id), cell(std::string_view(m.name)), cell(a.id),
            cell(std::string_view(a.name))};
}

result<void> model_rows(projections::reader const& views, projections::test_row const& test,
                        row_visitor const& visit)
{
    ASSAY_TRY(auto const lines, projections::get_benchmark(views, test));
    for (auto const& line : lines) {
        auto out = place_cells(test, line.model, line.agent);
        auto const& t = line.totals;
        out.push_back(cell(line.cells));
        out.push_back(cell(t.results.ended()));
        out.push_back(cell(t.calls));
        append_scores(out, t.scores);
        ASSAY_CHECK(visit(out));
    }
    return {};
}

std::vector<std::string_view> model_columns()
{
    return with_scores(
        {"test_id", "model_id", "model_name", "agent_id", "agent_name", "cells", "ended", "calls"});
}

result<void> standard_rows(test_data const& d, row_visitor const& visit)
{
    ASSAY_TRY(auto const lines, projections::get_benchmark(d.views(), d.test()));
    for (auto const& line : lines)
        for (auto const& standard : line.standards) {
            auto out = place_cells(d.test(), line.model, line.agent);
            out.push_back(cell(standard.group));
            out.push_back(cell(std::string_view(standard.name)));
            append_scores(out, standard.scores);
            ASSAY_CHECK(visit(out));
        }
    return {};
}

result<void> scenario_rows(engine::engine const& e, test_data const& d, row_visitor const& visit)
{
    constexpr std::uint64_t at_once = 512;
    for (std::uint64_t at = 0; at < d.test().started.scenarios; at += at_once) {
        ASSAY_TRY(auto const heat, projections::get_heatmap(d.views(), d.test(), {at, at_once}));
        for (auto const& h : heat) {
            auto const scenario = e.scenario_of(d.test(), h.scenario);
            if (!scenario && scenario.error().code != errc::gone)
                return std::unexpected(scenario.error());
            auto out = place_cells(d.test(), h.model, h.agent);
            out.push_back(scenario ? cell(scenario->id) : json::value());
            out.push_back(scenario ? cell(std::string_view(scenario->name)) : json::value());
            out.push_back(cell(h.ended));
            append_scores(out, h.scores);
            ASSAY_CHECK(visit(out));
        }
    }
    return {};
}

/// Every test that a caller may see, oldest first: numbers of tests only grow, so what is walked
/// does not move.
struct test_walk {
    uuid workspace;
    projections::test_filter filter;
    std::shared_ptr<projections::reader const> views;

    result<void> each(std::function<result<void>(projections::test_row const&)> const& visit) const
    {
        constexpr std::uint64_t at_once = 200;
        ASSAY_TRY(auto const all,
                  projections::list_tests(*views, workspace, filter, {0, 0}, false));
        for (std::uint64_t at = 0; at < all.total; at += at_once) {
            ASSAY_TRY(auto const page,
                      projections::list_tests(*views, workspace, filter, {at, at_once}, false));
            for (auto const& t : page.tests)
                ASSAY_CHECK(visit(t));
        }
        return {};
    }
};

result<void> test_row_of(projections::reader const& views, projections::test_row const& t,
                         row_visitor const& visit)
{
    ASSAY_TRY(auto const counts, projections::get_test_counts(views, t.id));
    auto const& c = counts.counts;
    return visit({cell(t.id), cell(std::string_view(t.started.name)), cell(t.started.eval),
                  cell(std::string_view(t.started.eval_name)), cell(codec::enum_name(t.phase)),
                  cell(t.archived), cell(t.started_at), cell(t.completed_at),
                  cell(t.size().cells() + counts.added), cell(c.completed), cell(c.failed),
                  cell(c.terminated), cell(c.open()), cell(counts.graded), cell(counts.passed)});
}

} // namespace

std::vector<exporting::table> benchmark_tables(services const& s, std::shared_ptr<test_data> data)
{
    return {
        {"models", model_columns(),
         [data](row_visitor const& visit) {
             return model_rows(data->views(), data->test(), visit);
         }},
        {"standards",
         with_scores({"test_id", "model_id", "model_name", "agent_id", "agent_name",
                      "standard_group_id", "standard_group_name"}),
         [data](row_visitor const& visit) { return standard_rows(*data, visit); }},
        {"scenarios",
         with_scores({"test_id", "model_id", "model_name", "agent_id", "agent_name", "scenario_id",
                      "scenario_name", "ended"}),
         [data, &e = s.engine](row_visitor const& visit) {
             return scenario_rows(e, *data, visit);
         }},
    };
}

std::vector<exporting::table> workspace_tables(incoming const& in,
                                               std::shared_ptr<projections::reader const> views)
{
    projections::test_filter filter;
    filter.within_departments = in.scope().departments;
    filter.archived = std::nullopt;
    filter.ascending = true;
    auto const walk =
        std::make_shared<test_walk const>(test_walk{in.who.workspace, filter, std::move(views)});
    using rows_of_test = result<void> (*)(projections::reader const&, projections::test_row const&,
                                          row_visitor const&);
    auto const rows = [walk](rows_of_test write) {
        return [walk, write](row_visitor const& visit) {
            return walk->each(
                [&](projections::test_row const& t) { return write(*walk->views, t, visit); });
        };
    };
    return {
        {"tests",
         {"test_id", "test_name", "eval_id", "eval_name", "status", "archived", "started_at",
          "completed_at", "cells", "completed", "failed", "terminated", "open", "graded", "passed"},
         rows(test_row_of)},
        {"models", model_columns(), rows(model_rows)},
    };
}

} // namespace assay::api
