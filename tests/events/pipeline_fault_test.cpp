#include "events/anchor.hpp"
#include "tests/core/random.hpp"
#include "tests/events/fault_files.hpp"
#include "tests/events/fixture.hpp"
#include "tests/events/held_writer.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::events;
using namespace assay::test;

namespace {

uuid const test_id = a_test_id("t");

/// A log over files that can fail.
struct faulty_log {
    fault_env faults;
    std::unique_ptr<events::store> store;
    std::unique_ptr<events::vault> vault;
    no_views none;
    std::vector<std::string> fatal;
    std::unique_ptr<pipeline> writer;
    uuid workspace = derive_uuid("workspace");

    explicit faulty_log(std::filesystem::path const& dir)
    {
        store_options options;
        options.env = faults.env.get();
        store = events::store::open(dir, options).value();
        vault = events::vault::open(dir).value();
        pipeline_options p;
        p.ballast_bytes = 0;
        p.on_fatal = [this](error const& e) { fatal.push_back(e.detail); };
        writer = std::make_unique<pipeline>(*store, *vault, none, std::move(p));
    }

    submission command(any_command c) const
    {
        submission s;
        s.actor = {workspace, {}, channel::system};
        s.command_id = random_uuid_v7(1'700'000'000'000'000);
        s.operation = "test";
        s.command = std::move(c);
        return s;
    }

    result<receipt> give(any_command c) { return writer->submit_and_wait(command(std::move(c))); }
};

/// The log opens without the faults, is whole, and holds `commits` commits or up to `maybe` more
/// that were never answered.
void check_recovers(std::filesystem::path const& dir, std::uint64_t commits,
                    std::uint64_t maybe = 0)
{
    auto const s = store::open(dir);
    INFO((s ? "" : s.error().detail));
    REQUIRE(s);
    REQUIRE((*s)->next_position() >= commits);
    REQUIRE((*s)->next_position() <= commits + maybe);
    std::vector<digest> leaves;
    for (std::uint64_t p = 0; p < (*s)->next_position(); ++p)
        leaves.push_back(verify_record(p, (*s)->record_bytes(p).value()).value());
    REQUIRE(merkle::root_of(leaves) == (*s)->tree().root());
}

} // namespace

TEST_CASE(
    "pipeline: a failed write of the log is fatal, once, and nothing is acknowledged after it",
    "[events][pipeline][fault]")
{
    temporary_directory dir;
    {
        faulty_log log(dir.path());
        REQUIRE(log.give(a_start(test_id, 1, 100)));
        std::vector<std::unique_ptr<pending>> waiting;
        {
            held_writer held(*log.writer);
            for (std::uint32_t i = 0; i < 5; ++i)
                waiting.push_back(std::make_unique<pending>(
                    *log.writer, log.command(command::run_cell{test_id, i})));
            log.faults.files->fail_after(0);
        }
        for (auto& p : waiting) {
            auto const r = p->get();
            REQUIRE_FALSE(r);
            CHECK(r.error().code == errc::unavailable);
            CHECK(r.error().reason == "log_failed");
        }
        log.writer->stop();
        CHECK(log.fatal.size() == 1);
        CHECK(log.store->next_position() == 1);
        CHECK(log.store->read(0)); // reads live
        auto const late = log.give(command::run_cell{test_id, 50});
        REQUIRE_FALSE(late);
        CHECK(late.error().code == errc::unavailable);
        CHECK(read_anchor(dir.path() / "anchor").value()->size == 1);
    }
    check_recovers(dir.path(), 1, 5);
}

TEST_CASE("pipeline: after a failed write nothing is tried again, though the disk would take it",
          "[events][pipeline][fault]")
{
    temporary_directory dir;
    {
        faulty_log log(dir.path());
        REQUIRE(log.give(a_start(test_id, 1, 2000)));
        std::vector<std::unique_ptr<pending>> waiting;
        {
            held_writer held(*log.writer);
            // More than one drain takes, so that commands still wait when the first of them fails.
            for (std::uint32_t i = 0; i < 1200; ++i)
                waiting.push_back(std::make_unique<pending>(
                    *log.writer, log.command(command::run_cell{test_id, i})));
            log.faults.files->fail_after(0);
        }
        CHECK(waiting.front()->get().error().reason == "log_failed");
        log.faults.files->heal();
        for (std::size_t i = 1; i < waiting.size(); ++i)
            REQUIRE(waiting[i]->get().error().reason == "log_failed");
        log.writer->stop();
        CHECK(log.fatal.size() == 1);
        CHECK(log.store->next_position() == 1);
    }
    check_recovers(dir.path(), 1, 512);
}

TEST_CASE("pipeline: a write that fails at any step leaves a log that opens with all that was "
          "acknowledged",
          "[events][pipeline][fault]")
{
    for (std::uint64_t step = 0;; ++step) {
        INFO("steps before the failure: " << step);
        temporary_directory dir;
        std::uint64_t acknowledged = 0;
        bool failed = false;
        {
            faulty_log log(dir.path());
            log.faults.files->fail_after(step);
            auto const note = [&](result<receipt> const& r) {
                acknowledged += r ? 1 : 0;
                failed = failed || !r;
            };
            note(log.give(a_start(test_id, 1, 10)));
            for (std::uint32_t i = 0; i < 3; ++i)
                note(log.give(command::run_cell{test_id, i}));
            log.writer->stop();
        }
        check_recovers(dir.path(), acknowledged, 1);
        if (!failed) {
            CHECK(acknowledged == 4);
            CHECK(step > 4);
            break;
        }
    }
}

TEST_CASE("store: an opening that fails at any step is made good by the next",
          "[events][store][fault]")
{
    std::uint64_t opened_after = 0;
    for (std::uint64_t step = 0;; step += 3) {
        INFO("steps before the failure: " << step);
        temporary_directory dir;
        bool opened = false;
        {
            fault_env faults;
            faults.files->fail_after(step);
            store_options options;
            options.env = faults.env.get();
            opened = store::open(dir.path(), options).has_value();
        }
        check_recovers(dir.path(), 0);
        if (opened) {
            opened_after = step;
            break;
        }
    }
    CHECK(opened_after > 10);
}

TEST_CASE("pipeline: a power cut loses nothing that was acknowledged", "[events][pipeline][fault]")
{
    auto const torn = GENERATE(false, true);
    auto const seed = random_seed();
    INFO("seed " << seed << (torn ? ", torn" : ""));
    dice dice(seed);
    temporary_directory dir;
    std::uint64_t acknowledged = 0;
    for (int round = 0; round < 8; ++round) {
        INFO("round " << round);
        fault_env faults;
        {
            faulty_log log(dir.path());
            faults.files = log.faults.files;
            if (acknowledged == 0) {
                REQUIRE(log.give(a_start(test_id, 1, 1000)));
                ++acknowledged;
            }
            for (auto n = dice.below(20); n > 0; --n) {
                REQUIRE(log.give(
                    command::run_cell{test_id, static_cast<std::uint32_t>(acknowledged - 1)}));
                ++acknowledged;
            }
            // What nobody was told is durable may go: here it leaves a torn tail behind the last
            // commit.
            rocksdb::WriteBatch unsynced;
            unsynced.Put(log.store->handle(family::meta), "unsynced",
                         std::string(100 + dice.below(100'000), 'x'));
            REQUIRE(log.store->write(unsynced, false));
        }
        faults.files->cut_power(torn);
        check_recovers(dir.path(), acknowledged);
    }
}
