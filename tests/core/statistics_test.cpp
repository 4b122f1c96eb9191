#include "core/json.hpp"
#include "core/statistics.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

using namespace assay;
using namespace assay::statistics;

namespace {

/// One table of tests/data/statistics/values.json.
json::array const& table(std::string_view name)
{
    static json::value const values = [] {
        std::ifstream file(ASSAY_SOURCE_DIR "/tests/data/statistics/values.json");
        std::string const text(std::istreambuf_iterator<char>(file), {});
        auto parsed = json::parse(text);
        REQUIRE(parsed);
        return *parsed;
    }();
    return values.at(name).as_array();
}

std::uint64_t count(json::value const& row, std::string_view name)
{
    return row.at(name).to_number<std::uint64_t>();
}

double number(json::value const& row, std::string_view name)
{
    return row.at(name).to_number<double>();
}

bool close(double seen, double wanted, double relative = 1e-9)
{
    return std::abs(seen - wanted) <= std::max(1e-12, relative * std::abs(wanted));
}

score_sums sums_of(json::value const& values)
{
    score_sums sums;
    for (auto const& value : values.as_array())
        sums.add(value.to_number<std::int64_t>());
    return sums;
}

std::vector<score_pair> pairs_of(json::value const& row)
{
    std::vector<score_pair> pairs;
    for (auto const& pair : row.at("pairs").as_array())
        pairs.push_back(
            {pair.at(0).to_number<std::int64_t>(), pair.at(1).to_number<std::int64_t>()});
    return pairs;
}

} // namespace

TEST_CASE("wilson: equals statsmodels at three levels", "[core][statistics]")
{
    for (auto const& row : table("wilson")) {
        auto const seen = wilson(count(row, "passed"), count(row, "n"), number(row, "z"));
        INFO(row);
        CHECK(close(seen.low, number(row, "low")));
        CHECK(close(seen.high, number(row, "high")));
    }
}

TEST_CASE("wilson: the ends are exact and nothing is known of nothing", "[core][statistics]")
{
    CHECK(wilson(0, 0).low == 0);
    CHECK(wilson(0, 0).high == 1);
    CHECK(wilson(0, 7).low == 0);
    CHECK(wilson(7, 7).high == 1);
}

