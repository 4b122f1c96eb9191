#include "core/json.hpp"

#include <catch2/catch.hpp>

#include <bit>
#include <cstdint>
#include <string>
#include <utility>

using namespace assay;

TEST_CASE("canonical: numbers are written as in RFC 8785 appendix B", "[core][json]")
{
    auto const [bits, text] = GENERATE(table<std::uint64_t, std::string>({
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    }));
    std::string out;
    json::append_number(std::bit_cast<double>(bits), out);
    CHECK(out == text);
}

TEST_CASE("canonical: members sort by UTF-16 code units, strings escape minimally", "[core][json]")
{
    // RFC 8785 §3.2.3 and §3.2.2.
    auto const sorted = json::parse(
        R"({"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",)"
        R"("1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"})");
    REQUIRE(sorted);
    CHECK(
        json::canonical(*sorted) ==
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xC2\x80\":\"Control\",\"\xC3\xB6\":\"Latin "
        "Small Letter O With Diaeresis\","
        "\"\xE2\x82\xAC\":\"Euro Sign\",\"\xF0\x9F\x98\x80\":\"Emoji: Grinning "
        "Face\",\"\xEF\xAC\xB3\":\"Hebrew Letter Dalet With Dagesh\"}");

    auto const mixed = json::parse(
        R"({"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],)"
        R"("string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]})");
    REQUIRE(mixed);
    CHECK(json::canonical(*mixed) ==
          R"({"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],)"
          "\"string\":\"\xE2\x82\xAC$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

TEST_CASE("parse: what a stranger may not send is malformed", "[core][json]")
{
    auto const text = GENERATE(as<std::string>{}, "", "{", "{} x", "{\"a\":1,\"a\":2}",
                               "{\"a\":{\"b\":1,\"b\":1}}", "[1,]", "{\"a\":01}", "\"\xC3\x28\"",
                               "NaN", "// c\n1", std::string(40, '[') + std::string(40, ']'));
    INFO(text);
    auto const parsed = json::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == errc::malformed);
}

TEST_CASE("parse: equal names in different objects are no duplicates", "[core][json]")
{
    auto const parsed = json::parse(R"({"a":{"b":1},"c":[{"b":1},{"b":2}],"b":0})");
    REQUIRE(parsed);
    CHECK(json::canonical(*parsed) == R"({"a":{"b":1},"b":0,"c":[{"b":1},{"b":2}]})");
}

TEST_CASE("parse: a number beyond the doubles is malformed, not infinite", "[core][json]")
{
    auto const text = GENERATE(as<std::string>{}, "1e400", "-1e400", "[1e309]", "{\"a\":1.8e308}",
                               std::string(400, '9'));
    INFO(text);
    auto const parsed = json::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == errc::malformed);
    CHECK(json::parse("1.7976931348623157e308"));
    CHECK(json::parse("1e-400"));
}

TEST_CASE("canonical: bytes that are no UTF-8 become U+FFFD, so that what we write can be read",
          "[core][json]")
{
    auto const [text, written] = GENERATE(table<std::string, std::string>({
        {"caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80", "caf\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"},
        {"\xFF", "\uFFFD"},
        {"a\x80z", "a\uFFFDz"},
        {"\xC3", "\uFFFD"},
        {"\xC3(", "\uFFFD("},
        {"\xC0\xAF", "\uFFFD\uFFFD"},                     // overlong
        {"\xE0\x80\xAF", "\uFFFD\uFFFD\uFFFD"},           // overlong
        {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},           // a surrogate
        {"\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"}, // beyond U+10FFFF
        {"\xF0\x9F\x98", "\uFFFD\uFFFD\uFFFD"},
        {"\xF0\x9F\x98\"", "\uFFFD\uFFFD\uFFFD\\\""},
        {"\xEF\xBF\xBF\xF4\x8F\xBF\xBF", "\xEF\xBF\xBF\xF4\x8F\xBF\xBF"},
    }));
    std::string out;
    json::append_string(text, out);
    CHECK(out == "\"" + written + "\"");
    CHECK(json::parse(out));
}

TEST_CASE("parse_stored: what is stored may lie deeper than what a stranger may send",
          "[core][json]")
{
    auto const deepest = std::string(32, '[') + std::string(32, ']');
    REQUIRE(json::parse(deepest));
    CHECK(json::parse_stored("{\"body\":{\"a\":" + deepest + "}}"));
}
