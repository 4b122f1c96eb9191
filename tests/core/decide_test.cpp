#include "tests/core/history.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::test;

namespace {

command::record_progress an_end(std::uint16_t run)
{
    auto c = progress(0, run);
    c.ended = ended(run, outcome::completed);
    return c;
}

command::record_progress a_call(std::uint16_t run)
{
    auto c = progress(0, run);
    c.call.emplace();
    return c;
}

/// Three cells, of which the first has a history.
history cell_history(std::initializer_list<draft> events)
{
    history out{of_test(a_grid(1, 3))};
    out.insert(out.end(), events);
    return out;
}

struct cell_row {
    std::string name;
    std::string status;
    history given;
    std::string run, terminate, complete, grade, begin, fail, end;
};

draft const started_1 = of_cell(0, event::run_started{1});
draft const stopped = of_test(event::test_stopped{});
draft const test_ended = of_test(event::test_completed{});

// Every edge of the invocation's lifecycle, and every one that is none. Columns: history, status
// seen, then the outcome of run, terminate, complete, grade | begin_runs, fail_cells,
// record_progress.
// clang-format off
std::vector<cell_row> const cell_rows{
    {"queued", "queued", cell_history({}),
     "0:run_started 1", "0:cell_terminated 0", "0:cell_completed 0", "invocation_queued",
     "0:run_started 1", "0:cell_failed", "run_not_found"},
    {"running", "running", cell_history({started_1}),
     "invocation_running", "0:cell_terminated 1", "0:cell_completed 1", "invocation_running",
     "nothing", "nothing", "0:run_ended 1"},
    {"completed", "completed", cell_history({started_1, of_cell(0, ended(1, outcome::completed))}),
     "invocation_completed", "invocation_completed", "invocation_completed", "0:grade_recorded 1 1",
     "nothing", "nothing", "nothing"},
    {"refused by the model", "completed", cell_history({started_1, of_cell(0, ended(1, outcome::refused))}),
     "invocation_completed", "invocation_completed", "invocation_completed", "0:grade_recorded 1 1",
     "nothing", "nothing", "nothing"},
    {"completed by hand before a run", "completed", cell_history({of_cell(0, event::cell_completed{0})}),
     "invocation_completed", "invocation_completed", "invocation_completed", "0:grade_recorded 0 1",
     "nothing", "nothing", "run_not_found"},
    {"completed by hand while running", "completed", cell_history({started_1, of_cell(0, event::cell_completed{1})}),
     "invocation_completed", "invocation_completed", "invocation_completed", "0:grade_recorded 1 1",
     "nothing", "nothing", "nothing"},
    {"failed at the provider", "failed", cell_history({started_1, of_cell(0, ended(1, outcome::provider_error))}),
     "0:run_started 2", "invocation_failed", "invocation_failed", "invocation_failed",
     "nothing", "nothing", "nothing"},
    {"timed out", "failed", cell_history({started_1, of_cell(0, ended(1, outcome::timeout))}),
     "0:run_started 2", "invocation_failed", "invocation_failed", "invocation_failed",
     "nothing", "nothing", "nothing"},
    {"not recorded", "failed", cell_history({started_1, of_cell(0, ended(1, outcome::not_recorded))}),
     "0:run_started 2", "invocation_failed", "invocation_failed", "invocation_failed",
     "nothing", "nothing", "nothing"},
    {"failed before a run", "failed", cell_history({of_cell(0, event::cell_failed{})}),
     "0:run_started 1", "invocation_failed", "invocation_failed", "invocation_failed",
     "nothing", "nothing", "run_not_found"},
    {"terminated while queued", "terminated", cell_history({of_cell(0, event::cell_terminated{0})}),
     "0:run_started 1", "nothing", "invocation_terminated", "invocation_terminated",
     "nothing", "nothing", "run_not_found"},
    {"terminated while running", "terminated", cell_history({started_1, of_cell(0, event::cell_terminated{1})}),
     "0:run_started 2", "nothing", "invocation_terminated", "invocation_terminated",
     "nothing", "nothing", "nothing"},
    {"terminated at a safe point", "terminated", cell_history({started_1, of_cell(0, ended(1, outcome::terminated))}),
     "0:run_started 2", "nothing", "invocation_terminated", "invocation_terminated",
     "nothing", "nothing", "nothing"},
    {"queued when the test was stopped", "terminated", cell_history({stopped}),
     "test_reopened, 0:run_started 1", "nothing", "invocation_terminated", "invocation_terminated",
     "nothing", "nothing", "run_not_found"},
    {"running when the test was stopped", "running", cell_history({started_1, stopped}),
     "invocation_running", "0:cell_terminated 1", "0:cell_completed 1", "invocation_running",
     "nothing", "nothing", "0:run_ended 1"},
    {"queued when the test was completed", "terminated", cell_history({test_ended}),
     "test_completed", "test_completed", "test_completed", "test_completed",
     "nothing", "nothing", "run_not_found"},
    {"running when the test was completed", "terminated", cell_history({started_1, test_ended}),
     "test_completed", "test_completed", "test_completed", "test_completed",
     "nothing", "nothing", "nothing"},
    {"completed, and the test too", "completed",
     cell_history({started_1, of_cell(0, ended(1, outcome::completed)), test_ended}),
     "test_completed", "test_completed", "test_completed", "test_completed",
     "nothing", "nothing", "nothing"},
};
// clang-format on

} // namespace

