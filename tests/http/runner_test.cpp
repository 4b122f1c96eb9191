#include "core/json.hpp"
#include "http/providers/mock_server.hpp"
#include "http/providers/recordings.hpp"
#include "http/runner/runner.hpp"
#include "tests/http/loopback.hpp"
#include "tests/http/runner_service.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <fstream>
#include <map>
#include <memory>
#include <string>

using namespace assay;
using namespace assay::test;
using namespace std::chrono_literals;

namespace {

std::map<std::string, std::uint64_t> passed_by_model(engine::engine const& e, uuid const& workspace,
                                                     uuid const& test)
{
    auto const views = e.read();
    auto const row = projections::get_test(*views, workspace, test).value();
    std::map<std::string, std::uint64_t> out;
    auto const lines = projections::get_benchmark(*views, row).value();
    for (auto const& line : lines)
        out[row.started.models[line.model].name] = line.totals.scores.passed;
    return out;
}

/// What the recordings themselves say of the first `questions` questions.
std::map<std::string, std::uint64_t> right_by_model(int questions)
{
    std::map<std::string, std::uint64_t> out;
    std::ifstream in(gsm8k() / "example_model_solutions.jsonl");
    std::string line;
    for (int i = 0; i < questions && std::getline(in, line); ++i) {
        auto const parsed = json::parse(line).value();
        for (auto const* name :
             {"6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"})
            out[name] += parsed.at(name).at("is_correct").as_bool() ? 1 : 0;
    }
    return out;
}

std::unique_ptr<http::mock_server> start_mock(http::mock_options options)
{
    static auto const recorded = [] {
        auto loaded = http::recordings::load(gsm8k() / "example_model_solutions.jsonl");
        REQUIRE(loaded);
        return std::make_shared<http::recordings const>(std::move(*loaded));
    }();
    auto started = http::mock_server::start(std::move(options), recorded);
    REQUIRE(started);
    return std::move(*started);
}

boost::json::object openai_provider(http::mock_server const& mock)
{
    return {{"value", "openai"}, {"endpoint", mock.base_url()}};
}

} // namespace

TEST_CASE("runner: 200 questions under four recorded models give the known grades, also with a "
          "restart in the middle",
          "[http][runner]")
{
    service s;
    auto const eval = gsm8k_eval(s, 200, recorded_provider());
    auto const test = s.start({.eval = eval});
    {
        http::runner runner(*s.engine, {.in_flight = 8});
        runner.start();
        REQUIRE(eventually([&] { return runner.stats().cells >= 100; }));
        runner.stop();
    }
    s.engine.reset();
    s.open();

    engine::start_request again{.eval = eval};
    again.resume = true;
    auto const resumed = s.engine->prepare_start(s.who, again);
    REQUIRE(resumed);
    http::runner runner(*s.engine, {.in_flight = 16});
    runner.start();
    auto const counts = s.wait_until_closed(test);
    CHECK((resumed->resumed == test || counts.counts.completed == 800));
    CHECK(counts.counts.completed == 800);
    CHECK(counts.calls == 800);
    CHECK(counts.graded == 800);
    CHECK(passed_by_model(*s.engine, s.who.workspace, test) == right_by_model(200));
    runner.stop();
    CHECK(runner.stats().faults == 0);
}

TEST_CASE("runner: a host that refuses, breaks and cuts is asked again until every cell has its "
          "answer",
          "[http][runner]")
{
    auto const mock =
        start_mock({.statuses = {{429, 0.1}, {500, 0.1}}, .truncate = 0.1, .seed = 5});
    service s;
    auto const test = s.start({.eval = gsm8k_eval(s, 50, openai_provider(*mock))});
    http::runner runner(
        *s.engine, {.in_flight = 8, .retries = {.base = 1ms, .cap = 10ms, .attempts_max = 50}});
    runner.start();
    auto const counts = s.wait_until_closed(test);
    runner.stop();
    CHECK(counts.counts.completed == 200);
    CHECK(counts.calls == 200);
    CHECK(passed_by_model(*s.engine, s.who.workspace, test) == right_by_model(50));
    auto const asked = mock->stats();
    CHECK(asked.requests == runner.stats().calls);
    CHECK(asked.requests == 200 + runner.stats().retries);
    CHECK(runner.stats().rate_limited > 0);
    CHECK(asked.distinct_questions == 200);
    CHECK(runner.stats().faults == 0);
}

TEST_CASE("runner: a stop lets the calls in flight end and makes no further one", "[http][runner]")
{
    auto const mock = start_mock({.latency = 5ms});
    service s;
    auto const test = s.start({.eval = gsm8k_eval(s, 50, openai_provider(*mock))});
    http::runner runner(*s.engine, {.in_flight = 4});
    runner.start();
    REQUIRE(eventually([&] { return runner.stats().cells >= 20; }));
    s.stop(test);
    auto const counts = s.wait_until_closed(test);
    CHECK(counts.counts.completed >= 20);
    CHECK(counts.counts.completed < 200);
    CHECK(counts.counts.completed == counts.calls);
    runner.stop();
    CHECK(mock->stats().answered_twice == 0);
    CHECK(runner.stats().faults == 0);
}

TEST_CASE("runner: its own end cuts calls that hang, and the next one asks them again",
          "[http][runner]")
{
    auto const mock = start_mock({.hang = 0.2, .seed = 3});
    service s;
    auto const test = s.start({.eval = gsm8k_eval(s, 10, openai_provider(*mock))});
    {
        http::runner runner(*s.engine, {.in_flight = 40});
        runner.start();
        // Each has been asked, and what was answered has been recorded.
        REQUIRE(eventually([&] {
            return mock->stats().requests == 40 && runner.stats().cells == mock->stats().answered;
        }));
        CHECK(s.counts(test).counts.open() > 0);
        runner.stop(0ms);
        CHECK(runner.stats().faults == 0);
    }
    CHECK(s.counts(test).calls < 40);
    // The mock decides by the number of the request, so that a call which hung may hang again.
    http::runner runner(*s.engine, {.in_flight = 40,
                                    .call_timeout = 1s,
                                    .retries = {.base = 1ms, .cap = 10ms, .attempts_max = 50}});
    runner.start();
    auto const counts = s.wait_until_closed(test);
    runner.stop();
    CHECK(counts.counts.completed == 40);
    CHECK(counts.calls == 40);
    CHECK(passed_by_model(*s.engine, s.who.workspace, test) == right_by_model(10));
}
