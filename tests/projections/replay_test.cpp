#include "projections/queries.hpp"
#include "tests/projections/history.hpp"
#include "tests/projections/memory.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <random>

using namespace assay;
using namespace assay::projections;

namespace {

/// The first row that differs, for the failure report.
std::string difference(test::memory_views const& a, test::memory_views const& b)
{
    for (std::size_t i = 0; i < view_count; ++i) {
        auto const& left = a.all()[i];
        auto const& right = b.all()[i];
        auto const& v = all_views()[i];
        for (auto const& [key, value] : left) {
            auto const found = right.find(key);
            if (found == right.end() || found->second != value)
                return fmt::format(
                    "view {} row {}: {} against {}", v.name, to_hex(key), v.describe(key, value),
                    found == right.end() ? "nothing" : v.describe(key, found->second));
        }
        if (left.size() != right.size())
            return fmt::format("view {}: {} rows against {}", v.name, left.size(), right.size());
    }
    return {};
}

/// One pass over the whole history, stored at the end.
void replay(test::memory_views& views, std::vector<events::commit_ptr> const& commits)
{
    for (auto const& c : commits)
        REQUIRE(views.stage(*c));
    views.settle();
}

} // namespace

TEST_CASE("every view: live and rebuilt rows are equal byte for byte", "[projections][replay]")
{
    auto const seed = GENERATE(take(12, random(std::uint32_t{1}, std::uint32_t{1} << 30)));
    INFO("seed " << seed);
    auto const history = test::random_history(seed, 600);
    CHECK(history.events() > 600);

    // Live: drains of random length, tiny caches, commits taken back and staged again.
    std::mt19937_64 random(seed);
    test::memory_views live(4'000);
    for (std::size_t at = 0; at < history.commits().size();) {
        auto const last = std::min<std::size_t>(history.commits().size(), at + 1 + random() % 20);
        for (; at < last; ++at) {
            if (random() % 8 == 0) {
                REQUIRE(live.stage(*history.commits()[at]));
                live.undo();
            }
            REQUIRE(live.stage(*history.commits()[at]));
        }
        live.settle();
    }
    test::memory_views rebuilt(1 << 30);
    replay(rebuilt, history.commits());
    CHECK(difference(live, rebuilt) == "");
}

TEST_CASE("views: say the same as the states that decisions see", "[projections][replay]")
{
    auto const seed = GENERATE(take(12, random(std::uint32_t{1}, std::uint32_t{1} << 30)));
    INFO("seed " << seed);
    auto const history = test::random_history(seed, 500);
    test::memory_views views;
    replay(views, history.commits());

    auto const open = list_open_tests(views).value();
    for (auto const& [id, state] : history.partitions()) {
        if (!state.test.exists)
            continue;
        auto const test = get_test(views, id).value();
        CHECK(test.phase == state.test.phase);
        CHECK(test.archived == state.test.archived);
        CHECK(test.size().repeats == state.test.size.repeats);
        auto const counts = get_test_counts(views, id).value();
        CHECK(codec::to_json(counts.counts) == codec::to_json(state.test.counts));

        auto const page = list_cells(views, test, {0, 1'000'000}).value();
        REQUIRE(page.total == state.test.cells());
        REQUIRE(page.cells.size() == page.total);
        cell_counts recounted;
        std::vector<std::uint32_t> queued;
        std::vector<std::uint32_t> running;
        for (auto const& c : page.cells) {
            auto const own = state.cells.contains(c.cell) ? state.cells.at(c.cell) : cell_state{};
            REQUIRE(c.status == effective_status(state.test, own));
            REQUIRE(codec::to_json(c.row.own) == codec::to_json(own));
            ++recounted.of(c.status);
            if (c.status == cell_status::queued)
                queued.push_back(c.cell);
            if (c.status == cell_status::running)
                running.push_back(c.cell);
        }
        CHECK(codec::to_json(recounted) == codec::to_json(counts.counts));

        CHECK(next_queued(views, id, 0, 1'000'000).value() == queued);
        std::vector<std::uint32_t> open_runs;
        for (auto const& r : test::must(list_open_runs(views, id)))
            open_runs.push_back(r.cell);
        CHECK(open_runs == running);
        auto const listed =
            std::find_if(open.begin(), open.end(), [&](auto const& t) { return t.id == id; });
        CHECK((listed != open.end()) == (!queued.empty() || !running.empty()));
    }
}

TEST_CASE("benchmark: totals are the sum of the cells, whatever was graded again",
          "[projections][replay]")
{
    auto const seed = GENERATE(take(12, random(std::uint32_t{1}, std::uint32_t{1} << 30)));
    INFO("seed " << seed);
    auto const history = test::random_history(seed, 500);
    test::memory_views views;
    replay(views, history.commits());

    for (auto const& [id, state] : history.partitions()) {
        if (!state.test.exists)
            continue;
        auto const test = get_test(views, id).value();
        auto const cells = test::must(list_cells(views, test, {0, 1'000'000})).cells;
        for (auto const& line : test::must(get_benchmark(views, test))) {
            score_total scores;
            score_total accuracy;
            std::uint32_t errors = 0;
            std::uint32_t running = 0;
            std::uint32_t completed = 0;
            std::uint64_t calls = 0;
            std::uint64_t tokens = 0;
            std::uint64_t timed = 0;
            for (auto const& c : cells) {
                if (c.place.model != line.model || c.place.agent != line.agent)
                    continue;
                if (c.row.grade) {
                    scores.add(c.row.grade->score_ppm, c.row.grade->passed);
                    for (auto const& s : c.row.grade->standards) {
                        if (s.group == test::id_of("accuracy"))
                            accuracy.add(s.score_ppm, s.passed);
                    }
                }
                errors += c.row.grading_error ? 1 : 0;
                running += c.row.own.status == cell_status::running ? 1 : 0;
                completed += c.row.outcome == outcome::completed ? 1 : 0;
                for (auto const& r : test::must(list_runs(views, id, c.cell))) {
                    calls += r.calls.size();
                    tokens += r.row.input_tokens.sum;
                    for (auto const& call : r.calls)
                        timed += call.call.answer && call.call.latency_us > 0 ? 1 : 0;
                }
            }
            CHECK(line.totals.scores == scores);
            CHECK(line.totals.grader_errors == errors);
            CHECK(line.totals.running == running);
            CHECK(line.totals.results.completed == completed);
            CHECK(line.totals.calls == calls);
            CHECK(line.totals.input_tokens.sum == tokens);
            CHECK(line.totals.latency.n == timed);
            std::uint64_t in_buckets = 0;
            for (auto const& b : line.latencies)
                in_buckets += b.count;
            CHECK(in_buckets == timed);
            REQUIRE(line.standards.size() == 2);
            CHECK(line.standards[0].scores == accuracy);
        }
        if (test.size().models < 2)
            continue;
        statistics::paired_counts expected;
        std::map<std::pair<std::uint32_t, std::uint32_t>, std::array<std::optional<bool>, 2>> pairs;
        for (auto const& c : cells) {
            if (c.cell < added_cells_from && c.place.agent == 0 && c.place.model < 2 && c.row.grade)
                pairs[{c.place.scenario, c.place.repeat}][c.place.model] = c.row.grade->passed;
        }
        for (auto const& [place, p] : pairs) {
            if (p[0] && p[1])
                expected.add(*p[0], *p[1]);
        }
        auto const counts = paired(views, test, 0, 1, 0).value();
        CHECK(counts.both == expected.both);
        CHECK(counts.baseline_only == expected.baseline_only);
        CHECK(counts.candidate_only == expected.candidate_only);
        CHECK(counts.neither == expected.neither);
    }
}