TEST_CASE("invocation: what each command means in each state", "[core][decide]")
{
    auto const row = GENERATE(from_range(cell_rows));
    INFO("an invocation that is " << row.name);
    auto const state = replay(row.given);
    auto const found = state.cells.find(0);
    CHECK(codec::enum_name(effective_status(
              state.test, found == state.cells.end() ? cell_state{} : found->second)) ==
          row.status);
    CHECK(outcome_of(decide(state, command::run_cell{test_id, 0})) == row.run);
    CHECK(outcome_of(decide(state, command::terminate_cell{test_id, 0})) == row.terminate);
    CHECK(outcome_of(decide(state, command::complete_cell{test_id, 0})) == row.complete);
    CHECK(outcome_of(decide(state, grading(0, 10))) == row.grade);
    CHECK(outcome_of(decide(state, command::begin_runs{test_id, {0}})) == row.begin);
    CHECK(outcome_of(decide(state, command::fail_cells{test_id, {0}, fail_reason::key_revoked})) ==
          row.fail);
    CHECK(outcome_of(decide(state, an_end(1))) == row.end);
}

TEST_CASE("invocation: an illegal edge is a conflict that names the current state",
          "[core][decide]")
{
    auto const made = decide(replay(cell_history({started_1})), command::run_cell{test_id, 0});
    REQUIRE_FALSE(made);
    CHECK(made.error().code == errc::conflict);
    CHECK(made.error().detail ==
          "the invocation is running; it can be fired again when that run has ended");
}

TEST_CASE("test: what each command means in each phase", "[core][decide]")
{
    struct test_row {
        std::string name;
        history given;
        std::string start, stop, complete, archive, unarchive, toggle, add;
    };

    // clang-format off
    auto const row = GENERATE(values<test_row>({
        // history; start, stop, complete; archive, unarchive, toggle, add_cell
        {"unknown", {},
         "test_started", "test_not_found", "test_not_found",
         "test_not_found", "test_not_found", "test_not_found", "test_not_found"},
        {"fresh", cell_history({}),
         "test_exists", "test_stopped 3 0", "test_completed 0 3",
         "test_archived 1", "nothing", "test_archived 1", "2147483648:cell_added"},
        {"running a cell", cell_history({started_1}),
         "test_exists", "test_stopped 2 1", "test_completed 0 3",
         "test_archived 1", "nothing", "test_archived 1", "2147483648:cell_added"},
        {"with an answer", cell_history({started_1, of_cell(0, ended(1, outcome::completed))}),
         "test_exists", "test_stopped 2 0", "test_completed 1 2",
         "test_archived 1", "nothing", "test_archived 1", "2147483648:cell_added"},
        {"stopped", cell_history({stopped}),
         "test_exists", "nothing", "test_completed 0 0",
         "test_archived 1", "nothing", "test_archived 1", "2147483648:cell_added"},
        {"stopped, a run goes on", cell_history({started_1, stopped}),
         "test_exists", "nothing", "test_completed 0 1",
         "test_archived 1", "nothing", "test_archived 1", "2147483648:cell_added"},
        {"stopped and fired again", cell_history({stopped, of_test(event::test_reopened{}), started_1}),
         "test_exists", "test_stopped 0 1", "test_completed 0 1",
         "test_archived 1", "nothing", "test_archived 1", "2147483648:cell_added"},
        {"stopped, a cell was added", cell_history({stopped, of_cell(added_cells_from, event::cell_added{})}),
         "test_exists", "test_stopped 1 0", "test_completed 0 1",
         "test_archived 1", "nothing", "test_archived 1", "2147483649:cell_added"},
        {"completed", cell_history({test_ended}),
         "test_exists", "test_completed", "test_completed",
         "test_archived 1", "nothing", "test_archived 1", "test_completed"},
        {"archived", cell_history({test_ended, of_test(event::test_archived{true})}),
         "test_exists", "test_completed", "test_completed",
         "nothing", "test_archived 0", "test_archived 0", "test_completed"},
    }));
    // clang-format on
    INFO("a test that is " << row.name);
    auto const state = replay(row.given);
    CHECK(outcome_of(decide(state, starting(a_grid(1, 1)))) == row.start);
    CHECK(outcome_of(decide(state, command::stop_test{test_id})) == row.stop);
    CHECK(outcome_of(decide(state, command::complete_test{test_id})) == row.complete);
    CHECK(outcome_of(decide(state, command::archive_test{test_id, true})) == row.archive);
    CHECK(outcome_of(decide(state, command::archive_test{test_id, false})) == row.unarchive);
    CHECK(outcome_of(decide(state, command::archive_test{test_id, {}})) == row.toggle);
    CHECK(outcome_of(decide(state, command::add_cell{test_id, {}})) == row.add);
}

