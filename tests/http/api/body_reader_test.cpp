#include "http/api/body_reader.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <tuple>

using namespace assay;
using namespace assay::api;

namespace {

struct inner_body {
    std::string name;
    std::optional<std::int64_t> points;

    static constexpr auto fields = std::tuple{
        field{"name", &inner_body::name, {.size_min = 1, .size_max = 5}},
        field{"points", &inner_body::points, {.min = 0, .max = 10}},
    };
};

struct sample_body {
    uuid id;
    std::optional<bool> flag;
    std::optional<std::uint8_t> small;
    std::optional<double> ratio;
    std::optional<std::string> word;
    std::optional<std::vector<uuid>> ids;
    std::optional<std::vector<inner_body>> items;
    std::optional<date_from> from;
    std::optional<date_to> to;

    static constexpr std::array<std::string_view, 2> words{"asc", "desc"};
    static constexpr auto fields = std::tuple{
        field{"id", &sample_body::id},
        field{"flag", &sample_body::flag},
        field{"small", &sample_body::small},
        field{"ratio", &sample_body::ratio, {.min = 0, .max = 1}},
        field{"word", &sample_body::word, {.words = words}},
        field{"ids", &sample_body::ids, {.size_min = 1, .size_max = 2}},
        field{"items", &sample_body::items},
        field{"from", &sample_body::from},
        field{"to", &sample_body::to},
    };
};

constexpr auto an_id = "01234567-89ab-7def-8123-456789abcdef";

result<sample_body> read(std::string const& members)
{
    auto const text = fmt::format("{{{}}}", members);
    return read_body<sample_body>(json::parse(text).value().as_object());
}

std::string with_id(std::string_view members)
{
    return fmt::format("\"id\": \"{}\", {}", an_id, members);
}

/// "loc type" of every problem.
std::vector<std::string> problems_of(result<sample_body> const& r)
{
    std::vector<std::string> out;
    if (r)
        return out;
    for (auto const& f : r.error().fields)
        out.push_back(fmt::format("{} {}", fmt::join(f.loc, "."), f.type));
    return out;
}

} // namespace

TEST_CASE("body reader: a good body becomes its struct", "[http][api]")
{
    auto const r = read(with_id(R"("flag": true, "small": 255, "ratio": 1, "word": "asc", "ids": [
        "01234567-89AB-7def-8123-456789abcdef"], "items": [{"name": "a", "points": 3.0}, {"name": "b"}],
        "from": "2026-11-21", "to": "2026-11-21", "unknown": {"deep": []})"));
    REQUIRE(r);
    CHECK(r->id.text() == an_id);
    CHECK(r->flag == true);
    CHECK(r->small == 255);
    CHECK(r->ratio == 1.0);
    CHECK(r->word == "asc");
    CHECK(r->ids->front() == r->id);
    CHECK(r->items->at(0).points == 3);
    CHECK_FALSE(r->items->at(1).points);
    CHECK(r->to->at.us - r->from->at.us == day_us - 1);
}

TEST_CASE("body reader: null and absence are the same in an optional field", "[http][api]")
{
    auto const r = read(with_id(R"("flag": null, "ids": null, "items": null, "from": null)"));
    REQUIRE(r);
    CHECK_FALSE(r->flag);
    CHECK_FALSE(r->ids);
    CHECK_FALSE(r->items);
    CHECK_FALSE(r->from);
}

TEST_CASE("body reader: each wrong value has its place and its word", "[http][api]")
{
    auto const [members, problem] = GENERATE(table<std::string, std::string>({
        {R"("flag": 1)", "body.flag bool_type"},
        {R"("small": 256)", "body.small less_than_equal"},
        {R"("small": -1)", "body.small greater_than_equal"},
        {R"("small": 1.5)", "body.small int_parsing"},
        {R"("small": 18446744073709551615)", "body.small int_parsing"},
        {R"("small": "1")", "body.small int_type"},
        {R"("ratio": 1.01)", "body.ratio less_than_equal"},
        {R"("ratio": "x")", "body.ratio float_type"},
        {R"("word": "up")", "body.word enum"},
        {R"("word": 5)", "body.word string_type"},
        {R"("ids": [])", "body.ids too_short"},
        {R"("ids": [1, 2, 3])", "body.ids too_long"},
        {R"("ids": ["x"])", "body.ids.0 uuid_parsing"},
        {R"("ids": [7])", "body.ids.0 uuid_type"},
        {R"("ids": {})", "body.ids list_type"},
        {R"("items": [{"name": "a"}, {"name": "too long"}])", "body.items.1.name string_too_long"},
        {R"("items": [{"name": ""}])", "body.items.0.name string_too_short"},
        {R"("items": [{"points": 1}])", "body.items.0.name missing"},
        {R"("items": [{"name": "a", "points": 11}])", "body.items.0.points less_than_equal"},
        {R"("items": ["a"])", "body.items.0 dict_type"},
        {R"("from": "yesterday")", "body.from datetime_parsing"},
        {R"("to": "2026-02-30")", "body.to datetime_parsing"},
    }));
    INFO(members);
    CHECK(problems_of(read(with_id(members))) == std::vector{problem});
}

TEST_CASE("body reader: every bad field is named, not only the first", "[http][api]")
{
    auto const r = read(R"("flag": 1, "word": "up", "items": [{"points": 99}])");
    CHECK(problems_of(r) == std::vector<std::string>{"body.id missing", "body.flag bool_type",
                                                     "body.word enum", "body.items.0.name missing",
                                                     "body.items.0.points less_than_equal"});
    CHECK(r.error().code == errc::invalid);
    CHECK_FALSE(r.error().detail.empty());
}

TEST_CASE("body reader: the first hundred bad fields are named, however many there are",
          "[http][api]")
{
    std::string items = "1";
    for (int i = 1; i < 1000; ++i)
        items += ",1";
    auto const found = problems_of(read(with_id(fmt::format("\"items\": [{}]", items))));
    CHECK(found.size() == body_problems::noted_max);
    CHECK(found.back() == "body.items.99 dict_type");
}

TEST_CASE("body reader: a required field is not satisfied by null", "[http][api]")
{
    CHECK(problems_of(read(R"("id": null)")) == std::vector<std::string>{"body.id uuid_type"});
}
