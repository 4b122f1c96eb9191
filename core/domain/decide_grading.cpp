#include "core/domain/decide_parts.hpp"

#include <algorithm>
#include <cmath>

namespace assay {

namespace {

using boost::json::object;

/// @param points  0 to the test's total
result<event::grade_recorded> grade_by_hand(test_state const& test, cell_state const& cell,
                                            std::uint16_t run, double points)
{
    auto const total = test.total_points;
    if (!(points >= 0 && points <= total))
        return fail(errc::invalid, fmt::format("the score must be from 0 to {}", total),
                    "score_out_of_range");
    event::grade_recorded grade;
    ASSAY_TRY(grade.grade, next_ordinal(cell.grades, "grade"));
    grade.run = run;
    grade.score_ppm = total == 0 ? 0 : static_cast<std::uint32_t>(std::floor(points * 1e6 / total));
    grade.total_points = total;
    grade.pass_points = test.pass_points;
    grade.passed = points >= test.pass_points;
    grade.grader = "person";
    return grade;
}

using perhaps_grade = std::optional<event::grade_recorded>;

/// What the caller says of the run itself.
result<perhaps_grade> told_grade(test_state const& test, cell_state const& cell,
                                 command::end_cell const& c, std::uint16_t run)
{
    auto const all_or_none = c.passed.value_or(false) ? test.total_points : 0U;
    ASSAY_TRY(auto grade,
              grade_by_hand(test, cell, run, c.score.value_or(static_cast<double>(all_or_none))));
    if (c.passed && *c.passed != grade.passed)
        return fail(errc::invalid,
                    fmt::format("a run has passed from {} points on; score and passed differ",
                                test.pass_points),
                    "passed_contradicts_score");
    return perhaps_grade(std::move(grade));
}

/// What graders say of it; none: nobody asked them, or there was nothing to judge.
result<perhaps_grade> judged_grade(cell_state const& cell, command::end_cell const& c,
                                   std::uint16_t run)
{
    auto grade = c.verdict;
    if (!grade && !c.grading_failed)
        return grade;
    if (cell.calls != c.calls_seen || cell.grades != c.grades_seen)
        return fail(errc::conflict, "the invocation went on meanwhile; ask again",
                    "invocation_changed");
    if (grade && grade->grade == 0) {
        ASSAY_TRY(grade->grade, next_ordinal(cell.grades, "grade"));
        grade->run = run;
    }
    return grade;
}

object end_answer(command::end_cell const& c, perhaps_grade const& grade)
{
    object out{{"invocation_id", id_text(c.test, grid_kind::invocation, c.cell)},
               {"grade_id", nullptr},
               {"score_ppm", nullptr},
               {"total_points", nullptr},
               {"passed", nullptr}};
    if (grade) {
        out["grade_id"] = id_text(c.test, grid_kind::grade, c.cell, grade->grade);
        out["score_ppm"] = grade->score_ppm;
        out["total_points"] = grade->total_points;
        out["passed"] = grade->passed;
    }
    return out;
}

} // namespace

result<decision> decide_grade(partition_state const& state, command::grade_cell const& c)
{
    ASSAY_TRY(auto cell, open_cell(state, c.cell));
    if (cell.status != cell_status::completed)
        return wrong_status(cell.status, "only a completed one can be graded");
    auto const run = c.run.value_or(cell.own.runs);
    if (c.run && (run == 0 || run > cell.own.runs))
        return fail(errc::not_found, "there is no such run", "run_not_found");
    auto const total = state.test.total_points;
    if (!c.full && !c.score)
        return fail(errc::invalid, "give a score, or full: true", "score_missing");
    auto const score = c.full ? std::int64_t{total} : *c.score;
    ASSAY_TRY(auto grade, grade_by_hand(state.test, cell.own, run, static_cast<double>(score)));
    object answer{{"grade_id", id_text(c.test, grid_kind::grade, c.cell, grade.grade)},
                  {"invocation_id", id_text(c.test, grid_kind::invocation, c.cell)},
                  {"score", score},
                  {"total_points", total},
                  {"pass_points", state.test.pass_points},
                  {"passed", grade.passed}};
    return decision{{{cell_stream(c.test, c.cell), std::move(grade)}}, std::move(answer)};
}

result<decision> decide_end(partition_state const& state, command::end_cell const& c)
{
    ASSAY_TRY(auto cell, open_cell(state, c.cell));
    bool const queued = cell.status == cell_status::queued;
    auto const newest = static_cast<std::uint16_t>(cell.own.runs + (queued ? 1 : 0));
    if (newest == 0 || c.run != newest)
        return wrong_run(c.run, newest);
    auto const run = queued ? std::uint16_t{0} : newest;
    bool const told = c.score || c.passed;
    if ((told || c.verdict) && !cell.open() && cell.status != cell_status::completed)
        return wrong_status(cell.status, "only a completed one can be graded");
    ASSAY_TRY(auto const grade,
              told ? told_grade(state.test, cell.own, c, run) : judged_grade(cell.own, c, run));

    auto const stream = cell_stream(c.test, c.cell);
    decision d{{}, end_answer(c, grade)};
    if (cell.open())
        d.events.push_back({stream, event::cell_completed{run}});
    if (grade && grade->grade > cell.own.grades)
        d.events.push_back({stream, *grade});
    if (c.grading_failed)
        d.events.push_back({stream, *c.grading_failed});
    if (cell.open())
        extend(state.test, state.test.counts.queued - (queued ? 1U : 0U), c.test, d);
    if (!c.feedback)
        return d;
    if (!grade)
        return fail(errc::invalid, "feedback stands below a grade: give a score, passed or grade",
                    "feedback_without_grade");
    ASSAY_TRY(auto ordinal, next_ordinal(cell.own.feedbacks, "feedback"));
    auto const call = grid_id::make(c.test, grid_kind::call, c.cell, cell.own.calls);
    d.events.push_back(
        {stream, event::feedback_recorded{ordinal, grade->grade, call, {}, 0, c.feedback}});
    return d;
}

result<decision> decide_feedback(partition_state const& state, command::give_feedback const& c)
{
    ASSAY_TRY(auto cell, open_cell(state, c.cell));
    if (c.grade == 0 || c.grade > cell.own.grades)
        return fail(errc::not_found, "there is no such grade", "grade_not_found");
    auto const& groups = state.test.standards;
    if (std::none_of(groups.begin(), groups.end(),
                     [&](auto const& g) { return g.id == c.standard_group; }))
        return fail(errc::invalid, "the standard group is not part of this grade's rubric",
                    "standard_group_unknown");
    if (c.score > 5)
        return fail(errc::invalid, "the score must be from 1 to 5", "score_out_of_range");
    auto const call = grid_id::read(c.call, grid_kind::call);
    bool const implicit_call = call && call->ordinal == 0; // of a cell closed without a call
    if (!call || call->test != c.test || call->cell != c.cell ||
        (!implicit_call && call->ordinal > cell.own.calls))
        return fail(errc::not_found, "there is no such tool call in this invocation",
                    "tool_call_not_found");
    ASSAY_TRY(auto ordinal, next_ordinal(cell.own.feedbacks, "feedback"));
    event::feedback_recorded feedback{ordinal, c.grade, c.call, c.standard_group, c.score, c.text};
    return decision{{{cell_stream(c.test, c.cell), std::move(feedback)}},
                    {{"feedback_id", id_text(c.test, grid_kind::feedback, c.cell, ordinal)},
                     {"grade_id", id_text(c.test, grid_kind::grade, c.cell, c.grade)},
                     {"tool_call_id", c.call.text()},
                     {"standard_group_id", c.standard_group.text()},
                     {"score", c.score}}};
}

} // namespace assay
