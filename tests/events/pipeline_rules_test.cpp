#include "events/anchor.hpp"
#include "events/catalogue.hpp"
#include "tests/events/fixture.hpp"
#include "tests/events/held_writer.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::events;
using namespace assay::test;

namespace {

uuid const test_id = a_test_id("t");
stream_id const test_stream{stream_kind::test, test_id};

/// A view that refuses every commit with an event of one type, and notes what it is told.
class refusing_view final : public view_port {
public:
    explicit refusing_view(std::string_view type) : type_(type) {}

    result<void> stage(commit const& c) override
    {
        for (auto const& e : c.events) {
            if (type_of(e.body).name == type_)
                return fail(errc::internal, "cannot take it");
        }
        staged.push_back(c.head.position);
        return {};
    }

    void collect(rocksdb::WriteBatch&) override { ++collected; }

    std::vector<std::uint64_t> staged;
    int collected = 0;

private:
    std::string_view const type_;
};

std::string outcome_of(result<receipt> const& r)
{
    return r ? "ok" : r.error().reason;
}

} // namespace

TEST_CASE("pipeline: a stream's version is exact, none, at least one or any", "[events][pipeline]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    stream_id const unknown{stream_kind::test, a_test_id("unknown")};
    REQUIRE(log.give("test.start", a_start(test_id, 1, 3)));
    REQUIRE(log.give("test.stop", command::stop_test{test_id}));
    using kind = expectation::kind;
    std::vector<std::pair<expectation, std::string>> const rows{
        {{test_stream, kind::any}, ""},
        {{unknown, kind::any}, ""},
        {{test_stream, kind::exists}, ""},
        {{unknown, kind::exists}, unknown.text() + ": expected version any version, it is at 0"},
        {{unknown, kind::none}, ""},
        {{test_stream, kind::none}, test_stream.text() + ": expected version none, it is at 2"},
        {{test_stream, kind::exact, 2}, ""},
        {{test_stream, kind::exact, 1}, test_stream.text() + ": expected version 1, it is at 2"},
        {{test_stream, kind::exact, 3}, test_stream.text() + ": expected version 3, it is at 2"},
        {{unknown, kind::exact, 0}, ""},
    };
    for (std::size_t i = 0; i < rows.size(); ++i) {
        INFO("row " << i);
        auto s = log.submission("test.stop", command::stop_test{test_id});
        s.expects.push_back(rows[i].first);
        auto const done = log.writer->submit_and_wait(std::move(s));
        CHECK(done.has_value() == rows[i].second.empty());
        if (done)
            continue;
        CHECK(done.error().code == errc::conflict);
        CHECK(done.error().reason == "version_conflict");
        CHECK(done.error().detail == rows[i].second);
    }
    CHECK(log.store->next_position() == 2);
}

TEST_CASE("pipeline: of two who expect the same version in one drain, one conflicts",
          "[events][pipeline]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    REQUIRE(log.give("test.start", a_start(test_id, 1, 3)));
    auto const stop = [&] {
        auto s = log.submission("test.stop", command::stop_test{test_id});
        s.expects.push_back({test_stream, expectation::kind::exact, 1});
        return s;
    };
    held_writer held(*log.writer);
    pending first(*log.writer, stop());
    pending second(*log.writer, stop());
    held.release();
    CHECK(outcome_of(first.get()) == "ok");
    CHECK(outcome_of(second.get()) == "version_conflict");
}

TEST_CASE("pipeline: a decision without events writes nothing and answers", "[events][pipeline]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    REQUIRE(log.give("test.start", a_start(test_id, 1, 3)));
    REQUIRE(log.give("test.stop", command::stop_test{test_id}));
    auto const again = log.give("test.stop", command::stop_test{test_id});
    REQUIRE(again);
    CHECK_FALSE(again->position);
    CHECK(again->answer.at("already").as_bool());
    CHECK(log.store->next_position() == 2);
}

TEST_CASE("pipeline: when a view refuses, nothing of the command is written and the next goes on",
          "[events][pipeline]")
{
    temporary_directory dir;
    refusing_view view("test.stopped");
    {
        log_fixture log(dir.path(), &view);
        {
            held_writer held(*log.writer);
            pending start(*log.writer, log.submission("test.start", a_start(test_id, 1, 3)));
            pending stop(*log.writer, log.submission("test.stop", command::stop_test{test_id}));
            pending run(*log.writer,
                        log.submission("invocation.run", command::run_cell{test_id, 0}));
            held.release();
            CHECK(outcome_of(start.get()) == "ok");
            auto const refused = stop.get();
            REQUIRE_FALSE(refused);
            CHECK(refused.error().code == errc::projection_failed);
            CHECK(refused.error().reason == "projection_failed");
            CHECK(run.get()->position == 1);
        }
        CHECK(log.writer->stats().projection_failures == 1);
        CHECK(log.writer->stats().drains == 1);
        CHECK(view.staged == std::vector<std::uint64_t>{0, 1});
        CHECK(view.collected == 1);
        auto s = log.submission("invocation.run", command::run_cell{test_id, 1});
        s.expects.push_back(
            {test_stream, expectation::kind::exact, 1}); // the refused stop did not count
        CHECK(outcome_of(log.writer->submit_and_wait(std::move(s))) == "ok");
    }
    log_fixture log(dir.path());
    CHECK(log.store->next_position() == 3);
    auto const stopped = log.give("test.stop", command::stop_test{test_id});
    CHECK(stopped->answer.at("queued").as_uint64() == 1);
    CHECK(stopped->answer.at("running").as_uint64() == 2);
}

