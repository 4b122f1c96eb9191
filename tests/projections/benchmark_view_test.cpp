#include "projections/queries.hpp"
#include "tests/projections/history.hpp"
#include "tests/projections/memory.hpp"

#include <catch2/catch.hpp>

#include <random>

using namespace assay;
using namespace assay::projections;
using test::must;

namespace {

uuid const here = test::id_of("workspace");

struct one_test {
    test::history history;
    test::memory_views views;
    test::start_options options;
    uuid id;

    explicit one_test(test::start_options const& o) : options(o)
    {
        auto const start = test::start_command("a", options);
        id = start.test;
        give(start);
    }

    void give(any_command const& c)
    {
        history.must(here, c);
        views.follow(history);
    }

    [[nodiscard]] std::uint32_t cell(std::uint32_t model, std::uint32_t scenario,
                                     std::uint32_t repeat = 0) const
    {
        return cell_at(test().size(), {model, scenario, 0, repeat});
    }

    void run(std::uint32_t cell, std::uint32_t score_ppm, std::uint64_t latency_us = 20'000)
    {
        give(command::begin_runs{id, {cell}});
        auto p = test::progress(id, cell, 1, outcome::completed, score_ppm);
        p.call->latency_us = latency_us;
        give(p);
    }

    [[nodiscard]] test_row test() const { return must(get_test(views, id)); }

    [[nodiscard]] benchmark_line line(std::uint32_t model) const
    {
        return must(get_benchmark(views, test())).at(model);
    }
};

} // namespace

TEST_CASE("latency buckets: the middle is within 2 % of any value", "[projections][benchmark]")
{
    std::mt19937_64 random(1);
    for (int i = 0; i < 100'000; ++i) {
        auto const us = random() >> (random() % 64);
        auto const bucket = latency::bucket_of(us);
        auto const edge = latency::lower_edge(bucket);
        auto const middle = latency::middle(bucket);
        CHECK(edge <= us);
        if (bucket < latency::bucket_of(UINT64_MAX))
            CHECK(latency::lower_edge(static_cast<std::uint16_t>(bucket + 1)) > us);
        auto const error = middle > us ? middle - us : us - middle;
        CHECK(static_cast<double>(error) <= 0.0157 * static_cast<double>(us));
    }
    CHECK(latency::bucket_of(0) == 0);
    CHECK(latency::bucket_of(63) == 63);
    CHECK(latency::bucket_of(64) == 64);
    CHECK(latency::lower_edge(64) == 64);
}

TEST_CASE("latency_quantile: nearest rank over buckets", "[projections][benchmark]")
{
    CHECK_FALSE(latency_quantile({}, 0.5));
    std::vector<latency_bucket> const buckets{{10, 50}, {20, 45}, {30, 5}};
    CHECK(latency_quantile(buckets, 0.0) == 10U);
    CHECK(latency_quantile(buckets, 0.5) == 10U);
    CHECK(latency_quantile(buckets, 0.6) == 20U);
    CHECK(latency_quantile(buckets, 0.95) == 20U);
    CHECK(latency_quantile(buckets, 0.99) == 30U);
    CHECK(latency_quantile(buckets, 1.0) == 30U);
}

TEST_CASE("score totals: sums survive adding and removing beyond 64 bits of squares",
          "[projections][benchmark]")
{
    score_total total;
    for (std::uint64_t i = 0; i < 40; ++i)
        total.add(1'000'000, true);
    auto const forty = total;
    total.squares_low = UINT64_MAX - 5; // as after 18 million full scores
    auto const near = total;
    total.add(1'000'000, true);
    CHECK(total.squares_high == 1);
    total.remove(1'000'000, true);
    CHECK(total == near);
    CHECK(forty.sums().n == 40);
    CHECK(forty.sums().sum == 40'000'000);

    score_total big{20'000'000, 20'000'000, 20'000'000ULL * 1'000'000, 0, 0};
    big.squares_high = 1; // 20 million squares of 10^12 are 2 * 10^19 > 2^64
    big.squares_low = static_cast<std::uint64_t>(20'000'000ULL) * 1'000'000'000'000ULL;
    auto const sums = big.sums();
    CHECK(sums.n == 10'000'000);
    CHECK(sums.sum == 10'000'000LL * 1'000'000);
    CHECK(static_cast<double>(sums.sum_of_squares) == Approx(1e19).epsilon(1e-9));
}

TEST_CASE("benchmark: one line per model with outcomes, scores, tokens, cost and latency",
          "[projections][benchmark]")
{
    one_test t({.models = 2, .scenarios = 5});
    t.run(t.cell(0, 0), 1'000'000, 10'000);
    t.run(t.cell(0, 1), 500'000, 30'000);
    t.run(t.cell(0, 2), 700'000, 0); // a recording that does not know how long it took
    t.give(command::begin_runs{t.id, {t.cell(0, 3), t.cell(1, 0), t.cell(1, 1)}});
    t.give(test::progress(t.id, t.cell(1, 0), 1, outcome::timeout));
    t.give(command::fail_cells{t.id, {t.cell(1, 2)}, fail_reason::key_revoked});
    t.give(command::terminate_cell{t.id, t.cell(1, 3)});

    auto const a = t.line(0);
    CHECK(a.cells == 5);
    CHECK(a.totals.results.completed == 3);
    CHECK(a.totals.results.ended() == 3);
    CHECK(a.totals.running == 1);
    CHECK(a.totals.scores.n == 3);
    CHECK(a.totals.scores.passed == 2);
    CHECK(a.totals.scores.sum == 2'200'000);
    CHECK(statistics::mean(a.totals.scores.sums()).mean.value() == Approx(0.733333));
    CHECK(a.totals.calls == 3);
    CHECK(a.totals.input_tokens.sum == 360);
    CHECK(a.totals.cached_input_tokens.known == 0);
    REQUIRE(a.totals.costs.size() == 1);
    CHECK(a.totals.costs[0].currency == "USD");
    CHECK(a.totals.costs[0].pico == 4'500'000);
    CHECK(a.totals.latency.n == 2);
    CHECK(a.totals.latency.min_us == 10'000);
    CHECK(a.totals.latency.max_us == 30'000);
    CHECK(static_cast<double>(latency_quantile(a.latencies, 1.0).value()) ==
          Approx(30'000).epsilon(0.016));
    REQUIRE(a.standards.size() == 2);
    CHECK(a.standards[0].name == "accuracy");
    CHECK(a.standards[0].scores.n == 3);
    CHECK(a.standards[1].scores.sum == 1'100'000);

    auto const b = t.line(1);
    CHECK(b.totals.results.timeout == 1);
    CHECK(b.totals.results.failed_unrun == 1);
    CHECK(b.totals.results.terminated == 1);
    CHECK(b.totals.running == 1);
    CHECK(b.totals.scores.n == 0);
    CHECK(b.totals.latency.n == 0); // nothing answered
}

TEST_CASE("benchmark: a newer grade replaces the older everywhere", "[projections][benchmark]")
{
    one_test t({.models = 2, .scenarios = 3});
    for (std::uint32_t model = 0; model < 2; ++model) {
        for (std::uint32_t scenario = 0; scenario < 3; ++scenario)
            t.run(t.cell(model, scenario), model == 0 ? 1'000'000 : 200'000);
    }
    auto counts = must(paired(t.views, t.test(), 0, 1, 0));
    CHECK(counts.baseline_only == 3);
    t.give(command::grade_cell{t.id, t.cell(1, 1), {}, 10, false});
    t.give(command::grade_cell{t.id, t.cell(0, 2), {}, 0, false});

    counts = must(paired(t.views, t.test(), 0, 1, 0));
    CHECK(counts.both == 1);
    CHECK(counts.baseline_only == 1);
    CHECK(counts.candidate_only == 0);
    CHECK(counts.neither == 1);
    CHECK(t.line(0).totals.scores.n == 3);
    CHECK(t.line(0).totals.scores.passed == 2);
    CHECK(t.line(0).totals.scores.sum == 2'000'000);
    CHECK(t.line(1).totals.scores.sum == 1'400'000);
    CHECK(t.line(0).standards[0].scores.n == 2); // the new grade says nothing of the standards

    auto const scores = must(paired_scores(t.views, t.test(), 0, 1, 0));
    REQUIRE(scores.size() == 3);
    CHECK(scores[1].baseline == 1'000'000);
    CHECK(scores[1].candidate == 1'000'000);
    CHECK(scores[2].baseline == 0);
    auto const card = must(get_eval_card(t.views, here, t.test().started.eval));
    CHECK(card.best_ppm == 666'666U);
    CHECK(card.passed == 3);
}

TEST_CASE("paired: only what both have counts, over chunks and repeats", "[projections][benchmark]")
{
    one_test t({.models = 2, .scenarios = 1'500, .repeats = 2});
    t.run(t.cell(0, 5), 1'000'000);
    t.run(t.cell(0, 1'400), 1'000'000);
    t.run(t.cell(1, 1'400), 0);
    t.run(t.cell(0, 1'400, 1), 0);
    t.run(t.cell(1, 1'400, 1), 1'000'000);
    t.run(t.cell(1, 7), 1'000'000);
    auto const all = must(paired(t.views, t.test(), 0, 1, 0));
    CHECK(all.n() == 2);
    CHECK(all.baseline_only == 1);
    CHECK(all.candidate_only == 1);
    auto const second = must(paired(t.views, t.test(), 0, 1, 0, 1));
    CHECK(second.n() == 1);
    CHECK(second.candidate_only == 1);
    auto const mirrored = must(paired(t.views, t.test(), 1, 0, 0, 1));
    CHECK(mirrored.baseline_only == 1);
    auto const scores = must(paired_scores(t.views, t.test(), 0, 1, 0));
    REQUIRE(scores.size() == 1); // the mean of the scenario's repeats
    CHECK(scores[0].baseline == 500'000);
    CHECK(scores[0].candidate == 500'000);
}

TEST_CASE("heatmap: scenarios by model, repeats folded, a page of them", "[projections][benchmark]")
{
    one_test t({.models = 2, .scenarios = 4, .repeats = 2});
    t.run(t.cell(0, 1, 0), 1'000'000);
    t.run(t.cell(0, 1, 1), 0);
    t.run(t.cell(0, 3), 1'000'000);
    t.run(t.cell(1, 2), 600'000);
    t.give(command::begin_runs{t.id, {t.cell(1, 1)}});
    auto const all = must(get_heatmap(t.views, t.test(), {0, 100}));
    REQUIRE(all.size() == 4);
    CHECK(all[0].scenario == 1);
    CHECK(all[0].ended == 2);
    CHECK(all[0].scores.n == 2);
    CHECK(all[0].scores.passed == 1);
    REQUIRE(all[0].standards.size() == 2);
    CHECK(all[0].standards[0].scores.n == 2);
    CHECK(all[1].scenario == 3);
    CHECK(all[2].model == 1);
    CHECK(all[2].ended == 0); // still running
    CHECK(all[3].scores.sum == 600'000);
    auto const page = must(get_heatmap(t.views, t.test(), {2, 1}));
    REQUIRE(page.size() == 1);
    CHECK(page[0].scenario == 2);
    CHECK(must(get_heatmap(t.views, t.test(), {4, 1})).empty());
}

TEST_CASE("benchmark: cells made by hand count, but pair with nothing", "[projections][benchmark]")
{
    one_test t({.models = 2, .scenarios = 2});
    t.give(command::add_cell{t.id, {1, 0, 0, "by hand", false}});
    t.give(command::run_cell{t.id, added_cells_from});
    t.give(test::progress(t.id, added_cells_from, 1));
    CHECK(t.line(1).cells == 3);
    CHECK(t.line(1).totals.scores.n == 1);
    t.run(t.cell(0, 0), 1'000'000);
    CHECK(must(paired(t.views, t.test(), 0, 1, 0)).n() == 0);
    std::vector<std::uint32_t> repeats;
    REQUIRE(visit_scores(t.views, t.id, 1, 0, [&](placed_score const& p) {
        repeats.push_back(p.repeat);
        return true;
    }));
    CHECK(repeats == std::vector<std::uint32_t>{added_cells_from});
}

TEST_CASE("eval cards: totals over all tests of an eval", "[projections][benchmark]")
{
    one_test t({.models = 2, .scenarios = 2, .eval = "first"});
    t.run(0, 1'000'000);
    t.run(1, 400'000);
    auto const second = test::start_command("b", {.models = 1, .scenarios = 3, .eval = "first"});
    t.give(second);
    t.give(command::complete_test{second.test});
    t.give(command::archive_test{second.test, true});
    t.give(test::start_command("c", {.models = 1, .scenarios = 1, .eval = "other"}));

    auto const cards = must(list_eval_cards(t.views, here));
    REQUIRE(cards.size() == 2);
    auto const first = must(get_eval_card(t.views, here, test::id_of("first")));
    CHECK(first.tests == 2);
    CHECK(first.archived_tests == 1);
    CHECK(first.running_tests == 1);
    CHECK(first.cells == 7);
    CHECK(first.completed_cells == 2);
    CHECK(first.best_ppm == 1'000'000U);
    CHECK(first.passed == 1);
    CHECK_FALSE(must(get_eval_card(t.views, here, test::id_of("other"))).best_ppm);
    CHECK(must(get_eval_card(t.views, test::id_of("elsewhere"), test::id_of("first"))).tests == 0);
    CHECK(must(list_eval_cards(t.views, test::id_of("elsewhere"))).empty());
}
