#include "core/time.hpp"
#include "tests/core/random.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace assay;

TEST_CASE("instant: RFC 3339 texts are read with any offset", "[core][time]")
{
    auto const [text, us] = GENERATE(table<std::string, std::int64_t>({
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01T00:00:00.000001Z", 1},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"1985-04-12T23:20:50.52Z", 482196050'520000},        // RFC 3339 §5.8
        {"1996-12-19T16:39:57-08:00", 851042397'000000},      // RFC 3339 §5.8
        {"1937-01-01T12:00:27.87+00:20", -1041337172'130000}, // RFC 3339 §5.8
        {"2026-11-21T06:51:14.123456Z", 1795243874'123456},
        {"2026-11-21t06:51:14.123456z", 1795243874'123456},
        {"2026-11-21 06:51:14.123456Z", 1795243874'123456},
        {"2026-11-21T06:51:14.1234569Z", 1795243874'123456},
        {"2026-11-21T06:51:14.12345678901234567890Z", 1795243874'123456},
        {"2026-11-21T06:51:14-00:00", 1795243874'000000},
        {"2026-11-21T12:21:14+05:30", 1795243874'000000},
        {"2026-11-20T06:52:14-23:59", 1795243874'000000},
        {"2024-02-29T00:00:00Z", 1709164800'000000},
        {"2000-02-29T23:59:59Z", 951868799'000000},
        {"0001-01-01T00:00:00Z", -62135596800'000000},
        {"9999-12-31T23:59:59.999999Z", 253402300799'999999},
    }));
    INFO(text);
    auto const read = instant::parse(text);
    REQUIRE(read);
    CHECK(read->us == us);
}

TEST_CASE("instant: what is no moment is none", "[core][time]")
{
    auto const text = GENERATE(
        as<std::string>{}, "", "2026-11-21", "2026-11-21T06:51:14", "2026-11-21T06:51:14.5",
        "2026-11-21T06:51Z", "2026-11-21T06:51:14.Z", "2026-11-21T06:51:14.5+0530",
        "2026-11-21T06:51:14+05", "2026-11-21T06:51:14+24:00", "2026-11-21T06:51:14+05:60",
        "2026-11-21T06:51:14 Z", "2026-11-21T06:51:14Z ", "2026-11-21T06:51:14ZZ",
        "2026-11-21X06:51:14Z", "2026-11-21T24:00:00Z", "2026-11-21T06:60:14Z",
        "2026-11-21T06:51:60Z", "2026-11-21T06-51-14Z", "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
        "0000-01-01T00:00:00Z", "+026-01-01T00:00:00Z", "2026/01/01T00:00:00Z",
        "20261-01-01T00:00:00Z", "2026-1-01T00:00:00.0Z", "2026-11-21T-1:51:14.0Z");
    INFO(text);
    CHECK_FALSE(instant::parse(text));
}

TEST_CASE("instant: an offset cannot lead out of the years 0001 to 9999", "[core][time]")
{
    CHECK_FALSE(instant::parse("0001-01-01T00:00:00+00:01"));
    CHECK_FALSE(instant::parse("9999-12-31T23:59:59-00:01"));
    CHECK(instant::parse("0001-01-01T00:00:00-00:01"));
    CHECK(instant::parse("9999-12-31T23:59:59+00:01"));
}

TEST_CASE("instant: texts lead back and sort as moments do", "[core][time]")
{
    auto const seed = test::random_seed();
    INFO("seed " << seed);
    test::dice dice(seed);
    auto const first = instant::parse("0001-01-01T00:00:00Z").value();
    auto const span =
        static_cast<std::uint64_t>(instant::parse("9999-12-31T23:59:59Z").value().us - first.us);
    for (int i = 0; i < 1000; ++i) {
        instant const a{first.us + static_cast<std::int64_t>(dice.below(span))};
        instant const b{first.us + static_cast<std::int64_t>(dice.below(span))};
        REQUIRE(instant::parse(a.text()) == a);
        REQUIRE(a.text().size() == 27);
        REQUIRE((a < b) == (a.text() < b.text()));
    }
}

TEST_CASE("parse_date_bound: a bare date is a UTC day with its end inclusive", "[core][time]")
{
    CHECK(parse_date_bound("2026-11-21", false)->text() == "2026-11-21T00:00:00.000000Z");
    CHECK(parse_date_bound("2026-11-21", true)->text() == "2026-11-21T23:59:59.999999Z");
    CHECK(parse_date_bound("2026-11-21T10:00:00+01:00", true)->text() ==
          "2026-11-21T09:00:00.000000Z");
    CHECK_FALSE(parse_date_bound("2026-02-30", false));
    CHECK_FALSE(parse_date_bound("2026-11-2", false));
    CHECK_FALSE(parse_date_bound("21.11.2026", true));
    CHECK_FALSE(parse_date_bound("", true));
}
