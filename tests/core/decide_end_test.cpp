#include "tests/core/history.hpp"

#include <catch2/catch.hpp>

#include <limits>

using namespace assay;
using namespace assay::test;

namespace {

/// Cell 0 running its second run, with one call; cell 1 graded by its grader; cell 2 queued; cell 3 failed.
history const driven{
    of_test(a_grid(1, 4)),
    of_cell(0, event::run_started{1}),
    of_cell(0, ended(1, outcome::timeout)),
    of_cell(0, event::run_started{2}),
    of_cell(0, call(2, 1)),
    of_cell(1, event::run_started{1}),
    of_cell(1, call(1, 1)),
    of_cell(1, ended(1, outcome::completed)),
    of_cell(1, grade(1, 1)),
    of_cell(3, event::run_started{1}),
    of_cell(3, ended(1, outcome::provider_error)),
};

command::end_cell ending(std::uint32_t cell, std::uint16_t run)
{
    command::end_cell c;
    c.test = test_id;
    c.cell = cell;
    c.run = run;
    return c;
}

command::end_cell told(std::uint32_t cell, std::uint16_t run, std::optional<double> score,
                       std::optional<bool> passed = {})
{
    auto c = ending(cell, run);
    c.score = score;
    c.passed = passed;
    return c;
}

/// A verdict of graders; with an ordinal one that stands in the log.
command::end_cell judged(std::uint32_t cell, std::uint16_t run, std::uint16_t ordinal,
                         std::uint16_t calls, std::uint16_t grades)
{
    auto c = ending(cell, run);
    c.verdict = event::grade_recorded{ordinal, run, 500'000, 10, 6, false, 1, "numeric/1", {}};
    c.calls_seen = calls;
    c.grades_seen = grades;
    return c;
}

command::end_cell with_feedback(command::end_cell c)
{
    c.feedback = content{};
    return c;
}

command::end_cell unjudged(std::uint32_t cell, std::uint16_t run, std::uint16_t calls)
{
    auto c = ending(cell, run);
    c.grading_failed = event::grading_failed{run, "numeric/1", "expected_invalid"};
    c.calls_seen = calls;
    return c;
}

command::run_cell running(std::uint32_t cell, std::optional<std::uint16_t> run)
{
    return {test_id, cell, run};
}

} // namespace

TEST_CASE("end: outcome for each state of the cell and each word about it", "[core][decide]")
{
    auto const [when, then] = GENERATE(table<command::end_cell, std::string>({
        {ending(0, 2), "0:cell_completed 2"},
        {told(0, 2, 6), "0:cell_completed 2, 0:grade_recorded 2 1"},
        {told(0, 2, 5.5), "0:cell_completed 2, 0:grade_recorded 2 1"},
        {told(0, 2, {}, true), "0:cell_completed 2, 0:grade_recorded 2 1"},
        {told(0, 2, {}, false), "0:cell_completed 2, 0:grade_recorded 2 1"},
        {told(0, 2, 6, true), "0:cell_completed 2, 0:grade_recorded 2 1"},
        {told(0, 2, 6, false), "passed_contradicts_score"},
        {told(0, 2, 5.9, true), "passed_contradicts_score"},
        {told(0, 2, 10.1), "score_out_of_range"},
        {told(0, 2, -0.1), "score_out_of_range"},
        {told(0, 2, std::numeric_limits<double>::quiet_NaN()), "score_out_of_range"},
        {judged(0, 2, 0, 1, 0), "0:cell_completed 2, 0:grade_recorded 2 1"},
        {judged(0, 2, 0, 0, 0), "invocation_changed"},
        {judged(0, 2, 0, 1, 1), "invocation_changed"},
        {unjudged(0, 2, 1), "0:cell_completed 2, 0:grading_failed 2"},
        {ending(0, 1), "run_ended"},
        {ending(0, 3), "run_not_found"},
        {ending(0, 0), "run_not_found"},
        {ending(1, 1), "nothing"},
        {judged(1, 1, 1, 1, 1), "nothing"},
        {told(1, 1, 3), "1:grade_recorded 1 2"},
        {with_feedback(judged(1, 1, 1, 1, 1)), "1:feedback_recorded 1 1"},
        {with_feedback(told(0, 2, 3)),
         "0:cell_completed 2, 0:grade_recorded 2 1, 0:feedback_recorded 1 1"},
        {with_feedback(ending(0, 2)), "feedback_without_grade"},
        {ending(2, 1), "2:cell_completed 0"},
        {told(2, 1, 3), "2:cell_completed 0, 2:grade_recorded 0 1"},
        {ending(2, 0), "run_not_found"},
        {ending(2, 2), "run_not_found"},
        {ending(3, 1), "nothing"},
        {told(3, 1, 3), "invocation_failed"},
        {ending(4, 1), "invocation_not_found"},
    }));
    INFO("cell " << when.cell << " run " << when.run);
    CHECK(outcome_of(decide(replay(driven), when)) == then);
}

TEST_CASE("end: of a stranger's test there is nothing to end, of a completed one neither",
          "[core][decide]")
{
    CHECK(outcome_of(decide(replay(driven, other_workspace), ending(0, 2))) == "test_not_found");
    auto completed = driven;
    completed.push_back(of_test(event::test_completed{1, 2}));
    CHECK(outcome_of(decide(replay(completed), ending(0, 2))) == "test_completed");
}

TEST_CASE("end: points with a fraction are kept to a millionth", "[core][decide]")
{
    auto const made = decide(replay(driven), told(0, 2, 7.25));
    REQUIRE(made);
    auto const& grade = std::get<event::grade_recorded>(made->events.at(1).body);
    CHECK(grade.score_ppm == 725'000);
    CHECK(grade.passed);
    CHECK(grade.grader == "person");
}

TEST_CASE("run: a run that is named is the one that begins, or none", "[core][decide]")
{
    auto const [when, then] = GENERATE(table<command::run_cell, std::string>({
        {running(2, {}), "2:run_started 1"},
        {running(2, 1), "2:run_started 1"},
        {running(2, 2), "run_not_found"},
        {running(2, 0), "run_not_found"},
        {running(3, 2), "3:run_started 2"},
        {running(3, 1), "run_ended"},
        {running(0, 2), "invocation_running"},
    }));
    CHECK(outcome_of(decide(replay(driven), when)) == then);
}

TEST_CASE("files and decrypt attempts: always what they say, in the caller's workspace",
          "[core][decide]")
{
    auto const state = replay({});
    event::file_stored file;
    file.file = derive_uuid("file");
    file.name = "a.zip";
    file.rows = 3;
    auto const stored = decide(state, command::store_file{file});
    CHECK(outcome_of(stored) == "file_stored 3");
    CHECK(stored->events.at(0).stream == stream_id{stream_kind::workspace, workspace});
    CHECK(boost::json::serialize(stored->answer.at("file_name")) == "\"a.zip\"");
    CHECK(outcome_of(decide(state, command::note_decrypt{{derive_uuid("cell"), derive_uuid("key"),
                                                          false, "key_not_of_invocation"}})) ==
          "decrypt_attempted 0");
}
