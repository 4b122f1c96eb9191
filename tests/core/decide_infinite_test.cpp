#include "tests/core/history.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::test;

namespace {

event::test_started endless(std::uint32_t repeats, std::optional<std::uint32_t> max)
{
    auto e = a_grid(1, 2, repeats);
    e.infinite = true;
    e.max_repeats = max;
    return e;
}

draft started_run(std::uint32_t cell)
{
    return of_cell(cell, event::run_started{1});
}

command::record_progress end_of(std::uint32_t cell)
{
    auto c = progress(cell, 1);
    c.ended = ended(1, outcome::completed);
    return c;
}

} // namespace

TEST_CASE("infinite: a start needs an end that fits", "[core][decide]")
{
    auto const [repeats, max, then] =
        GENERATE(table<std::uint32_t, std::optional<std::uint32_t>, std::string>({
            {1, 3, "test_started"},
            {3, 3, "test_started"},
            {1, std::nullopt, "max_repeats_missing"},
            {1, 939'524'096, "test_started"},
            {1, 939'524'097, "grid_too_large"},
        }));
    CHECK(outcome_of(decide(replay({}), starting(endless(repeats, max)))) == then);
}

TEST_CASE("infinite: a repeat is queued when a cell ends and none is queued", "[core][decide]")
{
    history given{of_test(endless(1, 3)), started_run(0)};
    CHECK(outcome_of(decide(replay(given), end_of(0))) == "0:run_ended 1");
    given.push_back(started_run(1));
    CHECK(outcome_of(decide(replay(given), end_of(0))) == "0:run_ended 1, test_extended 2 2");

    given.push_back(of_test(event::test_extended{2, 2}));
    auto const state = replay(given);
    CHECK(state.test.size.repeats == 2);
    CHECK(state.test.counts.queued == 2);
    CHECK(state.test.counts.total() == state.test.cells());
    CHECK(state.test.has_cell(3));
    CHECK(outcome_of(decide(state, end_of(0))) == "0:run_ended 1");
}

TEST_CASE("infinite: a cell completed by hand is a cell that ended", "[core][decide]")
{
    history const given{of_test(endless(1, 3)), started_run(0)};
    CHECK(outcome_of(decide(replay(given), command::complete_cell{test_id, 1})) ==
          "1:cell_completed 0, test_extended 2 2");
    CHECK(outcome_of(decide(replay(given), command::complete_cell{test_id, 0})) ==
          "0:cell_completed 1");
}

TEST_CASE("infinite: it ends with max_repeats, a stop or the test", "[core][decide]")
{
    auto const plain = a_grid(1, 2);
    history const running{started_run(0), started_run(1)};
    auto const after = [&](event::test_started const& e, std::vector<draft> more) {
        history given{of_test(e)};
        given.insert(given.end(), running.begin(), running.end());
        given.insert(given.end(), more.begin(), more.end());
        return outcome_of(decide(replay(given), end_of(0)));
    };
    CHECK(after(endless(1, 2), {}) == "0:run_ended 1, test_extended 2 2");
    CHECK(after(endless(1, 1), {}) == "0:run_ended 1");
    CHECK(after(plain, {}) == "0:run_ended 1");
    CHECK(after(endless(1, 2), {of_test(event::test_stopped{})}) == "0:run_ended 1");
    CHECK(after(endless(1, 2), {of_test(event::test_stopped{}), of_test(event::test_reopened{})}) ==
          "0:run_ended 1");
    CHECK(after(endless(1, 2), {of_test(event::test_completed{})}) == "nothing");
}
