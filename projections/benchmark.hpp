#pragma once

#include "core/domain/state.hpp"
#include "projections/latency.hpp"
#include "projections/reader.hpp"
#include "projections/rows.hpp"
#include "projections/score_total.hpp"
#include "projections/tests.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace assay::projections {

/// Where a cell stands, in the words of the table.
BOOST_DEFINE_ENUM_CLASS(cell_result, open, completed, refused, provider_error, timeout,
                        not_recorded, terminated, failed_unrun)

/// Cells by how they ended. Cells that are queued, or were closed by a stop before they began, are
/// in none.
struct result_counts {
    std::uint32_t completed = 0;
    std::uint32_t refused = 0;
    std::uint32_t provider_error = 0;
    std::uint32_t timeout = 0;
    std::uint32_t not_recorded = 0;
    std::uint32_t terminated = 0;
    std::uint32_t failed_unrun = 0; ///< key revoked, over budget, configuration

    [[nodiscard]] std::uint32_t ended() const
    {
        return completed + refused + provider_error + timeout + not_recorded + terminated +
               failed_unrun;
    }
};
BOOST_DESCRIBE_STRUCT(result_counts, (),
                      (completed, refused, provider_error, timeout, not_recorded, terminated,
                       failed_unrun))

/// A sum over calls, and how many of them knew the value.
struct known_sum {
    std::uint64_t known = 0;
    std::uint64_t sum = 0;
};
BOOST_DESCRIBE_STRUCT(known_sum, (), (known, sum))

struct cost_sum {
    std::string currency; ///< ISO 4217
    std::uint64_t known = 0;
    std::int64_t pico = 0; ///< 10^-12 of the currency
};
BOOST_DESCRIBE_STRUCT(cost_sum, (), (currency, known, pico))

/// Latencies of calls that brought an answer and said how long it took.
struct latency_sum {
    std::uint64_t n = 0;
    std::uint64_t sum_us = 0;
    std::uint64_t min_us = 0;
    std::uint64_t max_us = 0;
};
BOOST_DESCRIBE_STRUCT(latency_sum, (), (n, sum_us, min_us, max_us))

/// What one model did under one agent in one test. Grades are the cells' current ones; tokens, cost
/// and latency are of every call, also of runs that were fired again.
struct benchmark_row {
    std::uint32_t added = 0;   ///< cells made by hand, beside the grid's
    std::uint32_t running = 0; ///< cells whose newest run has begun and not ended
    result_counts results;
    std::uint32_t grader_errors = 0; ///< answers that the grader could not judge
    score_total scores;              ///< of graded cells
    std::uint64_t calls = 0;
    std::uint64_t reused = 0; ///< of the calls, taken from earlier recordings
    known_sum input_tokens;
    known_sum output_tokens;
    known_sum cached_input_tokens;
    std::vector<cost_sum> costs; ///< ascending by currency
    latency_sum latency;
};
BOOST_DESCRIBE_STRUCT(benchmark_row, (),
                      (added, running, results, grader_errors, scores, calls, reused, input_tokens,
                       output_tokens, cached_input_tokens, costs, latency))

/// What a cell counts for in every aggregate; kept so that a newer grade or run can replace it.
struct cell_score {
    std::uint32_t cell = 0;
    cell_result result{};
    bool grader_error = false;
    bool graded = false;
    bool passed = false;
    std::uint32_t score_ppm = 0;
    std::vector<event::standard_score> standards;
};
BOOST_DESCRIBE_STRUCT(cell_score, (),
                      (cell, result, grader_error, graded, passed, score_ppm, standards))

/// The aggregated side of tests. Reads the lifecycle of tests and cells, calls and grades.
///
/// Rows:  d test -> its dimensions
///        a test, cell -> place of a cell made by hand
///        c test, model, agent, scenario, repeat -> cell_score; for cells made by hand `repeat` is
///        their number g test, model, agent -> benchmark_row s test, model, agent, standard group
///        -> score_total h test, model, agent, bucket -> calls with a latency in the bucket p test,
///        model, agent, repeat, scenario / 1024 -> bitmaps of graded and passed scenarios e
///        workspace, eval, test -> eval_test
class benchmark {
public:
    static constexpr std::string_view name = "benchmark";
    static constexpr std::uint32_t schema = 1;

