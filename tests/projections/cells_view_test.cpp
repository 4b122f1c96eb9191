#include "projections/queries.hpp"
#include "tests/projections/history.hpp"
#include "tests/projections/memory.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::projections;
using test::must;

namespace {

uuid const here = test::id_of("workspace");

/// One test, its commands, and the views behind them.
struct one_test {
    test::history history;
    test::memory_views views;
    uuid id;

    explicit one_test(test::start_options const& options)
    {
        auto const start = test::start_command("a", options);
        id = start.test;
        history.must(here, start);
        views.follow(history);
    }

    void give(any_command const& c)
    {
        history.must(here, c);
        views.follow(history);
    }

    void run(std::uint32_t cell, outcome how = outcome::completed,
             std::optional<std::uint32_t> score = 1'000'000)
    {
        give(command::begin_runs{id, {cell}});
        give(test::progress(id, cell, 1, how, score));
    }

    [[nodiscard]] test_row test() const { return must(get_test(views, id)); }

    [[nodiscard]] cell_view cell(std::uint32_t n) const { return must(get_cell(views, test(), n)); }
};

} // namespace

TEST_CASE("cells: untouched ones are implied by the grid", "[projections][cells]")
{
    one_test t({.models = 2, .scenarios = 3, .agents = 2, .repeats = 2});
    auto const page = must(list_cells(t.views, t.test(), {5, 3}));
    CHECK(page.total == 24);
    REQUIRE(page.cells.size() == 3);
    auto const& c = page.cells[0];
    CHECK(c.cell == 5);
    CHECK(c.position == 5);
    CHECK(c.status == cell_status::queued);
    CHECK_FALSE(c.touched);
    CHECK(c.invocation == test::invocation_of(t.id, 5));
    CHECK(cell_at(t.test().size(), c.place) == 5);
    CHECK(c.created_at == t.test().started_at);
    CHECK(t.views.rows(view_id::cells).size() == 1); // the counts, and not a row more
}

