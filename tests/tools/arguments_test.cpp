#include "tools/arguments.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>

using namespace assay;
using namespace assay::tools;
using namespace std::chrono_literals;

TEST_CASE("arguments: durations have units", "[tools]")
{
    auto const [text, expected] =
        GENERATE(table<std::string, std::chrono::microseconds>({{"0", 0us},
                                                                {"20ms", 20ms},
                                                                {"1.5s", 1500ms},
                                                                {"250us", 250us},
                                                                {"2m", 2min},
                                                                {"1h", 1h}}));
    CHECK(parse_duration(text) == expected);
    for (auto const* const bad :
         {"", "20", "ms", "-1s", "1 s", "1d", "1s2", "1e3s", "nan", "99999999999999h"})
        CHECK_FALSE(parse_duration(bad).has_value());
}

TEST_CASE("arguments: addresses to listen on", "[tools]")
{
    CHECK(parse_listen("127.0.0.1:80")->host == "127.0.0.1");
    CHECK(parse_listen("127.0.0.1:80")->port == 80);
    CHECK(parse_listen("[::1]:0")->host == "::1");
    for (auto const* const bad :
         {"", "127.0.0.1", ":80", "a:", "a:70000", "a:-1", "::1:80", "[]:1"})
        CHECK_FALSE(parse_listen(bad).has_value());
}

TEST_CASE("arguments: shares of statuses", "[tools]")
{
    CHECK(parse_share("429:0.02") == std::pair(429U, 0.02));
    for (auto const* const bad : {"", "429", "429:", ":0.1", "429:2", "429:-0.1", "x:0.1"})
        CHECK_FALSE(parse_share(bad).has_value());
}
