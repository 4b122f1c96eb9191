#include "core/codec.hpp"
#include "core/domain/event.hpp"
#include "tests/core/described.hpp"

#include <catch2/catch.hpp>

#include <limits>
#include <string>

using namespace assay;
using test::inner;
using test::outer;

namespace {

struct number {
    std::int64_t i = 0;
    std::uint64_t u = 0;
};
BOOST_DESCRIBE_STRUCT(number, (), (i, u))

struct nothing {};
BOOST_DESCRIBE_STRUCT(nothing, (), ())

} // namespace

TEST_CASE("codec: any value leads back from its canonical JSON", "[core][codec]")
{
    auto const seed = test::random_seed();
    INFO("seed " << seed);
    test::dice dice(seed);
    for (int i = 0; i < 500; ++i) {
        auto const value = test::random_outer(dice);
        auto const text = codec::to_json(value);
        INFO(text);
        auto const back = codec::from_json<outer>(text);
        REQUIRE(back);
        REQUIRE(*back == value);
        auto const parsed = json::parse(text);
        REQUIRE(parsed);
        REQUIRE(json::canonical(*parsed) == text);
    }
}

TEST_CASE("codec: members sort by name, an empty optional is left out", "[core][codec]")
{
    outer value;
    value.B = "b";
    CHECK(
        codec::to_json(value) ==
        R"({"B":"b","at":"1970-01-01T00:00:00.000000Z","balance":0,"flag":false,"hash":")" +
            std::string(64, '0') +
            R"(","holes":[],"id":"00000000-0000-0000-0000-000000000000","kind":"apple","many":[],"wide":0})");
    value.a = 7;
    value.one = inner{"x", 255};
    value.holes = {std::nullopt, -1};
    CHECK(
        codec::to_json(value) ==
        R"({"B":"b","a":7,"at":"1970-01-01T00:00:00.000000Z","balance":0,"flag":false,"hash":")" +
            std::string(64, '0') +
            R"(","holes":[null,-1],"id":"00000000-0000-0000-0000-000000000000","kind":"apple","many":[],)"
            R"("one":{"small":255,"text":"x"},"wide":0})");
    CHECK(codec::to_json(nothing{}) == "{}");
}

TEST_CASE("codec: integers beyond 2^53 are strings", "[core][codec]")
{
    auto const [i, u, text] = GENERATE(table<std::int64_t, std::uint64_t, std::string>({
        {0, 0, R"({"i":0,"u":0})"},
        {9007199254740992, 9007199254740992, R"({"i":9007199254740992,"u":9007199254740992})"},
        {-9007199254740992, 1, R"({"i":-9007199254740992,"u":1})"},
        {9007199254740993, 9007199254740993, R"({"i":"9007199254740993","u":"9007199254740993"})"},
        {-9007199254740993, 1, R"({"i":"-9007199254740993","u":1})"},
        {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::uint64_t>::max(),
         R"({"i":"-9223372036854775808","u":"18446744073709551615"})"},
    }));
    CHECK(codec::to_json(number{i, u}) == text);
    auto const back = codec::from_json<number>(text);
    REQUIRE(back);
    CHECK(back->i == i);
    CHECK(back->u == u);
}

TEST_CASE("codec: a value of the wrong sort is invalid and its path is named", "[core][codec]")
{
    auto const [member, detail] = GENERATE(table<std::string, std::string>({
        {R"("wide":-1)", "wide: expected an integer in range"},
        {R"("wide":1.5)", "wide: expected an integer in range"},
        {R"("wide":"")", "wide: expected an integer in range"},
        {R"("wide":"1x")", "wide: expected an integer in range"},
        {R"("wide":"18446744073709551616")", "wide: expected an integer in range"},
        {R"("balance":9223372036854775808)", "balance: expected an integer in range"},
        {R"("flag":0)", "flag: expected true or false"},
        {R"("kind":"pear")", "kind: expected one of the documented words"},
        {R"("kind":0)", "kind: expected one of the documented words"},
        {R"("id":"x")", "id: expected a UUID"},
        {R"("hash":"00")", "hash: expected 64 hexadecimal digits"},
        {R"("at":"yesterday")", "at: expected an RFC 3339 date-time"},
        {R"("B":null)", "B: expected a string"},
        {R"("a":65536)", "a: expected an integer in range"},
        {R"("one":[])", "one: expected an object"},
        {R"("one":{"text":"x"})", "one.small: expected a value, found none"},
        {R"("many":{})", "many: expected an array"},
        {R"("many":[{"text":"x","small":1},{"text":5,"small":1}])",
         "many[1].text: expected a string"},
        {R"("holes":[1,null,"x"])", "holes[2]: expected an integer in range"},
    }));
    auto value = json::parse(codec::to_json(outer{})).value();
    auto const changed = json::parse("{" + member + "}").value();
    for (auto const& m : changed.as_object())
        value.as_object()[m.key()] = m.value();
    auto const read = codec::read<outer>(value);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::invalid);
    CHECK(read.error().detail == detail);
}

TEST_CASE("codec: a missing member is invalid, an unknown one is passed over", "[core][codec]")
{
    CHECK(codec::from_json<inner>(R"({"small":1,"text":"x","later":[]})")->text == "x");
    auto const missing = codec::from_json<inner>(R"({"small":1})");
    REQUIRE_FALSE(missing);
    CHECK(missing.error().detail == "text: expected a value, found none");
    auto const list =
        codec::from_json<std::vector<inner>>(R"([{"small":1,"text":"x"},{"small":1}])");
    REQUIRE_FALSE(list);
    CHECK(list.error().detail == "[1].text: expected a value, found none");
}

TEST_CASE("codec: null is an empty optional and nothing else", "[core][codec]")
{
    auto value = json::parse(codec::to_json(outer{})).value();
    value.as_object()["a"] = nullptr;
    auto const read = codec::read<outer>(value);
    REQUIRE(read);
    CHECK_FALSE(read->a);
}

TEST_CASE("codec: enums are their names", "[core][codec]")
{
    CHECK(codec::enum_name(cell_status::terminated) == "terminated");
    CHECK(codec::parse_enum<cell_status>("queued") == cell_status::queued);
    CHECK_FALSE(codec::parse_enum<cell_status>("Queued"));
    CHECK_FALSE(codec::parse_enum<cell_status>(""));
    CHECK(codec::enum_name(static_cast<cell_status>(99)).empty());
}