TEST_CASE("test: another workspace's is not found, whatever is asked", "[core][decide]")
{
    auto const state = replay(cell_history({started_1, of_cell(0, ended(1, outcome::completed))}),
                              other_workspace);
    auto const when = GENERATE(values<any_command>({
        command::stop_test{test_id},
        command::complete_test{test_id},
        command::archive_test{test_id, true},
        command::begin_runs{test_id, {1}},
        command::run_cell{test_id, 1},
        an_end(1),
        command::fail_cells{test_id, {1}, {}},
        command::terminate_cell{test_id, 1},
        command::complete_cell{test_id, 1},
        command::add_cell{test_id, {}},
        grading(0, 10),
        remark(0, 1, {}),
        tracing(0, 0),
    }));
    INFO("command " << when.index());
    auto const made = decide(state, when);
    REQUIRE_FALSE(made);
    CHECK(made.error().code == errc::not_found);
    CHECK(made.error().reason == "test_not_found");
}

TEST_CASE("test: a cell beyond the grid is not found", "[core][decide]")
{
    auto const state = replay(cell_history({}));
    auto const cell = GENERATE(3U, 4U, 0x7FFF'FFFFU, 0x8000'0000U, 0xFFFF'FFFFU);
    INFO("cell " << cell);
    CHECK(outcome_of(decide(state, command::run_cell{test_id, cell})) == "invocation_not_found");
    CHECK(outcome_of(decide(state, command::begin_runs{test_id, {0, cell}})) ==
          "invocation_not_found");
    CHECK(outcome_of(decide(state, command::complete_cell{test_id, cell})) ==
          "invocation_not_found");
    CHECK(outcome_of(decide(state, tracing(cell, 0))) == "invocation_not_found");
}

TEST_CASE("stop: says how many of each, and that it was stopped already", "[core][decide]")
{
    auto const first = decide(replay(cell_history({started_1})), command::stop_test{test_id});
    REQUIRE(first);
    CHECK(json::canonical(first->answer) ==
          R"({"already":false,"queued":2,"running":1,"test_id":")" + test_id.text() + R"("})");
    auto const again =
        decide(replay(cell_history({started_1, stopped})), command::stop_test{test_id});
    REQUIRE(again);
    CHECK(again->answer.at("already").as_bool());
}

TEST_CASE("begin_runs: begins what is queued, each cell once, and passes over the rest",
          "[core][decide]")
{
    auto const given = cell_history({started_1});
    CHECK(outcome_of(decide(replay(given), command::begin_runs{test_id, {0, 1, 2}})) ==
          "1:run_started 1, 2:run_started 1");
    CHECK(outcome_of(decide(replay(given), command::begin_runs{test_id, {1, 1, 2, 1}})) ==
          "1:run_started 1, 2:run_started 1");
    CHECK(outcome_of(decide(replay(given), command::fail_cells{test_id, {1, 0, 1}, {}})) ==
          "1:cell_failed");
    CHECK(outcome_of(decide(replay(given), command::begin_runs{test_id, {}})) == "nothing");
    auto const made = decide(replay(given), command::begin_runs{test_id, {0, 1}});
    CHECK(json::canonical(made->answer) == R"({"begun":[[1,1]]})");
}

TEST_CASE("begin_runs: nothing begins in a stopped test", "[core][decide]")
{
    auto const given = cell_history({stopped, of_cell(added_cells_from, event::cell_added{})});
    CHECK(outcome_of(decide(replay(given), command::begin_runs{test_id, {0, added_cells_from}})) ==
          "nothing");
    CHECK(outcome_of(decide(replay(given), command::run_cell{test_id, added_cells_from})) ==
          "test_reopened, 2147483648:run_started 1");
}

TEST_CASE("record_progress: a late call is recorded and changes nothing", "[core][decide]")
{
    auto const terminated = cell_history({started_1, of_cell(0, event::cell_terminated{1})});
    auto const fired_again = cell_history(
        {started_1, of_cell(0, ended(1, outcome::timeout)), of_cell(0, event::run_started{2})});
    auto const [given, when, then, open] =
        GENERATE_COPY(table<history, command::record_progress, std::string, bool>({
            {cell_history({started_1}), a_call(1), "0:call_recorded 1 1", true},
            {terminated, a_call(1), "0:call_recorded 1 1", false},
            {terminated, an_end(1), "nothing", false},
            {fired_again, a_call(1), "0:call_recorded 1 1", false},
            {fired_again, a_call(2), "0:call_recorded 2 1", true},
            {fired_again, an_end(1), "nothing", false},
            {fired_again, an_end(2), "0:run_ended 2", true},
            {cell_history({started_1, test_ended}), a_call(1), "nothing", false},
            {cell_history({started_1, stopped}), a_call(1), "0:call_recorded 1 1", true},
            {cell_history({started_1, of_cell(0, event::cell_completed{1})}), a_call(1),
             "0:call_recorded 1 1", false},
        }));
    auto const made = decide(replay(given), when);
    CHECK(outcome_of(made) == then);
    REQUIRE(made);
    CHECK(made->answer.at("open").as_bool() == open);
}

TEST_CASE("record_progress: an unknown run is not found", "[core][decide]")
{
    auto const given = cell_history({started_1});
    CHECK(outcome_of(decide(replay(given), a_call(0))) == "run_not_found");
    CHECK(outcome_of(decide(replay(given), a_call(2))) == "run_not_found");
}

TEST_CASE("record_progress: run and ordinals are the state's, not the caller's", "[core][decide]")
{
    auto const given =
        cell_history({started_1, of_cell(0, call(1, 1)), of_cell(0, ended(1, outcome::timeout)),
                      of_cell(0, event::run_started{2})});
    auto when = an_end(2);
    when.call.emplace(call(9, 9));
    when.ended->run = 9;
    when.grade.emplace(grade(9, 9));
    CHECK(outcome_of(decide(replay(given), when)) ==
          "0:call_recorded 2 2, 0:run_ended 2, 0:grade_recorded 2 1");
    when.grade.reset();
    when.grading_failed.emplace(event::grading_failed{9, "numeric/1", "no_number"});
    CHECK(outcome_of(decide(replay(given), when)) ==
          "0:call_recorded 2 2, 0:run_ended 2, 0:grading_failed 2");
}

TEST_CASE("invocation: the 65,535th run is the last", "[core][decide]")
{
    auto const given = cell_history(
        {of_cell(0, event::run_started{65535}), of_cell(0, ended(65535, outcome::timeout))});
    CHECK(outcome_of(decide(replay(given), command::run_cell{test_id, 0})) == "invocation_full");
}

TEST_CASE("record_progress: after the terminal write even a paid call changes nothing",
          "[core][decide]")
{
    auto when = an_end(1);
    when.call.emplace();
    when.grade.emplace();
    CHECK(outcome_of(decide(replay(cell_history({started_1, test_ended})), when)) == "nothing");
}
