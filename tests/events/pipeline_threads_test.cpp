#include "tests/core/random.hpp"
#include "tests/events/fixture.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <thread>

using namespace assay;
using namespace assay::events;
using namespace assay::test;

TEST_CASE("pipeline: eight who submit at a time get dense positions, each its own",
          "[events][pipeline][threads]")
{
    constexpr int threads = 8;
    constexpr std::uint32_t each = 60;
    temporary_directory dir;
    std::map<std::uint64_t, uuid> acknowledged; // position -> command
    {
        log_fixture log(dir.path());
        auto const shared = a_test_id("shared");
        REQUIRE(log.give("test.start", a_start(shared, 1, threads * each)));
        std::vector<std::uint64_t> heard;
        log.writer->subscribe([&](commit_ptr const& c) { heard.push_back(c->head.position); });
        std::mutex mutex;
        std::atomic<int> refused{0};
        {
            std::vector<std::jthread> submitters;
            for (int t = 0; t < threads; ++t) {
                submitters.emplace_back([&, t] {
                    auto const own = a_test_id(fmt::format("own {}", t));
                    for (std::uint32_t i = 0; i < each; ++i) {
                        auto s = i == 0 ? log.submission("test.start", a_start(own, 1, each))
                                 : i % 2 == 0
                                     ? log.submission("invocation.run", command::run_cell{own, i})
                                     : log.submission(
                                           "invocation.run",
                                           command::run_cell{
                                               shared, static_cast<std::uint32_t>(t) * each + i});
                        auto const id = s.command_id;
                        auto const done = log.writer->submit_and_wait(std::move(s));
                        if (!done) {
                            ++refused;
                            continue;
                        }
                        std::lock_guard const lock(mutex);
                        REQUIRE(acknowledged.emplace(*done->position, id).second);
                    }
                });
            }
        }
        CHECK(refused == 0);
        CHECK(std::is_sorted(heard.begin(), heard.end()));
        CHECK(heard.size() == threads * each);
        CHECK(log.writer->stats().commits == threads * each + 1);
        CHECK(log.writer->stats().drains < threads * each + 1); // one sync served several
    }
    auto const reopened = store::open(dir.path()).value();
    REQUIRE(reopened->next_position() == threads * each + 1);
    std::uint64_t expected = 1;
    for (auto const& [position, command] : acknowledged) {
        REQUIRE(position == expected++);
        REQUIRE(reopened->read(position).value()->head.command == command);
    }
}

TEST_CASE("pipeline: of many who fire the same cell, one succeeds", "[events][pipeline][threads]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    auto const test_id = a_test_id("t");
    REQUIRE(log.give("test.start", a_start(test_id, 1, 20)));
    for (std::uint32_t cell = 0; cell < 20; ++cell) {
        std::atomic<int> fired{0};
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t)
            threads.emplace_back([&] {
                fired += log.give("invocation.run", command::run_cell{test_id, cell}).has_value()
                             ? 1
                             : 0;
            });
        threads.clear();
        REQUIRE(fired == 1);
    }
    CHECK(log.store->next_position() == 21);
}

TEST_CASE("pipeline: work between drains runs alone, while commands keep coming",
          "[events][pipeline][threads]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    auto const test_id = a_test_id("t");
    REQUIRE(log.give("test.start", a_start(test_id, 1, 500)));
    std::jthread submitter([&](std::stop_token stop) {
        for (std::uint32_t i = 0; i < 500 && !stop.stop_requested(); ++i)
            (void)log.give("invocation.run", command::run_cell{test_id, i});
    });
    for (int i = 0; i < 50; ++i) {
        bool ran = false;
        log.writer->between_drains([&] {
            auto const before = log.store->next_position();
            CHECK(log.store->tree().size() == before);
            ran = true;
        });
        REQUIRE(ran);
    }
}