TEST_CASE("cells: a run leaves outcome, grade, error and times", "[projections][cells]")
{
    one_test t({.models = 1, .scenarios = 4});
    t.run(0, outcome::completed, 700'000);
    t.run(1, outcome::timeout);
    auto const done = t.cell(0);
    CHECK(done.status == cell_status::completed);
    CHECK(done.row.outcome == outcome::completed);
    REQUIRE(done.row.grade);
    CHECK(done.row.grade->score_ppm == 700'000);
    CHECK(done.row.grade->passed);
    CHECK(done.row.grade->standards.size() == 2);
    CHECK(done.row.cell_hash == test::hash_of("cell 0"));
    CHECK(done.row.started_at.value() < done.row.ended_at.value());
    auto const late = t.cell(1);
    CHECK(late.status == cell_status::failed);
    CHECK(late.row.error_code == "failed");
    CHECK_FALSE(late.row.grade);

    auto const counts = must(get_test_counts(t.views, t.id));
    CHECK(counts.counts.completed == 1);
    CHECK(counts.counts.failed == 1);
    CHECK(counts.counts.queued == 2);
    CHECK(counts.outcomes.completed == 1);
    CHECK(counts.outcomes.timeout == 1);
    CHECK(counts.graded == 1);
    CHECK(counts.passed == 1);
    CHECK(counts.calls == 2);

    t.give(command::run_cell{t.id, 1});
    CHECK(t.cell(1).status == cell_status::running);
    CHECK_FALSE(t.cell(1).row.outcome);
    CHECK(t.cell(1).row.error_code.empty());
    CHECK(must(get_test_counts(t.views, t.id)).outcomes.timeout == 0);
}

TEST_CASE("cells: an answer that could not be graded is told apart until it is graded",
          "[projections][cells]")
{
    one_test t({.models = 1, .scenarios = 2});
    t.give(command::begin_runs{t.id, {0}});
    auto p = test::progress(t.id, 0, 1, outcome::completed, std::nullopt);
    p.grading_failed = event::grading_failed{1, "judge/1", "unreadable"};
    t.give(p);
    CHECK(t.cell(0).row.grading_error == "unreadable");
    CHECK(must(get_test_counts(t.views, t.id)).grader_errors == 1);
    t.give(command::grade_cell{t.id, 0, {}, 4, false});
    CHECK_FALSE(t.cell(0).row.grading_error);
    CHECK(t.cell(0).row.grade->score_ppm == 400'000);
    CHECK_FALSE(t.cell(0).row.grade->passed);
    CHECK(must(get_test_counts(t.views, t.id)).grader_errors == 0);
}

TEST_CASE("cells: a stop closes queued ones without a row, the end closes running ones too",
          "[projections][cells]")
{
    one_test t({.models = 1, .scenarios = 5});
    t.give(command::begin_runs{t.id, {0, 1}});
    auto const rows = t.views.rows(view_id::cells).size();
    t.give(command::stop_test{t.id});
    CHECK(t.views.rows(view_id::cells).size() == rows);
    CHECK(t.cell(3).status == cell_status::terminated);
    CHECK(t.cell(0).status == cell_status::running);
    t.give(test::progress(t.id, 0, 1));
    CHECK(t.cell(0).status == cell_status::completed);
    t.give(command::run_cell{t.id, 3});
    CHECK(t.cell(3).status == cell_status::running);
    t.give(command::complete_test{t.id});
    CHECK(t.cell(3).status == cell_status::terminated);
    CHECK(must(get_test_counts(t.views, t.id)).counts.terminated == 4);
}

TEST_CASE("cells: those made by hand follow the grid in lists", "[projections][cells]")
{
    one_test t({.models = 2, .scenarios = 2});
    t.run(3);
    t.give(command::add_cell{t.id, {1, 0, 1, "a question of my own", true}});
    t.give(command::add_cell{t.id, {0, 0, 0, "another", false}});
    auto const page = must(list_cells(t.views, t.test(), {3, 10}));
    CHECK(page.total == 6);
    REQUIRE(page.cells.size() == 3);
    CHECK(page.cells[0].status == cell_status::completed);
    CHECK(page.cells[1].cell == added_cells_from);
    CHECK(page.cells[1].position == 4);
    CHECK(page.cells[1].place.model == 1);
    CHECK(page.cells[1].place.scenario == 1);
    CHECK(page.cells[1].row.added->title == "a question of my own");
    CHECK(page.cells[1].created_at > t.test().started_at);
    CHECK(must(list_cells(t.views, t.test(), {5, 10})).cells.size() == 1);
    CHECK(must(list_cells(t.views, t.test(), {6, 10})).cells.empty());
    CHECK(get_cell(t.views, t.test(), added_cells_from + 2).error().code == errc::not_found);
    CHECK(get_cell(t.views, t.test(), 4).error().code == errc::not_found);
}

TEST_CASE("cells: an invocation's id leads to it, in its workspace only", "[projections][cells]")
{
    one_test t({});
    auto const found = must(get_invocation(t.views, here, test::invocation_of(t.id, 2)));
    CHECK(found.cell.cell == 2);
    CHECK(found.test.id == t.id);
    auto const code = [&](uuid const& workspace, uuid const& id) {
        return get_invocation(t.views, workspace, id).error().code;
    };
    CHECK(code(test::id_of("elsewhere"), test::invocation_of(t.id, 2)) == errc::not_found);
    CHECK(code(here, test::invocation_of(t.id, 99)) == errc::not_found);
    CHECK(code(here, test::invocation_of(test::test_id_of("none"), 0)) == errc::not_found);
    CHECK(code(here, t.id) == errc::not_found);
    CHECK(code(here, test::id_of("anything")) == errc::not_found);
}

TEST_CASE("cells: a page of a million costs the page", "[projections][cells]")
{
    one_test t({.models = 10, .scenarios = 100'000});
    CHECK(t.views.rows(view_id::cells).size() + t.views.rows(view_id::open_cells).size() +
              t.views.rows(view_id::benchmark).size() <=
          8);
    t.run(500'000);
    t.views.rows_read = 0;
    auto const page = must(list_cells(t.views, t.test(), {499'990, 20}));
    CHECK(page.total == 1'000'000);
    CHECK(page.cells[10].status == cell_status::completed);
    CHECK(page.cells[11].status == cell_status::queued);
    CHECK(t.views.rows_read < 10);
}

TEST_CASE("open cells: the queue from any cursor, over chunks", "[projections][open_cells]")
{
    one_test t({.models = 1, .scenarios = 3'000});
    std::vector<std::uint32_t> first;
    for (std::uint32_t cell = 0; cell < 64; ++cell)
        first.push_back(cell);
    CHECK(must(next_queued(t.views, t.id, 0, 64)) == first);
    t.give(command::begin_runs{t.id, first});
    CHECK(must(next_queued(t.views, t.id, 0, 1)) == std::vector<std::uint32_t>{64});
    t.give(command::begin_runs{t.id, {1'023, 1'024, 2'999}});
    CHECK(must(next_queued(t.views, t.id, 1'022, 3)) ==
          std::vector<std::uint32_t>{1'022, 1'025, 1'026});
    CHECK(must(next_queued(t.views, t.id, 2'998, 3)) == std::vector<std::uint32_t>{2'998});
    CHECK(must(next_queued(t.views, t.id, 2'999, 3)).empty());
    CHECK(must(get_open_test(t.views, t.id))->queued == 3'000 - 67);
    CHECK(must(get_open_test(t.views, t.id))->running == 67);
}

TEST_CASE("open cells: runs without an end are found after a crash, with their calls",
          "[projections][open_cells]")
{
    one_test t({.models = 1, .scenarios = 10});
    t.give(command::begin_runs{t.id, {2, 5, 7}});
    t.give(test::progress(t.id, 2, 1));
    auto half = test::progress(t.id, 7, 1);
    half.ended.reset();
    half.grade.reset();
    t.give(half);
    auto const open = must(list_open_runs(t.views, t.id));
    REQUIRE(open.size() == 2);
    CHECK(open[0].cell == 5);
    CHECK(open[0].run == 1);
    CHECK(must(list_calls(t.views, t.id, 5, 1)).empty());
    CHECK(open[1].cell == 7);
    auto const calls = must(list_calls(t.views, t.id, 7, 1));
    REQUIRE(calls.size() == 1);
    CHECK(calls[0].call.provider_request_id == "req-1");
    CHECK(must(first_open(t.views, t.id)) == 0U);
}

TEST_CASE("open cells: a test leaves the list when nothing is queued or running",
          "[projections][open_cells]")
{
    one_test t({.models = 1, .scenarios = 2});
    REQUIRE(must(list_open_tests(t.views)).size() == 1);
    CHECK(must(list_open_tests(t.views))[0].workspace == here);
    t.run(0);
    t.run(1, outcome::provider_error);
    CHECK(must(list_open_tests(t.views)).empty());
    CHECK_FALSE(must(first_open(t.views, t.id)));
    t.give(command::run_cell{t.id, 1});
    CHECK(must(list_open_tests(t.views)).size() == 1);
    t.give(command::complete_test{t.id});
    CHECK(must(list_open_tests(t.views)).empty());
    CHECK(must(list_open_runs(t.views, t.id)).empty());
}

TEST_CASE("open cells: cells made by hand after a stop are queued, the stopped grid is not",
          "[projections][open_cells]")
{
    one_test t({.models = 1, .scenarios = 4});
    t.give(command::add_cell{t.id, {0, 0, 0, "before", false}});
    t.give(command::stop_test{t.id});
    CHECK(must(next_queued(t.views, t.id, 0, 10)).empty());
    CHECK_FALSE(must(get_open_test(t.views, t.id)));
    t.give(command::add_cell{t.id, {0, 0, 0, "after", false}});
    CHECK(must(next_queued(t.views, t.id, 0, 10)) ==
          std::vector<std::uint32_t>{added_cells_from + 1});
}

TEST_CASE("runs: every firing of a cell is a run of its own with its calls", "[projections][runs]")
{
    one_test t({.models = 1, .scenarios = 2});
    t.run(0, outcome::provider_error);
    t.give(command::run_cell{t.id, 0});
    auto second = test::progress(t.id, 0, 2);
    second.call->input_tokens.reset();
    t.give(second);

    auto const runs_of_cell = must(list_runs(t.views, t.id, 0));
    REQUIRE(runs_of_cell.size() == 2);
    CHECK(runs_of_cell[0].row.outcome == outcome::provider_error);
    CHECK(runs_of_cell[0].row.input_tokens.sum == 120);
    CHECK(runs_of_cell[1].row.outcome == outcome::completed);
    CHECK(runs_of_cell[1].row.input_tokens.known == 0);
    CHECK(runs_of_cell[1].row.output_tokens.sum == 40);
    REQUIRE(runs_of_cell[1].row.costs.size() == 1);
    CHECK(runs_of_cell[1].row.costs[0].pico == 1'500'000);
    REQUIRE(runs_of_cell[1].calls.size() == 1);
    CHECK(runs_of_cell[1].calls[0].call.call == 2); // ordinals go on over the runs of a cell

    auto const found = must(get_run(t.views, here, runs_of_cell[1].id));
    CHECK(found.run.row.run == 2);
    CHECK(found.cell == 0);
    CHECK(get_run(t.views, test::id_of("elsewhere"), runs_of_cell[1].id).error().code ==
          errc::not_found);
    CHECK(get_run(t.views, here, grid_id::make(t.id, grid_kind::run, 0, 3)).error().code ==
          errc::not_found);
    CHECK(must(list_runs(t.views, t.id, 1)).empty());
}

TEST_CASE("runs: a call that comes back late belongs to the run that made it",
          "[projections][runs]")
{
    one_test t({.models = 1, .scenarios = 2});
    t.give(command::begin_runs{t.id, {0}});
    t.give(command::terminate_cell{t.id, 0});
    t.give(command::run_cell{t.id, 0});
    t.give(test::progress(t.id, 0, 1));
    t.give(test::progress(t.id, 0, 2));
    auto const runs_of_cell = must(list_runs(t.views, t.id, 0));
    REQUIRE(runs_of_cell.size() == 2);
    CHECK(runs_of_cell[0].row.outcome == outcome::terminated);
    REQUIRE(runs_of_cell[0].calls.size() == 1);
    CHECK(runs_of_cell[0].calls[0].call.call == 1);
    REQUIRE(runs_of_cell[1].calls.size() == 1);
    CHECK(runs_of_cell[1].calls[0].call.call == 2);

    std::vector<std::uint32_t> cells;
    t.run(1);
    REQUIRE(visit_runs(t.views, t.id, 0, [&](std::uint32_t cell, run_view const&) {
        cells.push_back(cell);
        return true;
    }));
    CHECK(cells == std::vector<std::uint32_t>{0, 0, 1});
    cells.clear();
    REQUIRE(visit_runs(t.views, t.id, 0, [&](std::uint32_t cell, run_view const&) {
        cells.push_back(cell);
        return false;
    }));
    CHECK(cells == std::vector<std::uint32_t>{0});
}

TEST_CASE("grades: older ones stay readable, feedback stands below its grade",
          "[projections][grades]")
{
    one_test t({.models = 1, .scenarios = 2});
    t.run(0, outcome::completed, 900'000);
    t.give(command::grade_cell{t.id, 0, {}, 3, false});
    auto const call = grid_id::make(t.id, grid_kind::call, 0, 1);
    t.give(command::give_feedback{t.id, 0, 1, call, test::id_of("style"), 4,
                                  test::content_of("nicely put")});
    t.give(command::give_feedback{t.id, 0, 2, call, test::id_of("style"), 2, {}});

    auto const all = must(list_grades(t.views, t.id, 0));
    REQUIRE(all.size() == 2);
    CHECK(all[0].grade.score_ppm == 900'000);
    CHECK(all[0].grade.grader == "numeric/1");
    CHECK(all[1].grade.score_ppm == 300'000);
    CHECK(all[1].grade.grader == "person");
    CHECK(must(get_grade(t.views, t.id, 0, 2))->grade.grade == 2);
    CHECK_FALSE(must(get_grade(t.views, t.id, 0, 3)));
    CHECK(must(list_feedback(t.views, t.id, 0)).size() == 2);
    auto const first = must(list_feedback(t.views, t.id, 0, 1));
    REQUIRE(first.size() == 1);
    CHECK(first[0].feedback.score == 4);
    CHECK(first[0].feedback.text->bytes == 10);
    CHECK(must(list_grades(t.views, t.id, 1)).empty());
}

TEST_CASE("traces: every binding of a cell, in order", "[projections][traces]")
{
    one_test t({.models = 1, .scenarios = 2});
    t.give(command::open_trace{t.id, 0, 0, {{"tool_ids", boost::json::array{"t1"}}}, {}});
    t.run(0);
    t.give(command::open_trace{t.id, 0, 1, {}, {{"prompt_text", test::content_of("be brief")}}});
    auto const all = must(list_traces(t.views, t.id, 0));
    REQUIRE(all.size() == 2);
    CHECK(trace_bundle(all[0]).at("tool_ids").as_array().size() == 1);
    CHECK(all[1].run == 1);
    CHECK(all[1].texts[0].field == "prompt_text");
    CHECK(must(get_trace(t.views, t.id, 0, 1))->run == 0);
    CHECK_FALSE(must(get_trace(t.views, t.id, 0, 3)));
}

TEST_CASE("answers: the newest completed and graded run of a cell hash", "[projections][answers]")
{
    one_test t({.models = 1, .scenarios = 4});
    t.run(0);
    t.run(1, outcome::refused);
    t.run(2, outcome::completed, std::nullopt);
    auto const find = [&](std::string_view cell) {
        return must(find_answer(t.views, here, test::hash_of(cell)));
    };
    REQUIRE(find("cell 0"));
    CHECK(find("cell 0")->test == t.id);
    CHECK(find("cell 0")->run == 1);
    CHECK_FALSE(find("cell 1"));
    CHECK_FALSE(find("cell 2"));
    CHECK_FALSE(must(find_answer(t.views, test::id_of("elsewhere"), test::hash_of("cell 0"))));
    t.give(command::grade_cell{t.id, 2, {}, 10, false});
    CHECK(find("cell 2")->cell == 2);

    auto const again = test::start_command("again", {.models = 1, .scenarios = 4});
    t.give(again);
    t.give(command::begin_runs{again.test, {0}});
    t.give(test::progress(again.test, 0, 1));
    CHECK(find("cell 0")->test == again.test);
}
