#include "core/rate_limit.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

using namespace assay;
using namespace std::chrono_literals;

TEST_CASE("rate_limit: one call after the other", "[core][rate_limit]")
{
    struct call {
        monotonic at;
        std::uint32_t cost;
        monotonic wait; ///< zero: taken
    };

    struct history {
        rate_limit::options options;
        std::vector<call> calls;
    };

    auto const h = GENERATE(values<history>({
        {{.per_minute = 0, .burst = 1}, {{0s, 1, 0s}, {0s, 1'000, 0s}, {0s, 1, 0s}}},
        {{.per_minute = 60, .burst = 1},
         {{5s, 1, 0s}, {5s, 1, 1s}, {5s + 400ms, 1, 600ms}, {6s, 1, 0s}, {6s, 1, 1s}}},
        {{.per_minute = 60, .burst = 3}, // a pause fills the bucket, not more
         {{0s, 1, 0s}, {0s, 1, 0s}, {0s, 1, 0s}, {0s, 1, 1s}, {1h, 3, 0s}, {1h, 1, 1s}}},
        {{.per_minute = 7, .burst = 1}, // 60/7 s is no whole number of microseconds
         {{0s, 1, 0s}, {0s, 1, 8571429us}, {8571428us, 1, 1us}, {8571429us, 1, 0s}}},
        {{.per_minute = 60, .burst = 10}, {{0s, 8, 0s}, {0s, 5, 3s}, {3s, 5, 0s}}},
        {{.per_minute = 60, .burst = 2}, // larger than the bucket: waits for a full one
         {{0s, 1, 0s}, {0s, 50, 1s}, {1s, 50, 0s}, {1s, 1, 1s}}},
        {{.per_minute = 60, .burst = 0}, {{0s, 1, 0s}, {0s, 1, 1s}}},
        {{.per_minute = 60, .burst = 1}, // time that goes backwards stands still
         {{10s, 1, 0s}, {4s, 1, 1s}, {11s, 1, 0s}}},
    }));
    rate_limit limit(h.options);
    for (auto const& c : h.calls) {
        INFO("at " << c.at.count() << " us");
        CHECK(limit.take(c.at, c.cost).count() == c.wait.count());
    }
}

TEST_CASE("rate_limit: whoever waits as told gets exactly the rate", "[core][rate_limit]")
{
    auto const per_minute = GENERATE(1U, 7U, 59U, 500U, 10'007U, 4'000'000'000U);
    rate_limit limit({.per_minute = per_minute, .burst = 1});
    monotonic now = 123456789us;
    monotonic const start = now;
    int const calls = 2'000;
    for (int i = 0; i < calls; ++i) {
        auto const wait = limit.take(now);
        if (wait > 0us) {
            now += wait;
            REQUIRE(limit.take(now) == 0us);
        }
    }
    double const least = (calls - 1) * 60e6 / per_minute;
    auto const took = static_cast<double>((now - start).count());
    CHECK(took >= least - 1);
    CHECK(took <= least + calls); // each wait is rounded up to a microsecond
}

TEST_CASE("rate_limit: years without a call do not overflow", "[core][rate_limit]")
{
    rate_limit limit({.per_minute = std::numeric_limits<std::uint32_t>::max(),
                      .burst = std::numeric_limits<std::uint32_t>::max()});
    CHECK(limit.take(0us, std::numeric_limits<std::uint32_t>::max()) == 0us);
    CHECK(limit.take(0us, 1) == 1us);
    CHECK(limit.take(std::chrono::hours(24 * 365 * 100),
                     std::numeric_limits<std::uint32_t>::max()) == 0us);
}

TEST_CASE("rate_limit: a hold stops everything and is never shortened", "[core][rate_limit]")
{
    rate_limit limit({.per_minute = 0});
    limit.hold(10s);
    limit.hold(5s);
    CHECK(limit.take(1s) == 9s);
    CHECK(limit.take(10s) == 0s);
    limit.hold(20s);
    CHECK(limit.take(15s) == 5s);
}

TEST_CASE("concurrency_limit: halves on 429, wins one back for a round of answers",
          "[core][rate_limit]")
{
    struct step {
        std::optional<monotonic> began; ///< of a call that got 429; none: answers
        int answers;
        std::uint32_t limit; ///< afterwards
    };

    auto const history = GENERATE(values<std::vector<step>>({
        {{{}, 1000, 16}},
        {{1s, 0, 8}, {{}, 7, 8}, {{}, 1, 9}, {{}, 8, 9}, {{}, 1, 10}, {{}, 1000, 16}},
        {{2s, 0, 8}, {1s, 0, 8}, {2s, 0, 4}}, // one that began before the shrink is no news
        {{{}, 5, 16}, {1s, 0, 8}, {{}, 7, 8}, {2s, 0, 4}, {{}, 3, 4}, {{}, 1, 5}},
        {{1s, 0, 8}, {2s, 0, 4}, {3s, 0, 2}, {4s, 0, 1}, {5s, 0, 1}, {{}, 1, 2}, {{}, 2, 3}},
    }));
    concurrency_limit limit(16);
    for (auto const& s : history) {
        if (s.began)
            limit.rate_limited(*s.began, *s.began);
        for (int i = 0; i < s.answers; ++i)
            limit.answered();
        CHECK(limit.limit() == s.limit);
    }
}

TEST_CASE("concurrency_limit: lets in as many as there is room for", "[core][rate_limit]")
{
    concurrency_limit limit(4);
    for (int i = 0; i < 4; ++i)
        CHECK(limit.try_enter());
    CHECK_FALSE(limit.try_enter());

    limit.rate_limited(1s, 2s); // four in flight, two allowed
    limit.leave();
    limit.leave();
    CHECK_FALSE(limit.try_enter());
    limit.leave();
    CHECK(limit.in_flight() == 1);
    CHECK(limit.try_enter());
    CHECK_FALSE(limit.try_enter());
}

TEST_CASE("concurrency_limit: nonsense is brought into range", "[core][rate_limit]")
{
    concurrency_limit limit(0);
    CHECK(limit.limit() == 1);
    limit.rate_limited(0s, 0s);
    CHECK(limit.limit() == 1);
    CHECK(limit.try_enter());
}

TEST_CASE("backoff: the bound doubles up to the cap, then attempts end", "[core][rate_limit]")
{
    std::uint64_t const most = std::numeric_limits<std::uint64_t>::max();
    auto const [random, waits] = GENERATE_COPY(table<std::uint64_t, std::vector<monotonic>>({
        {most, {500ms, 1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}},
        {most / 2 + 1, {250ms, 500ms, 1s, 2s, 4s, 8s, 16s, 30s, 30s}},
        {0, {0s, 0s, 0s, 0s, 0s, 0s, 0s, 0s, 0s}},
    }));
    backoff b({.attempts_max = 10});
    for (auto const wait : waits) {
        auto const next = b.next(random);
        REQUIRE(next);
        CHECK(*next == wait);
    }
    CHECK_FALSE(b.next(random));
    CHECK_FALSE(b.next(random));
}

TEST_CASE("backoff: what the host asks for is the floor", "[core][rate_limit]")
{
    struct example {
        std::optional<monotonic> retry_after;
        std::uint64_t random;
        std::optional<monotonic> wait;
    };

    std::uint64_t const most = std::numeric_limits<std::uint64_t>::max();
    auto const e = GENERATE_COPY(values<example>({
        {std::nullopt, most, 500ms},
        {0s, most, 500ms},
        {200ms, most, 500ms},
        {200ms, 0, 200ms},
        {90s, 0, 90s}, // the cap bounds our own waits, not theirs
        {10min, 0, 10min},
        {10min + 1us, 0, std::nullopt},
        {-5s, 0, 0s},
    }));
    CHECK(backoff({}).next(e.random, e.retry_after) == e.wait);
}

TEST_CASE("backoff: one attempt means none again", "[core][rate_limit]")
{
    auto const attempts = GENERATE(0U, 1U);
    backoff b({.attempts_max = attempts});
    CHECK_FALSE(b.next(0));
    CHECK(b.failures() == 1);
}

TEST_CASE("backoff: waits spread evenly over the bound", "[core][rate_limit]")
{
    double sum = 0;
    std::uint64_t random = 1;
    int const draws = 10'000;
    for (int i = 0; i < draws; ++i) {
        random = random * 6364136223846793005U + 1442695040888963407U; // Knuth's MMIX
        auto const wait = backoff({}).next(random);
        REQUIRE(wait);
        REQUIRE(*wait <= 500ms);
        sum += static_cast<double>(wait->count());
    }
    CHECK(sum / draws == Approx(250'000).epsilon(0.02));
}