    [[nodiscard]] result<void> apply(events::recorded const& e, rows& out) const;
    [[nodiscard]] std::string describe(std::string_view key, std::string_view value) const;
};

struct standard_line {
    uuid group;
    std::string name;
    score_total scores;
};

/// One line of a test's table.
struct benchmark_line {
    std::uint32_t model = 0; ///< index into the test's models
    std::uint32_t agent = 0; ///< index into the test's agents
    std::uint64_t cells = 0; ///< of the grid and made by hand
    benchmark_row totals;
    std::vector<latency_bucket> latencies; ///< for latency_quantile
    std::vector<standard_line> standards;  ///< in the rubric's order
};

/// The table of a test: one line per model and agent, models first, also of those that have done
/// nothing yet.
[[nodiscard]] result<std::vector<benchmark_line>> get_benchmark(reader const& views,
                                                                test_row const& test);

/// How two models did on the same scenarios, from the current grades of grid cells. Both must have
/// been graded.
///
/// @param model_a  the baseline, an index into the test's models
/// @param repeat   none: each scenario counts once per repeat that both have
[[nodiscard]] result<statistics::paired_counts> paired(reader const& views, test_row const& test,
                                                       std::uint32_t model_a, std::uint32_t model_b,
                                                       std::uint32_t agent,
                                                       std::optional<std::uint32_t> repeat = {});

/// The same as pairs of scores, one for each scenario that both have a grade of; of repeats the
/// mean.
[[nodiscard]] result<std::vector<statistics::score_pair>>
paired_scores(reader const& views, test_row const& test, std::uint32_t model_a,
              std::uint32_t model_b, std::uint32_t agent);

/// One cell's part in the aggregates, at its place.
struct placed_score {
    std::uint32_t model = 0;
    std::uint32_t agent = 0;
    std::uint32_t scenario = 0;
    std::uint32_t repeat = 0; ///< of a cell made by hand its number, from 2^31
    cell_score score;
};

/// Every touched cell of one model and agent, by scenario, then repeat, while `visit` returns true:
/// for clustered means, pass@k and lists of unstable cells.
[[nodiscard]] result<void> visit_scores(reader const& views, uuid const& test, std::uint32_t model,
                                        std::uint32_t agent,
                                        std::function<bool(placed_score const&)> const& visit);

/// One field of the heatmap: a scenario under a model and agent, over its repeats.
struct heat_cell {
    std::uint32_t model = 0;
    std::uint32_t agent = 0;
    std::uint32_t scenario = 0;
    std::uint64_t ended = 0; ///< cells that have come to rest
    score_total scores;
    std::vector<standard_line> standards; ///< of groups with a score; names left empty
};

/// The heatmap of a test for the scenarios [offset, offset + limit) of every model and agent.
/// Scenarios that nothing has happened to are left out.
[[nodiscard]] result<std::vector<heat_cell>> get_heatmap(reader const& views, test_row const& test,
                                                         page const& scenarios);

/// One test in the totals of its eval.
struct eval_test {
    std::uint64_t cells = 0;
    std::uint64_t completed = 0; ///< cells with an answer or a refusal
    std::uint64_t ended = 0;     ///< cells that came to rest by themselves
    bool archived = false;
    bool infinite = false;
    test_phase phase{};
    std::vector<score_total> models; ///< by index of the test's models
};
BOOST_DESCRIBE_STRUCT(eval_test, (), (cells, completed, ended, archived, infinite, phase, models))

/// An eval over all its tests.
struct eval_card {
    uuid eval;
    std::uint64_t tests = 0;
    std::uint64_t archived_tests = 0;
    std::uint64_t running_tests = 0;
    std::uint64_t cells = 0;
    std::uint64_t completed_cells = 0;
    std::optional<std::uint32_t> best_ppm; ///< highest mean score of a model in one test
    std::uint64_t passed = 0;              ///< graded cells that passed
    bool infinite = false;                 ///< a test of it runs without end
};

/// Cards of the evals that have tests, in the order of ids. Reads one small row per test.
[[nodiscard]] result<std::vector<eval_card>> list_eval_cards(reader const& views,
                                                             uuid const& workspace);

[[nodiscard]] result<eval_card> get_eval_card(reader const& views, uuid const& workspace,
                                              uuid const& eval);

} // namespace assay::projections
