#include "core/grading/schema.hpp"
#include "core/json.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <string_view>

using namespace assay;
using grading::schema;

namespace {

result<schema> compiled(std::string_view text)
{
    auto const value = json::parse(text, {.depth_max = 200});
    REQUIRE(value);
    return schema::compile(*value);
}

} // namespace

TEST_CASE("schema: passes the official tests of draft 7, or refuses the schema", "[core][grading]")
{
    std::set<std::string> refused;
    int decided = 0;
    for (auto const& entry :
         std::filesystem::directory_iterator(ASSAY_SOURCE_DIR "/tests/data/json_schema/draft7")) {
        std::ifstream file(entry.path());
        std::string const text(std::istreambuf_iterator<char>(file), {});
        auto const groups = json::parse(text);
        REQUIRE(groups);
        for (auto const& group : groups->as_array()) {
            auto const s = schema::compile(group.at("schema"));
            auto const described = entry.path().stem().string() + ": " +
                                   std::string(group.at("description").as_string());
            if (!s) {
                refused.insert(described);
                continue;
            }
            for (auto const& test : group.at("tests").as_array()) {
                INFO(described << ": " << test.at("description") << " " << group.at("schema"));
                auto const found = s->check(test.at("data"));
                CHECK((found.is == schema::verdict::valid) == test.at("valid").as_bool());
                CHECK(found.why.empty() == test.at("valid").as_bool());
                ++decided;
            }
        }
    }
    CHECK(decided > 600);
    // Refused as the header says: $id below the top, references out of the schema, assertions
    // beside $ref.
    CHECK(refused ==
          std::set<std::string>{
              "ref: $id must be resolved against nearest parent, not just immediate parent",
              "ref: $ref prevents a sibling $id from changing the base uri",
              "ref: Location-independent identifier",
              "ref: Location-independent identifier with base URI change in subschema",
              "ref: Recursive references between schemas",
              "ref: Reference an anchor with a non-relative URI",
              "ref: URN base URI with URN and JSON pointer ref",
              "ref: URN base URI with URN and anchor ref",
              "ref: ref overrides any sibling keywords",
              "ref: ref to else",
              "ref: ref to if",
              "ref: ref to then",
              "ref: ref with absolute-path-reference",
              "ref: refs with relative uris and defs",
              "ref: relative refs with absolute uris and defs",
              "ref: remote ref, containing refs itself",
              "ref: simple URN base URI with $ref via the URN",
          });
}

TEST_CASE("schema: what would be guessed at is refused", "[core][grading]")
{
    auto const [text, named] = GENERATE(Catch::Generators::table<std::string, std::string>({
        {R"({"unevaluatedProperties":false})", "unevaluatedProperties"},
        {R"({"properties":{"a":{"minContains":1}}})", "#/properties/a"},
        {R"({"$ref":"#/definitions/a","minimum":1,"definitions":{"a":{}}})", "minimum"},
        {R"({"$ref":"https://example.org/schema"})", "itself"},
        {R"({"$ref":"#anchor"})", "itself"},
        {R"({"$ref":"#/definitions/missing"})", "/definitions/missing"},
        {R"({"$ref":"#"})", "itself"},
        {R"({"allOf":[{"$ref":"#"}]})", "itself"},
        {R"({"if":{"not":{"$ref":"#"}}})", "itself"},
        {R"({"multipleOf":0})", "multipleOf"},
        {R"({"multipleOf":-1})", "multipleOf"},
        {R"js({"pattern":"(?=a)"})js", "pattern"},
        {R"({"patternProperties":{"(":{}}})", "patternProperties"},
        {R"({"minLength":-1})", "minLength"},
        {R"({"minLength":1.5})", "minLength"},
        {R"({"maximum":"5"})", "maximum"},
        {R"({"required":"a"})", "required"},
        {R"({"type":[]})", "type"},
        {R"({"type":"text"})", "type"},
        {R"({"enum":5})", "enum"},
        {R"({"allOf":[]})", "allOf"},
        {R"({"properties":{"a":5}})", "#/properties/a"},
        {R"({"properties":{"a":{"$id":"b"}}})", "$id"},
        {R"({"uniqueItems":1})", "uniqueItems"},
    }));
    INFO(text);
    auto const s = compiled(text);
    REQUIRE_FALSE(s);
    CHECK(s.error().code == errc::invalid);
    CHECK(s.error().detail.find(named) != std::string::npos);
}

TEST_CASE("schema: size and depth are limited", "[core][grading]")
{
    std::string nested = "{}";
    for (int i = 0; i < 70; ++i)
        nested = R"({"items":)" + nested + "}";
    CHECK_FALSE(compiled(nested));

    std::string chain = "{}";
    for (int i = 0; i < 20; ++i)
        chain = R"({"not":)" + chain + "}";
    CHECK_FALSE(compiled(chain));

    std::string wide = R"({"properties":{"p":{})";
    for (int i = 0; i < 2'100; ++i)
        wide += ",\"p" + std::to_string(i) + "\":{}";
    CHECK_FALSE(compiled(wide + "}}"));
}

TEST_CASE("schema: a failure names the place and the keyword", "[core][grading]")
{
    auto const s = compiled(R"({
        "properties": {"items": {"items": {"oneOf": [{"type": "string"}, {"minimum": 3, "type": "number"}]}},
                       "a/b": {"$ref": "#/definitions/short%25name"}},
        "additionalProperties": false,
        "definitions": {"short%name": {"maxLength": 2}}})");
    REQUIRE(s);
    auto const [text, why] = GENERATE(Catch::Generators::table<std::string, std::string>({
        {R"({"items":["a",3]})", ""},
        {R"({"items":["a",2]})", "#/items/1 fails oneOf"},
        {R"({"a/b":"abc"})", "#/a/b fails maxLength"},
        {R"({"c":1})", "#/c fails false"},
    }));
    CHECK(s->check(*json::parse(text)).why == why);
}