TEST_CASE("pipeline: a commit has at most 256 events and 512 KiB", "[events][pipeline]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    REQUIRE(log.give("test.start", a_start(test_id, 1, 1000)));
    command::begin_runs begin{test_id, {}};
    for (std::uint32_t i = 0; i < 257; ++i)
        begin.cells.push_back(i);
    auto const many = log.give("runner.begin", begin);
    REQUIRE_FALSE(many);
    CHECK(many.error().code == errc::too_large);
    CHECK(many.error().reason == "commit_too_large");
    begin.cells.pop_back();
    CHECK(log.give("runner.begin", begin)->position == 1);
    CHECK(log.store->record_bytes(1)->size() > 0);
    CHECK(codec::to_json(log.store->read_envelope_at(1).value()).size() <= entry_bytes_max);

    command::save_item item;
    item.id = derive_uuid("item");
    item.item.body["text"] = std::string(commit_bytes_max, 'x');
    auto const large = log.give("item.create", item);
    REQUIRE_FALSE(large);
    CHECK(large.error().reason == "commit_too_large");
    item.item.body["text"] = std::string(commit_bytes_max - 1000, 'x');
    CHECK(log.give("item.create", item)->position == 2);
}

TEST_CASE("pipeline: time never goes backwards, also over a restart", "[events][pipeline]")
{
    temporary_directory dir;
    std::atomic<std::int64_t> now{1'000'000'000};
    pipeline_options options;
    options.clock = [&] { return instant{now}; };
    {
        log_fixture log(dir.path(), nullptr, options);
        REQUIRE(log.give("test.start", a_start(test_id, 1, 3)));
        now = 500;
        REQUIRE(log.give("invocation.run", command::run_cell{test_id, 0}));
        now = 1'000'000'007;
        REQUIRE(log.give("invocation.run", command::run_cell{test_id, 1}));
    }
    now = 0;
    log_fixture log(dir.path(), nullptr, options);
    REQUIRE(log.give("test.stop", command::stop_test{test_id}));
    std::vector<std::int64_t> times;
    for (std::uint64_t p = 0; p < 4; ++p)
        times.push_back(log.store->read(p).value()->head.at.us);
    CHECK(times ==
          std::vector<std::int64_t>{1'000'000'000, 1'000'000'000, 1'000'000'007, 1'000'000'007});
}

TEST_CASE("pipeline: beyond its queue it refuses at once", "[events][pipeline]")
{
    temporary_directory dir;
    pipeline_options options;
    options.queue_max = 2;
    log_fixture log(dir.path(), nullptr, options);
    held_writer held(*log.writer);
    pending first(*log.writer, log.submission("test.start", a_start(test_id, 1, 3)));
    pending second(*log.writer, log.submission("test.stop", command::stop_test{test_id}));
    pending third(*log.writer, log.submission("test.stop", command::stop_test{test_id}));
    REQUIRE(third.ready());
    auto const refused = third.get();
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::overloaded);
    CHECK(refused.error().reason == "queue_full");
    CHECK(refused.error().retry_after_ms == 1000);
    CHECK(log.writer->stats().overloaded == 1);
    CHECK(log.writer->stats().waiting == 2);
    held.release();
    CHECK(outcome_of(first.get()) == "ok");
    CHECK(outcome_of(second.get()) == "ok");
}

TEST_CASE("pipeline: stop answers what waits and refuses what comes later", "[events][pipeline]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    std::vector<std::unique_ptr<pending>> waiting;
    {
        held_writer held(*log.writer);
        waiting.push_back(std::make_unique<pending>(
            *log.writer, log.submission("test.start", a_start(test_id, 1, 100))));
        for (std::uint32_t i = 0; i < 100; ++i)
            waiting.push_back(std::make_unique<pending>(
                *log.writer, log.submission("invocation.run", command::run_cell{test_id, i})));
    }
    log.writer->stop();
    for (auto& p : waiting) {
        REQUIRE(p->ready());
        REQUIRE(outcome_of(p->get()) == "ok");
    }
    auto const late = log.give("test.stop", command::stop_test{test_id});
    REQUIRE_FALSE(late);
    CHECK(late.error().code == errc::unavailable);
    CHECK(late.error().reason == "stopping");
    CHECK(log.store->next_position() == 101);
    CHECK(read_anchor(dir.path() / "anchor").value()->size == 101);
}