TEST_CASE("mcnemar: equals SciPy's exact binomial test, large counts too", "[core][statistics]")
{
    for (auto const& row : table("mcnemar_p")) {
        INFO(row);
        CHECK(close(mcnemar(count(row, "b"), count(row, "c")), number(row, "p")));
        CHECK(mcnemar(count(row, "b"), count(row, "c")) ==
              mcnemar(count(row, "c"), count(row, "b")));
    }
    CHECK(mcnemar(5'000, 0) == 0); // 2^-4999
    CHECK(mcnemar(0, 0) == 1);
}

TEST_CASE("newcombe_paired: equals the published method, mirrored when the runs swap",
          "[core][statistics]")
{
    for (auto const& row : table("paired")) {
        INFO(row);
        paired_counts const counts{count(row, "both"), count(row, "b"), count(row, "c"),
                                   count(row, "neither")};
        auto const seen = newcombe_paired(counts, number(row, "z"));
        CHECK(close(seen.low, number(row, "low")));
        CHECK(close(seen.high, number(row, "high")));
        CHECK(seen.low >= -1);
        CHECK(seen.high <= 1);

        paired_counts const swapped{counts.both, counts.candidate_only, counts.baseline_only,
                                    counts.neither};
        auto const mirrored = newcombe_paired(swapped, number(row, "z"));
        CHECK(close(mirrored.low, -seen.high));
        CHECK(close(mirrored.high, -seen.low));
        CHECK(close(compare_paired(counts).difference, number(row, "difference")));
    }
}

TEST_CASE("compare_paired: the verdict is about the candidate", "[core][statistics]")
{
    auto const [counts, outcome] = GENERATE(Catch::Generators::table<paired_counts, verdict>({
        {{0, 0, 0, 0}, verdict::cannot_tell},
        {{10, 0, 0, 10}, verdict::cannot_tell},
        {{10, 0, 5, 10}, verdict::cannot_tell}, // p = 0.0625
        {{10, 0, 6, 10}, verdict::better},      // p = 0.03125
        {{10, 6, 0, 10}, verdict::worse},
        {{500, 300, 400, 119}, verdict::better},
        {{500, 350, 350, 119}, verdict::cannot_tell},
    }));
    auto const seen = compare_paired(counts);
    CAPTURE(seen.p, seen.difference);
    CHECK(name(seen.outcome) == name(outcome));
    CHECK(seen.bounds.low <= seen.difference);
    CHECK(seen.difference <= seen.bounds.high);
}

TEST_CASE("paired_counts: each case lands in its own corner", "[core][statistics]")
{
    paired_counts counts;
    counts.add(true, true);
    counts.add(true, false);
    counts.add(true, false);
    counts.add(false, true);
    CHECK(counts.both == 1);
    CHECK(counts.baseline_only == 2);
    CHECK(counts.candidate_only == 1);
    CHECK(counts.neither == 0);
    CHECK(counts.n() == 4);
}

TEST_CASE("mean: equals SciPy's t interval", "[core][statistics]")
{
    for (auto const& row : table("means")) {
        auto const seen = mean(sums_of(row.at("values")));
        REQUIRE(seen.bounds);
        CHECK(close(*seen.mean, number(row, "mean")));
        CHECK(close(*seen.standard_error, number(row, "standard_error")));
        CHECK(close(seen.bounds->low, number(row, "low")));
        CHECK(close(seen.bounds->high, number(row, "high")));
    }
}

TEST_CASE("mean: what too few scores cannot tell is absent", "[core][statistics]")
{
    score_sums sums;
    CHECK_FALSE(mean(sums).mean);
    sums.add(400'000);
    CHECK(mean(sums).mean == 0.4);
    CHECK_FALSE(mean(sums).standard_error);
    CHECK_FALSE(mean(sums).bounds);
}

TEST_CASE("score_sums: a removed score leaves no trace", "[core][statistics]")
{
    score_sums sums;
    sums.add(1'000'000);
    auto const before = sums;
    sums.add(-250'000);
    CHECK(sums != before);
    sums.remove(-250'000);
    CHECK(sums == before);
}

TEST_CASE("mean_clustered: equals Miller's equation 4", "[core][statistics]")
{
    for (auto const& row : table("clustered")) {
        std::vector<clustered_score> scores;
        for (auto const& score : row.at("scores").as_array())
            scores.push_back(
                {score.at(0).to_number<std::uint64_t>(), score.at(1).to_number<std::int64_t>()});
        auto const seen = mean_clustered(scores);
        REQUIRE(seen.bounds);
        CHECK(close(*seen.mean, number(row, "mean")));
        CHECK(close(*seen.standard_error, number(row, "standard_error")));
        CHECK(close(seen.bounds->low, number(row, "low")));
        CHECK(close(seen.bounds->high, number(row, "high")));
    }
}

TEST_CASE("mean_clustered: one cluster has a mean and no interval", "[core][statistics]")
{
    std::vector<clustered_score> const scores{{1, 0}, {1, 1'000'000}};
    CHECK(mean_clustered(scores).mean == 0.5);
    CHECK_FALSE(mean_clustered(scores).bounds);
    CHECK_FALSE(mean_clustered({}).mean);
}

TEST_CASE("quantile: equals NumPy's default", "[core][statistics]")
{
    for (auto const& row : table("quantiles")) {
        INFO(row);
        std::vector<std::int64_t> values;
        for (auto const& value : row.at("sorted").as_array())
            values.push_back(value.to_number<std::int64_t>());
        auto const seen = statistics::quantile(values, number(row, "p"));
        REQUIRE(seen);
        CHECK(close(*seen, number(row, "value")));
    }
    CHECK_FALSE(statistics::quantile({}, 0.5));
}

TEST_CASE("pass@k and pass^k: equal the ratios of binomial coefficients", "[core][statistics]")
{
    for (auto const& row : table("passes")) {
        INFO(row);
        auto const n = count(row, "n");
        auto const passed = count(row, "passed");
        auto const k = count(row, "k");
        CHECK(close(pass_at_k(n, passed, k).value(), number(row, "at")));
        CHECK(close(pass_hat_k(n, passed, k).value(), number(row, "hat")));
    }
    auto const [n, passed, k] = GENERATE(
        Catch::Generators::table<int, int, int>({{0, 0, 0}, {5, 2, 0}, {5, 2, 6}, {5, 6, 1}}));
    CHECK_FALSE(pass_at_k(n, passed, k));
    CHECK_FALSE(pass_hat_k(n, passed, k));
}

TEST_CASE("compare_scores: bit for bit what the second implementation found", "[core][statistics]")
{
    for (auto const& row : table("bootstraps")) {
        auto const pairs = pairs_of(row);
        auto const resamples = static_cast<std::uint32_t>(count(row, "resamples"));
        auto const seen = compare_scores(pairs, count(row, "seed"), resamples);
        REQUIRE(seen.bounds);
        CHECK(seen.difference == number(row, "difference"));
        CHECK(seen.bounds->low == number(row, "low"));
        CHECK(seen.bounds->high == number(row, "high"));
        CHECK(seen.p == number(row, "p"));
    }
}

TEST_CASE("compare_scores: within sampling error of SciPy's bootstrap and permutation test",
          "[core][statistics]")
{
    for (auto const& row : table("bootstraps")) {
        auto const seen = compare_scores(pairs_of(row), count(row, "seed"));
        REQUIRE(seen.bounds);
        double const width = number(row, "near_high") - number(row, "near_low");
        CHECK(std::abs(seen.bounds->low - number(row, "near_low")) <= 0.03 * width);
        CHECK(std::abs(seen.bounds->high - number(row, "near_high")) <= 0.03 * width);
        CHECK(std::abs(seen.p - number(row, "near_p")) <= 0.02);
    }
}

TEST_CASE("compare_scores: a handful of pairs decides nothing, many do", "[core][statistics]")
{
    auto const [n, change, outcome] = GENERATE(Catch::Generators::table<int, int, verdict>({
        {0, 10'000, verdict::cannot_tell},
        {1, 10'000, verdict::cannot_tell},
        {3, 10'000, verdict::cannot_tell},
        {5, 10'000, verdict::cannot_tell},
        {12, 10'000, verdict::better},
        {12, -10'000, verdict::worse},
        {12, 0, verdict::cannot_tell},
    }));
    std::vector<score_pair> const pairs(static_cast<std::size_t>(n), {500'000, 500'000 + change});
    CAPTURE(n, change);
    CHECK(name(compare_scores(pairs, 1).outcome) == name(outcome));
}

TEST_CASE("compare_scores: swapping the runs mirrors the answer exactly", "[core][statistics]")
{
    for (auto const& row : table("bootstraps")) {
        auto pairs = pairs_of(row);
        auto const seen = compare_scores(pairs, 5, 1'000);
        for (auto& pair : pairs)
            std::swap(pair.baseline, pair.candidate);
        auto const mirrored = compare_scores(pairs, 5, 1'000);
        CHECK(mirrored.bounds->low == -seen.bounds->high);
        CHECK(mirrored.bounds->high == -seen.bounds->low);
        CHECK(mirrored.p == seen.p);
    }
}

TEST_CASE("seed_from: depends on the ids, not on their order", "[core][statistics]")
{
    for (auto const& row : table("seeds")) {
        std::vector<std::string> ids;
        for (auto const& id : row.at("ids").as_array())
            ids.emplace_back(id.as_string());
        std::vector<std::string_view> const views(ids.begin(), ids.end());
        CHECK(std::to_string(seed_from(views)) == row.at("seed").as_string());
    }
}
