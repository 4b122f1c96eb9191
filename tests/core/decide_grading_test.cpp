#include "tests/core/history.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::test;

namespace {

/// Cell 0 answered in two runs, the second with two calls; cell 1 closed by hand without a run.
history const answered{
    of_test(a_grid(1, 3)),
    of_cell(0, event::run_started{1}),
    of_cell(0, call(1, 1)),
    of_cell(0, ended(1, outcome::timeout)),
    of_cell(0, event::run_started{2}),
    of_cell(0, call(2, 2)),
    of_cell(0, call(2, 3)),
    of_cell(0, ended(2, outcome::completed)),
    of_cell(1, event::cell_completed{0}),
};

history graded()
{
    auto out = answered;
    out.push_back(of_cell(0, grade(1, 2)));
    out.push_back(of_cell(1, grade(1, 0)));
    return out;
}

command::grade_cell in_full(std::optional<std::int64_t> score)
{
    auto c = grading(0, score);
    c.full = true;
    return c;
}

uuid call_of(std::uint32_t cell, std::uint16_t ordinal)
{
    return grid_id::make(test_id, grid_kind::call, cell, ordinal);
}

} // namespace

TEST_CASE("grade: outcome for each score", "[core][decide]")
{
    auto const [when, then] = GENERATE(table<command::grade_cell, std::string>({
        {grading(0, 0), "0:grade_recorded 2 1"},
        {grading(0, 10), "0:grade_recorded 2 1"},
        {grading(0, 11), "score_out_of_range"},
        {grading(0, -1), "score_out_of_range"},
        {grading(0, INT64_MIN), "score_out_of_range"},
        {grading(0, INT64_MAX), "score_out_of_range"},
        {grading(0, {}), "score_missing"},
        {in_full({}), "0:grade_recorded 2 1"},
        {in_full(99), "0:grade_recorded 2 1"},
        {grading(0, 5, 1), "0:grade_recorded 1 1"},
        {grading(0, 5, 2), "0:grade_recorded 2 1"},
        {grading(0, 5, 0), "run_not_found"},
        {grading(0, 5, 3), "run_not_found"},
        {grading(1, 5), "1:grade_recorded 0 1"},
        {grading(2, 5), "invocation_queued"},
        {grading(3, 5), "invocation_not_found"},
    }));
    CHECK(outcome_of(decide(replay(answered), when)) == then);
}

TEST_CASE("grade: passed from pass_points on, the score in millionths of the total",
          "[core][decide]")
{
    auto const [score, ppm, passed] = GENERATE(table<std::int64_t, std::uint32_t, bool>({
        {0, 0, false},
        {5, 500'000, false},
        {6, 600'000, true},
        {10, 1'000'000, true},
    }));
    auto const made = decide(replay(answered), grading(0, score));
    REQUIRE(made);
    auto const& grade = std::get<event::grade_recorded>(made->events.at(0).body);
    CHECK(grade.score_ppm == ppm);
    CHECK(grade.passed == passed);
    CHECK(grade.total_points == 10);
    CHECK(grade.grader == "person");
    CHECK(made->answer.at("passed").as_bool() == passed);
    CHECK(made->answer.at("score").as_int64() == score);
}

TEST_CASE("grade: the next grade has the next number and an id of its own", "[core][decide]")
{
    auto const made = decide(replay(graded()), grading(0, 1));
    CHECK(outcome_of(made) == "0:grade_recorded 2 2");
    CHECK(made->answer.at("grade_id").as_string() ==
          grid_id::make(test_id, grid_kind::grade, 0, 2).text());
}

TEST_CASE("feedback: outcome for each reference and score", "[core][decide]")
{
    auto const elsewhere =
        grid_id::make(grid_id::test_id(derive_uuid("elsewhere")), grid_kind::call, 0, 1);
    auto const [when, then] = GENERATE_COPY(table<command::give_feedback, std::string>({
        {remark(0, 1, call_of(0, 1), group_id, 1), "0:feedback_recorded 1 1"},
        {remark(0, 1, call_of(0, 3), group_id, 5), "0:feedback_recorded 1 1"},
        {remark(0, 1, call_of(0, 1), group_id, 0), "0:feedback_recorded 1 1"},
        {remark(0, 1, call_of(0, 1), group_id, 6), "score_out_of_range"},
        {remark(0, 1, call_of(0, 4), group_id, 3), "tool_call_not_found"},
        {remark(0, 1, call_of(1, 1), group_id, 3), "tool_call_not_found"},
        {remark(0, 1, elsewhere, group_id, 3), "tool_call_not_found"},
        {remark(0, 1, grid_id::make(test_id, grid_kind::run, 0, 1), group_id, 3),
         "tool_call_not_found"},
        {remark(0, 1, uuid{}, group_id, 3), "tool_call_not_found"},
        {remark(1, 1, call_of(1, 0), group_id, 3), "1:feedback_recorded 1 1"},
        {remark(0, 1, call_of(0, 1), derive_uuid("style"), 3), "standard_group_unknown"},
        {remark(0, 0, call_of(0, 1), group_id, 3), "grade_not_found"},
        {remark(0, 2, call_of(0, 1), group_id, 3), "grade_not_found"},
        {remark(2, 1, call_of(2, 0), group_id, 3), "grade_not_found"},
        {remark(3, 1, call_of(3, 0), group_id, 3), "invocation_not_found"},
    }));
    CHECK(outcome_of(decide(replay(graded()), when)) == then);
}

TEST_CASE("feedback: a completed test takes none", "[core][decide]")
{
    auto given = graded();
    given.push_back(of_test(event::test_completed{}));
    CHECK(outcome_of(decide(replay(given), remark(0, 1, call_of(0, 1)))) == "test_completed");
}

TEST_CASE("trace: binds to nothing or to a run that there is", "[core][decide]")
{
    auto const [cell, run, then] = GENERATE(table<std::uint32_t, std::uint16_t, std::string>({
        {0, 0, "0:trace_opened 0 1"},
        {0, 2, "0:trace_opened 2 1"},
        {0, 3, "run_not_found"},
        {2, 0, "2:trace_opened 0 1"},
        {2, 1, "run_not_found"},
    }));
    CHECK(outcome_of(decide(replay(answered), tracing(cell, run))) == then);
}

TEST_CASE("add_cell: takes places of the frozen grid only", "[core][decide]")
{
    auto const [when, then] = GENERATE(table<event::cell_added, std::string>({
        {{0, 0, 2, "again", false}, "2147483648:cell_added"},
        {{1, 0, 0, "", false}, "not_in_grid"},
        {{0, 1, 0, "", false}, "not_in_grid"},
        {{0, 0, 3, "", false}, "not_in_grid"},
    }));
    CHECK(outcome_of(decide(replay(answered), command::add_cell{test_id, when})) == then);
}
