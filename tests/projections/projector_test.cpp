#include "projections/audit.hpp"
#include "projections/projector.hpp"
#include "projections/queries.hpp"
#include "tests/events/fixture.hpp"
#include "tests/projections/history.hpp"
#include "tests/projections/stored_log.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace assay;
using namespace assay::projections;

namespace {

/// A store, its views and its writer, in the order that they depend on each other.
struct live_log {
    std::unique_ptr<events::store> store;
    std::unique_ptr<events::vault> vault;
    std::unique_ptr<projector> views;
    std::unique_ptr<events::pipeline> writer;
    uuid workspace = test::id_of("workspace");

    explicit live_log(std::filesystem::path const& dir, projector_options options = {})
    {
        store = test::must(events::store::open(dir));
        vault = test::must(events::vault::open(dir));
        (void)vault->create_keys(workspace);
        views = test::must(projector::open(*store, std::move(options)));
        events::pipeline_options o;
        o.ballast_bytes = 0;
        o.reserve_bytes = 1;
        writer = std::make_unique<events::pipeline>(*store, *vault, *views, std::move(o));
    }

    result<events::receipt> give(any_command c)
    {
        events::submission s;
        s.actor = {workspace, {}, events::channel::system};
        s.command_id = events::random_uuid_v7(1'700'000'000'000'000);
        s.operation = "test";
        s.command = std::move(c);
        return writer->submit_and_wait(std::move(s));
    }

    /// Runs and grades cells of a test. Asserts nothing: other threads than the test's own call it,
    /// too.
    void run_cells(uuid const& test, std::uint32_t from, std::uint32_t to)
    {
        for (auto cell = from; cell < to; ++cell) {
            (void)test::must(give(command::begin_runs{test, {cell}}));
            (void)test::must(
                give(test::progress(test, cell, 1, outcome::completed, cell % 11 * 100'000)));
        }
    }

    between_drains writer_thread()
    {
        return [this](std::move_only_function<void()> work) {
            writer->between_drains(std::move(work));
        };
    }
};

std::vector<digest> digests(live_log& log)
{
    std::vector<digest> out;
    for (auto const& s : log.views->states()) {
        auto* const family = test::must(log.store->view_family(s.name, s.generation.value()));
        out.push_back(test::must(digest_rows(log.store->db(), family, nullptr)));
    }
    return out;
}

/// A view that refuses stops, and counts cells of each test; for what the projector does when one
/// says no.
view refusing_view()
{
    return {"refusing", 1,
            [](events::recorded const& e, rows& out) -> result<void> {
                if (std::holds_alternative<event::test_stopped>(e.body))
                    return fail(errc::corrupt, "it does not like stops");
                out.put("events", std::to_string(e.head->position));
                return {};
            },
            [](std::string_view, std::string_view value) { return std::string(value); }};
}

} // namespace

TEST_CASE("projector: a reader sees what was acknowledged", "[projections][projector]")
{
    test::temporary_directory dir;
    live_log log(dir.path());
    auto const start = test::start_command("a", {.models = 2, .scenarios = 4});
    auto const before = log.views->read();
    REQUIRE(log.give(start));
    log.run_cells(start.test, 0, 3);

    auto const now = log.views->read();
    CHECK(now->next_position() == log.store->next_position());
    CHECK(test::must(get_test_counts(*now, start.test)).counts.completed == 3);
    CHECK(before->next_position() == 0);
    CHECK(get_test(*before, log.workspace, start.test).error().code == errc::not_found);
}

TEST_CASE("projector: views survive a restart and go on", "[projections][projector]")
{
    test::temporary_directory dir;
    auto const start = test::start_command("a", {.models = 2, .scenarios = 4});
    {
        live_log log(dir.path());
        REQUIRE(log.give(start));
        log.run_cells(start.test, 0, 3);
    }
    live_log log(dir.path());
    CHECK(log.views->states().front().generation == 1);
    log.run_cells(start.test, 3, 5);
    CHECK(test::must(get_test_counts(*log.views->read(), start.test)).counts.completed == 5);
    for (auto const& v : test::must(log.views->rebuild({})))
        CHECK(v.same);
}

TEST_CASE("projector: a commit that one view refuses leaves nothing in any",
          "[projections][projector]")
{
    test::temporary_directory dir;
    std::vector<view> views(all_views().begin(), all_views().end());
    views.push_back(refusing_view());
    live_log log(dir.path(), {.views = views});
    auto const start = test::start_command("a", {});
    REQUIRE(log.give(start));
    auto const before = digests(log);
    auto const position = log.store->next_position();

    auto const refused = log.give(command::stop_test{start.test});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::projection_failed);
    CHECK(log.store->next_position() == position);
    CHECK(digests(log) == before);

    log.run_cells(start.test, 0, 1);
    CHECK(test::must(get_test(*log.views->read(), start.test)).phase == test_phase::running);
    CHECK(test::must(get_test_counts(*log.views->read(), start.test)).counts.completed == 1);
}

TEST_CASE("projector: a log written without views is replayed at open",
          "[projections][projector][rebuild]")
{
    test::temporary_directory dir;
    auto const history = test::random_history(7, 400);
    {
        auto s = test::must(events::store::open(dir.path()));
        test::log_writer log(*s);
        for (auto const& c : history.commits())
            log.append(*c);
    }
    auto s = test::must(events::store::open(dir.path()));
    auto const views = test::must(projector::open(*s));
    CHECK(views->missing().empty());
    auto const now = views->read();
    CHECK(now->next_position() == history.commits().size());
    for (auto const& [id, state] : history.partitions()) {
        if (state.test.exists)
            CHECK(codec::to_json(test::must(get_test_counts(*now, id)).counts) ==
                  codec::to_json(state.test.counts));
    }
}

TEST_CASE("projector: another schema is built again, and is not served before",
          "[projections][projector][rebuild]")
{
    test::temporary_directory dir;
    auto const start = test::start_command("a", {.models = 2, .scenarios = 4});
    std::vector<view> views(all_views().begin(), all_views().end());
    {
        live_log log(dir.path());
        REQUIRE(log.give(start));
        log.run_cells(start.test, 0, 3);
    }
    auto& cells_view = views[static_cast<std::size_t>(view_id::cells)];
    ++cells_view.schema;
    {
        live_log log(dir.path(), {.views = views, .build_at_open = false});
        CHECK(log.views->missing() == std::vector<std::string>{"cells"});
        auto const refused = get_test_counts(*log.views->read(), start.test);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == errc::unavailable);
        CHECK(refused.error().retry_after_ms);
        // Commands and the other views go on meanwhile.
        log.run_cells(start.test, 3, 4);
        CHECK(test::must(get_test(*log.views->read(), start.test)).size().cells() == 8);

        auto const rebuilt = test::must(log.views->refresh({"cells"}, log.writer_thread()));
        REQUIRE(rebuilt.size() == 1);
        CHECK_FALSE(rebuilt[0].replaced);
        log.run_cells(start.test, 4, 5);
        CHECK(test::must(get_test_counts(*log.views->read(), start.test)).counts.completed == 5);
    }
    // A program of the old schema must not trust what the new one left.
    live_log log(dir.path());
    CHECK(test::must(get_test_counts(*log.views->read(), start.test)).counts.completed == 5);
    for (auto const& v : test::must(log.views->rebuild({})))
        CHECK(v.same);
}

TEST_CASE("refresh: new generations catch up beside live traffic",
          "[projections][projector][rebuild]")
{
    test::temporary_directory dir;
    live_log log(dir.path());
    auto const start = test::start_command("a", {.models = 2, .scenarios = 2'000});
    REQUIRE(log.give(start));
    log.run_cells(start.test, 0, 50);
    auto const old_reader = log.views->read();

    std::atomic<bool> enough = false;
    std::atomic<std::uint32_t> ran = 50;
    std::jthread traffic([&] {
        while (!enough) {
            log.run_cells(start.test, ran, ran + 1);
            ++ran;
        }
    });
    for (int round = 0; round < 3; ++round) {
        for (auto const& v : test::must(log.views->refresh({}, log.writer_thread()))) {
            INFO(v.name);
            CHECK(v.same);
            CHECK(v.generation == static_cast<std::uint64_t>(round) + 2);
        }
    }
    enough = true;
    traffic.join();

    auto const now = log.views->read();
    CHECK(now->next_position() == log.store->next_position());
    CHECK(test::must(get_test_counts(*now, start.test)).counts.completed == ran);
    // Who read before still reads the same rows.
    CHECK(test::must(get_test_counts(*old_reader, start.test)).counts.completed == 50);
    CHECK(log.views->refresh({"no such view"}, log.writer_thread()).error().code ==
          errc::not_found);
}

TEST_CASE("refresh: damaged rows are reported and replaced", "[projections][projector][rebuild]")
{
    test::temporary_directory dir;
    live_log log(dir.path());
    auto const start = test::start_command("a", {});
    REQUIRE(log.give(start));
    log.run_cells(start.test, 0, 2);
    auto* const family = test::must(log.store->view_family("grades", 1));
    REQUIRE(log.store->db().Put({}, family, "gx", "a row that no event made").ok());

    auto const rebuilt = test::must(log.views->refresh({"grades", "cells"}, log.writer_thread()));
    REQUIRE(rebuilt.size() == 2);
    CHECK(rebuilt[0].name == "cells");
    CHECK(rebuilt[0].same);
    CHECK_FALSE(rebuilt[1].same);
    CHECK(test::must(log.views->refresh({"grades"}, log.writer_thread()))[0].same);
}

TEST_CASE("rebuild: stopped in the middle, the serving generation is untouched",
          "[projections][projector][rebuild]")
{
    test::temporary_directory dir;
    live_log log(dir.path());
    auto const start = test::start_command("a", {.models = 2, .scenarios = 40});
    REQUIRE(log.give(start));
    log.run_cells(start.test, 0, 80);
    auto const before = digests(log);

    std::stop_source stop;
    stop.request_stop();
    build_options options;
    options.stop = stop.get_token();
    CHECK(log.views->refresh({}, log.writer_thread(), options).error().code == errc::cancelled);
    CHECK(log.views->states().front().generation == 1);
    CHECK(log.store->view_generations("cells") == std::vector<std::uint64_t>{1});
    CHECK(digests(log) == before);
}

TEST_CASE("open: what a killed rebuild left is swept, what served goes on serving",
          "[projections][projector][rebuild][fault]")
{
    test::temporary_directory dir;
    auto const start = test::start_command("a", {});
    std::vector<digest> before;
    {
        live_log log(dir.path());
        REQUIRE(log.give(start));
        log.run_cells(start.test, 0, 3);
        before = digests(log);
        // As after kill -9: a second generation with some rows, and no record that names it.
        auto* const half = test::must(log.store->view_family("cells", 2));
        REQUIRE(log.store->db().Put({}, half, "t", "half").ok());
    }
    live_log log(dir.path());
    CHECK(log.store->view_generations("cells") == std::vector<std::uint64_t>{1});
    CHECK(digests(log) == before);
}

TEST_CASE("refresh: killed at any moment, the next start serves what it served",
          "[projections][projector][rebuild][fault]")
{
    test::temporary_directory dir;
    auto const history = test::random_history(11, 1'500);
    std::vector<digest> expected;
    {
        auto s = test::must(events::store::open(dir.path()));
        {
            test::log_writer log(*s);
            for (auto const& c : history.commits())
                log.append(*c);
        }
        (void)test::must(projector::open(*s));
    }
    {
        live_log log(dir.path());
        expected = digests(log);
    }
    std::mt19937 random(3);
    std::uint64_t newest = 0;
    for (int round = 0; round < 6; ++round) {
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        auto const child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            // RocksDB's threads do not survive a fork: the child starts this program anew.
            ::prctl(PR_SET_PDEATHSIG, SIGKILL); // and ends with us in any case
            ::setenv("ASSAY_REBUILD_DIR", dir.path().c_str(), 1);
            ::setenv("ASSAY_REBUILD_FD", std::to_string(ends[1]).c_str(), 1);
            ::execl("/proc/self/exe", "test_projections", "[.rebuild_child]", nullptr);
            ::_exit(127);
        }
        ::close(ends[1]);
        // It says a byte when it has opened the directory, and one behind each rebuild.
        for (int heard = 0; heard < round; ++heard) {
            char byte = 0;
            REQUIRE(::read(ends[0], &byte, 1) == 1);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(random() % 300));
        REQUIRE(::kill(child, SIGKILL) == 0);
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        REQUIRE(WIFSIGNALED(status));
        ::close(ends[0]);

        live_log log(dir.path());
        CHECK(log.views->missing().empty());
        CHECK(digests(log) == expected);
        for (auto const& state : log.views->states()) {
            CHECK(log.store->view_generations(state.name) == std::vector{state.generation.value()});
            newest = std::max(newest, state.generation.value());
        }
    }
    CHECK(newest > 1);
}

TEST_CASE("child of the test above: rebuilds until it is killed", "[.rebuild_child]")
{
    auto const* const dir = std::getenv("ASSAY_REBUILD_DIR");
    auto const* const fd = std::getenv("ASSAY_REBUILD_FD");
    if (!dir || !fd)
        return;
    auto const s = test::must(events::store::open(dir));
    auto const views = test::must(projector::open(*s));
    while (::write(std::atoi(fd), ".", 1) == 1 && views->rebuild({})) {
    }
}

TEST_CASE("audit replay: names the rows that are not what the log says",
          "[projections][projector][audit]")
{
    test::temporary_directory dir;
    auto const start = test::start_command("a", {.models = 2, .scenarios = 4});
    {
        live_log log(dir.path());
        REQUIRE(log.give(start));
        log.run_cells(start.test, 0, 5);
        auto const report = test::must(audit_replay(*log.store, *log.views->read()));
        CHECK(report.clean());
        CHECK(report.commits == log.store->next_position());
        CHECK(report.events == 1 + 5 * 4);
        REQUIRE(report.views.size() == view_count);
        CHECK(report.views[static_cast<std::size_t>(view_id::grades)].rows == 5);

        auto* const grades_family = test::must(log.store->view_family("grades", 1));
        auto* const cells_family = test::must(log.store->view_family("cells", 1));
        REQUIRE(log.store->db().Put({}, grades_family, "gx", "nobody wrote this").ok());
        std::string const cell = "c" + std::string(start.test.raw()) + events::be32(2);
        REQUIRE(log.store->db().Delete({}, cells_family, cell).ok());
    }
    // As an auditor would: the directory is stopped, and nothing in it may change.
    auto const s =
        test::must(events::store::open(dir.path(), {.read_only = true, .create = false}));
    auto const views = test::must(projector::open(*s));
    auto const report = test::must(audit_replay(*s, *views->read()));
    CHECK_FALSE(report.clean());
    auto const& of_cells = report.views[static_cast<std::size_t>(view_id::cells)];
    CHECK(of_cells.differing == 1);
    REQUIRE(of_cells.first.size() == 1);
    CHECK(of_cells.first[0].key == "c " + start.test.text() + " 00000002");
    CHECK_FALSE(of_cells.first[0].stored);
    REQUIRE(of_cells.first[0].replayed);
    CHECK(of_cells.first[0].replayed->find("\"score_ppm\":200000") != std::string::npos);
    auto const& of_grades = report.views[static_cast<std::size_t>(view_id::grades)];
    REQUIRE(of_grades.first.size() == 1);
    CHECK_FALSE(of_grades.first[0].replayed);
    CHECK(report.views[static_cast<std::size_t>(view_id::runs)].differing == 0);
}