TEST_CASE("pipeline: under the disk reserve commands are refused and reads go on",
          "[events][pipeline]")
{
    temporary_directory dir;
    {
        log_fixture log(dir.path());
        REQUIRE(log.give("test.start", a_start(test_id, 1, 3)));
    }
    pipeline_options options;
    options.reserve_bytes = UINT64_MAX;
    log_fixture log(dir.path(), nullptr, options);
    auto const refused = log.give("test.stop", command::stop_test{test_id});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::unavailable);
    CHECK(refused.error().reason == "disk_reserve");
    CHECK(refused.error().retry_after_ms == 5000);
    CHECK(log.writer->disk().low());
    CHECK(log.writer->stats().refused == 1);
    CHECK(log.store->next_position() == 1);
    CHECK(log.store->read(0));
    CHECK_FALSE(std::filesystem::exists(dir.path() / "ballast"));
}

TEST_CASE("pipeline: the ballast is placed when there is room for it", "[events][pipeline]")
{
    temporary_directory dir;
    disk_guard(dir.path(), UINT64_MAX / 2, 4096).place_ballast();
    CHECK_FALSE(std::filesystem::exists(dir.path() / "ballast"));
    disk_guard guard(dir.path(), 1, 4096);
    guard.place_ballast();
    CHECK(std::filesystem::file_size(dir.path() / "ballast") == 4096);
    CHECK(guard.check());
    CHECK_FALSE(guard.low());
}

TEST_CASE("pipeline: the anchor and its copies follow by themselves", "[events][pipeline]")
{
    temporary_directory dir;
    pipeline_options options;
    options.anchor_interval = std::chrono::milliseconds{5};
    options.anchor_copies = {dir.path() / "no such directory" / "anchor", dir.path() / "copy"};
    log_fixture log(dir.path(), nullptr, options);
    REQUIRE(log.give("test.start", a_start(test_id, 1, 3)));
    auto const follows = [&](char const* name) {
        for (int i = 0; i < 1000; ++i) {
            auto const a = read_anchor(dir.path() / name).value();
            if (a && a->size == 1)
                return true;
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
        return false;
    };
    CHECK(follows("copy"));
    CHECK(follows("anchor"));
}

TEST_CASE("pipeline: what views see live is what they would read from the log",
          "[events][pipeline]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    commit_ptr live;
    log.writer->subscribe([&](commit_ptr const& c) { live = c; });
    command::save_item c;
    c.id = derive_uuid("item");
    c.item.name = "bad \xFF bytes \xC3";
    c.item.body = json::parse(R"({"one":1.0,"minus":-0.0,"large":1e21})").value().as_object();
    REQUIRE(log.give("item.create", c));
    auto const read = log.store->read(0).value();
    auto const& seen = std::get<event::item_created>(live->events.at(0).body);
    auto const& stored = std::get<event::item_created>(read->events.at(0).body);
    CHECK(seen.name == stored.name);
    CHECK(seen.name == "bad \uFFFD bytes \uFFFD");
    CHECK(json::canonical(seen.body) == json::canonical(stored.body));
}

TEST_CASE("pipeline: a listener hears every commit in order until it is taken off",
          "[events][pipeline]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    std::vector<std::uint64_t> heard;
    auto const number =
        log.writer->subscribe([&](commit_ptr const& c) { heard.push_back(c->head.position); });
    REQUIRE(log.give("test.start", a_start(test_id, 1, 9)));
    for (std::uint32_t i = 0; i < 4; ++i)
        REQUIRE(log.give("invocation.run", command::run_cell{test_id, i}));
    log.writer->unsubscribe(number);
    REQUIRE(log.give("test.stop", command::stop_test{test_id}));
    CHECK(heard == std::vector<std::uint64_t>{0, 1, 2, 3, 4});
}

TEST_CASE("pipeline: a state cache of no size decides the same", "[events][pipeline]")
{
    temporary_directory dir;
    pipeline_options options;
    options.state_cache_bytes = 0;
    options.drain_bytes_max = 0;
    log_fixture log(dir.path(), nullptr, options);
    REQUIRE(log.give("test.start", a_start(test_id, 1, 50)));
    for (std::uint32_t i = 0; i < 50; ++i)
        REQUIRE(log.give("invocation.run", command::run_cell{test_id, i}));
    auto const stopped = log.give("test.stop", command::stop_test{test_id});
    CHECK(stopped->answer.at("running").as_uint64() == 50);
    CHECK(outcome_of(log.give("invocation.run", command::run_cell{test_id, 7})) ==
          "invocation_running");
}
