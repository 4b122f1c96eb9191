#include "core/grading.hpp"
#include "core/json.hpp"

#include <catch2/catch.hpp>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

using namespace assay;
using namespace assay::grading;

namespace {

result<grader> parsed(std::string_view config)
{
    auto const value = json::parse(config);
    REQUIRE(value);
    return parse_grader(value->as_object());
}

grader make(std::string_view config)
{
    auto g = parsed(config);
    INFO(config);
    if (!g)
        FAIL(g.error().detail);
    return *std::move(g);
}

/// "pass", "miss", "part <score>" or the reason why there is no grade.
std::string outcome(std::string_view config, std::string_view answer, std::string_view expected)
{
    auto const graded = grade(make(config), answer, expected);
    if (!graded)
        return graded.error().reason;
    REQUIRE(graded->comment.size() <= 1'024);
    if (graded->passed)
        return graded->score_ppm == score_max ? "pass" : "passed without the full score";
    return graded->score_ppm == 0 ? "miss" : "part " + std::to_string(graded->score_ppm);
}

struct row {
    std::string config;
    std::string answer;
    std::string expected;
    std::string outcome;
};

void check(std::vector<row> const& rows)
{
    for (auto const& r : rows) {
        INFO(r.config << " answer: " << r.answer << " expected: " << r.expected);
        CHECK(outcome(r.config, r.answer, r.expected) == r.outcome);
    }
}

} // namespace

TEST_CASE("exact_match: white space folds, case counts unless told otherwise", "[core][grading]")
{
    std::string const plain = R"({"kind":"exact_match"})";
    std::string const cased = R"({"kind":"exact_match","ignore_case":true})";
    check({
        {plain, "Paris", "Paris", "pass"},
        {plain, "  Paris\n", "Paris", "pass"},
        {plain, "New \t\n York", "New York", "pass"},
        {plain, "NewYork", "New York", "miss"},
        {plain, "paris", "Paris", "miss"},
        {plain, "Paris.", "Paris", "miss"},
        {plain, "", "", "pass"},
        {plain, " \n ", "", "pass"},
        {plain, "", "x", "miss"},
        {cased, "paRIS", "Paris", "pass"},
        {cased, "Écran", "écran", "miss"}, // ASCII only in this version
        {R"({"kind":"exact_match","space":"trim"})", " a  b ", "a  b", "pass"},
        {R"({"kind":"exact_match","space":"trim"})", "a b", "a  b", "miss"},
        {R"({"kind":"exact_match","space":"keep"})", "a ", "a", "miss"},
        {R"({"kind":"exact_match","space":"keep","ignore_case":true})", "A ", "a ", "pass"},
    });
}

TEST_CASE("keyword_match: all or any, whole words, case folded", "[core][grading]")
{
    std::string const from_expected = R"({"kind":"keyword_match"})";
    std::string const any = R"({"kind":"keyword_match","match":"any"})";
    std::string const listed = R"({"kind":"keyword_match","keywords":["red","dark  blue"]})";
    check({
        {from_expected, "Red and BLUE", "red|blue", "pass"},
        {from_expected, "Red and green", "red; blue", "part 500000"},
        {from_expected, "red", "red|blue|green", "part 333333"},
        {from_expected, "nothing", "red|blue", "miss"},
        {from_expected, "anything", " | ; ", "expected_invalid"},
        {from_expected, "", "red", "miss"},
        {any, "it is blue", "red|blue", "pass"},
        {any, "it is green", "red|blue", "miss"},
        {listed, "a red hat, a dark\nblue coat", "ignored", "pass"},
        {listed, "dark blue", "", "part 500000"},
        {R"({"kind":"keyword_match","keywords":"red|blue"})", "blue red", "", "pass"},
        {R"({"kind":"keyword_match","ignore_case":false})", "Red", "red", "miss"},
        {R"({"kind":"keyword_match","whole_words":false})", "predestined", "red|destine", "pass"},
    });
}

TEST_CASE("keyword_match: where a word ends", "[core][grading]")
{
    std::string const g = R"({"kind":"keyword_match"})";
    check({
        {g, "category", "cat", "miss"},
        {g, "a concatenated cat.", "cat", "pass"},
        {g, "cat_1", "cat", "miss"},
        {g, "\u201ccat\u201d\u2014yes", "cat", "pass"},
        {g, "caf\u00e9", "caf", "miss"},
        {g, "un caf\u00e9!", "caf\u00e9", "pass"},
        {g, "18\u00b0C", "18", "pass"},
        {g, "180", "18", "miss"},
        {g, "\u6771\u4eac\u90fd", "\u6771\u4eac", "pass"}, // no spaces between words there
        {g, "uses C++, mostly", "C++", "pass"},
        {g, "C++11", "C++", "pass"}, // the keyword's end is no word
        {g, "AC++", "C++", "miss"},
        {g, "aab aaab", "aab", "pass"},
        {g, "caab aaab", "aab", "miss"},
        {g, std::string("\xff") + "cat" + "\xc3", "cat", "pass"}, // not UTF-8
    });
}

TEST_CASE("regex: found, spanning or captured", "[core][grading]")
{
    std::string const group = R"({"kind":"regex","pattern":"answer is ([A-D])\\b","group":1})";
    check({
        {R"({"kind":"regex","pattern":"\\bpar[ei]s\\b"})", "in paris,", "", "pass"},
        {R"({"kind":"regex","pattern":"\\bpar[ei]s\\b"})", "in Paris,", "", "miss"},
        {R"({"kind":"regex","pattern":"paris","ignore_case":true})", "in Paris,", "", "pass"},
        {R"({"kind":"regex","pattern":"\\d+","full_match":true})", " 42\n", "", "pass"},
        {R"({"kind":"regex","pattern":"\\d+","full_match":true})", "42 eggs", "", "miss"},
        {R"({"kind":"regex"})", "in paris", "par.s", "pass"},
        {R"({"kind":"regex"})", "in paris", "(", "expected_invalid"},
        {R"({"kind":"regex"})", "in paris", "(a)\\1", "expected_invalid"},
        {group, "The answer is B.", "B", "pass"},
        {group, "The answer is B.", "C", "miss"},
        {group, "I do not know.", "C", "miss"},
        {R"({"kind":"regex","pattern":"x(a)?","group":1})", "x", "", "pass"},
        {R"js({"kind":"regex","pattern":"is (\\w+)","group":1,"ignore_case":true})js", "IS Paris",
         "PARIS", "pass"},
    });
}

TEST_CASE("numeric: which number is the final one", "[core][grading]")
{
    std::string const g = R"({"kind":"numeric"})";
    std::string const boxed = R"({"kind":"numeric","markers":["\\boxed{"]})";
    check({
        {g, "3 + 4 = 7\nA: 7", "A: 7", "pass"},
        {g, "first A: 6, then A: 7", "7", "pass"},
        {g, "A: 7 (that is 1 week)", "7", "pass"},
        {g, "A: 6\n#### 7", "7", "pass"},
        {g, "#### 7\nA: 6", "7", "miss"},
        {g, "#### seven", "7", "miss"},
        {g, "it was 7. A: none", "7", "miss"},
        {g, "USA: 5 states, so 7", "7", "pass"}, // no marker inside a word
        {g, "we get 3, then 7 eggs", "7", "pass"},
        {g, "no number", "7", "miss"},
        {g, "", "7", "miss"},
        {g, "7", "", "expected_invalid"},
        {g, "7", "seven", "expected_invalid"},
        {boxed, "1 + 6 = \\boxed{7}", "\\boxed{7}", "pass"},
        {R"({"kind":"numeric","markers":[]})", "A: 6 or 7", "7", "pass"},
    });
}

TEST_CASE("numeric: how a number may be written", "[core][grading]")
{
    auto const [answer, expected, same] =
        GENERATE(Catch::Generators::table<std::string, std::string, bool>({
            {"1,234,567", "1234567", true},
            {"1234567", "1,234,567.00", true},
            {"$1,234.50", "1234.5", true},
            {"18.", "18", true},
            {"18.0", "18", true},
            {"007", "7", true},
            {".5", "0.5", true},
            {"0.50", ".5", true},
            {"-5", "5", false},
            {"-$5", "$-5", true},
            {"\u22125", "-5", true},
            {"-0", "0", true},
            {"+5", "5", true},
            {"50%", "50", true},
            {"50%", "0.5", false},
            {"5 euros", "5", true},
            {"\u20ac5", "5", true},
            {"**18**", "18", true},
            {"5-3", "3", true}, // a difference, no sign
            {"2024-05-06", "6", true},
            {"(2)-3", "3", true},
            {"1,23", "23", true}, // no group of three: two numbers
            {"1234,567", "567", true},
            {"1,2345", "2345", true},
            {"1.2.3", "3", true},
            {"wait...5", "5", true},
            {"1e3", "1000", true},
            {"1.5E-2", "0.015", true},
            {"1e3x", "3", true},
            {"2e", "2", true},
            {"1e99999", "99999", true}, // too large an exponent is none
            {"1/2", "0.5", true},
            {"2/4", "1/2", true},
            {"1/3", "1/2", false},
            {"1/3", "0.333333", false},
            {"1 3/4", "1.75", true},
            {"-1 3/4", "-1.75", true},
            {"1 3/4", "3/4", false},
            {"1/2/2024", "2024", true},
            {"1/0", "0", true},
            {"0.1", "0.10000000000000000001", false},
            {"100000000000000000000000000001", "100000000000000000000000000001", true},
            {"100000000000000000000000000001", "100000000000000000000000000000", false},
            {"16777217", "16777216", false},
            {"9007199254740993", "9007199254740992", false},
        }));
    INFO(answer << " and " << expected);
    CHECK(outcome(R"({"kind":"numeric"})", answer, expected) == (same ? "pass" : "miss"));
}

TEST_CASE("numeric: tolerances are exact, and the larger one holds", "[core][grading]")
{
    std::string const absolute = R"({"kind":"numeric","absolute_tolerance":"0.01"})";
    std::string const relative = R"({"kind":"numeric","relative_tolerance":0.01})";
    check({
        {absolute, "3.15", "3.14", "pass"},
        {absolute, "3.1501", "3.14", "miss"},
        {absolute, "0.3", "1/3", "miss"},
        {absolute, "0.33", "1/3", "pass"},
        {relative, "101", "100", "pass"},
        {relative, "101.01", "100", "miss"},
        {relative, "-99", "-100", "pass"},
        {relative, "0.001", "0", "miss"},
        {R"({"kind":"numeric","absolute_tolerance":1,"relative_tolerance":"0.1"})", "109", "100",
         "pass"},
        {R"({"kind":"numeric","absolute_tolerance":1e-3})", "1.001", "1", "pass"},
    });
}

TEST_CASE("json_schema: the answer is JSON and valid", "[core][grading]")
{
    std::string const g =
        R"({"kind":"json_schema","schema":{"type":"object","required":["city"],"properties":{"city":{"type":"string"}}}})";
    std::string const fenced = R"({"kind":"json_schema","fenced":true,"schema":{"type":"object"}})";
    check({
        {g, R"({"city":"Paris"})", "", "pass"},
        {g, " {\"city\":\"Paris\"}\n", "", "pass"},
        {g, R"({"city":1})", "", "miss"},
        {g, R"({"town":"Paris"})", "", "miss"},
        {g, R"({"city":"Paris"} and more)", "", "miss"},
        {g, R"({"city":"Paris","city":"Rome"})", "", "miss"},
        {g, "", "", "miss"},
        {g, "```json\n{\"city\":\"Paris\"}\n```", "", "miss"},
        {fenced, "```json\n{}\n```\n", "", "pass"},
        {fenced, "```\n{}\n```", "", "pass"},
        {fenced, "{}", "", "pass"},
        {fenced, "```\n```", "", "miss"},
        {fenced, "Here: ```\n{}\n```", "", "miss"},
    });
    auto const graded = grade(make(g), R"({"city":1})", "");
    REQUIRE(graded);
    CHECK(graded->comment == "#/city fails type");
}

TEST_CASE("parse_grader: what is wrong is named", "[core][grading]")
{
    auto const [config, field] = GENERATE(Catch::Generators::table<std::string, std::string>({
        {R"({})", "kind"},
        {R"({"kind":"semantic"})", "kind"},
        {R"({"kind":5})", "kind"},
        {R"({"kind":"exact_match","case":true})", "case"},
        {R"({"kind":"exact_match","ignore_case":"yes"})", "ignore_case"},
        {R"({"kind":"exact_match","space":"none"})", "space"},
        {R"({"kind":"keyword_match","keywords":[]})", "keywords"},
        {R"({"kind":"keyword_match","keywords":"|"})", "keywords"},
        {R"({"kind":"keyword_match","keywords":["a",""]})", "keywords.1"},
        {R"({"kind":"keyword_match","match":"some"})", "match"},
        {R"({"kind":"regex","pattern":"("})", "pattern"},
        {R"({"kind":"regex","pattern":"(a{1000}){1000}"})", "pattern"},
        {R"({"kind":"regex","pattern":""})", "pattern"},
        {R"({"kind":"regex","pattern":"a","group":1})", "group"},
        {R"({"kind":"regex","group":1})", "group"},
        {R"js({"kind":"regex","pattern":"(a)","group":1.5})js", "group"},
        {R"({"kind":"numeric","markers":"A:"})", "markers"},
        {R"({"kind":"numeric","markers":[1]})", "markers.0"},
        {R"({"kind":"numeric","absolute_tolerance":-1})", "absolute_tolerance"},
        {R"({"kind":"numeric","relative_tolerance":"much"})", "relative_tolerance"},
        {R"({"kind":"json_schema"})", "schema"},
        {R"({"kind":"json_schema","schema":[]})", "schema"},
        {R"({"kind":"json_schema","schema":{"type":"text"}})", "schema"},
    }));
    INFO(config);
    auto const g = parsed(config);
    REQUIRE_FALSE(g);
    CHECK(g.error().code == errc::invalid);
    REQUIRE(g.error().fields.size() == 1);
    auto const& loc = g.error().fields[0].loc;
    CHECK((loc.size() == 1 ? loc[0] : loc.at(0) + "." + loc.at(1)) == field);
    CHECK_FALSE(g.error().fields[0].msg.empty());
    CHECK(g.error().detail.find(field) != std::string::npos);
}

TEST_CASE("parse_grader: every problem is told at once", "[core][grading]")
{
    auto const g = parsed(R"({"kind":"regex","pattern":5,"full_match":1,"flags":"i"})");
    REQUIRE_FALSE(g);
    CHECK(g.error().fields.size() == 3);
}

TEST_CASE("parse_grader: the kept configuration has every default and parses to itself",
          "[core][grading]")
{
    auto const [config, kept] = GENERATE(Catch::Generators::table<std::string, std::string>({
        {R"({"kind":"exact_match"})",
         R"({"ignore_case":false,"kind":"exact_match","space":"fold"})"},
        {R"({"kind":"keyword_match","keywords":"b; a"})",
         R"({"ignore_case":true,"keywords":["b","a"],"kind":"keyword_match","match":"all","whole_words":true})"},
        {R"js({"kind":"regex","pattern":"a(b)","group":1})js",
         R"js({"full_match":false,"group":1,"ignore_case":false,"kind":"regex","pattern":"a(b)"})js"},
        {R"({"kind":"numeric","absolute_tolerance":1e-3})",
         R"({"absolute_tolerance":"0.001","kind":"numeric","markers":["A:","####"],"relative_tolerance":"0"})"},
        {R"({"kind":"json_schema","schema":true})",
         R"({"fenced":false,"kind":"json_schema","schema":true})"},
    }));
    auto const g = make(config);
    CHECK(json::canonical(g.config) == kept);
    CHECK(json::canonical(make(kept).config) == kept);
    CHECK(g.version == std::string(name(g.kind)) + "/1");
}

TEST_CASE("grade: a hostile mebibyte is graded in linear time", "[core][grading]")
{
    std::size_t const size = 1 << 20;
    std::string const as(size, 'a');
    std::string const ones(size, '1');
    std::string commas;
    std::string slashes;
    std::string brackets;
    while (commas.size() < size) {
        commas += "1,111,";
        slashes += "11/1 ";
        brackets += "{\"a\":1},";
    }
    check({
        {R"({"kind":"exact_match"})", as, "b", "miss"},
        {R"({"kind":"keyword_match"})", as,
         std::string(1'000, 'a') + "b|" + std::string(1'000, 'a'), "miss"},
        {R"({"kind":"regex","pattern":"(a*)*b"})", as, "", "miss"},
        {R"({"kind":"regex","pattern":"a{500}b"})", as, "", "miss"},
        {R"({"kind":"regex","pattern":"a[ab]{900}c"})", std::string(8 * size, 'a'), "",
         "too_expensive"},
        {R"({"kind":"numeric"})", ones, "1", "miss"},
        {R"({"kind":"numeric"})", ones, ones + ".0", "pass"},
        {R"({"kind":"numeric"})", "A: 1/" + ones, "1", "miss"},
        {R"({"kind":"numeric","absolute_tolerance":1})", ones, "1/3", "miss"},
        {R"({"kind":"numeric"})", commas, "1", "miss"},
        {R"({"kind":"numeric"})", slashes, "11", "pass"},
        {R"({"kind":"numeric"})", std::string(size, '.') + "5", "5", "pass"},
        {R"({"kind":"numeric"})", std::string(size, '-') + "5", "-5", "pass"},
        {R"({"kind":"numeric","markers":["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"]})", as, "5", "miss"},
        {R"({"kind":"json_schema","schema":{}})", std::string(size, '['), "", "miss"},
        {R"({"kind":"json_schema","schema":{"uniqueItems":true}})", "[" + brackets + "0]", "",
         "miss"},
        {R"({"kind":"json_schema","schema":{"items":{"pattern":"(a*)*b"}}})", "[\"" + as + "\"]",
         "", "miss"},
    });
}

TEST_CASE("grade: a schema that asks for exponential work is stopped", "[core][grading]")
{
    std::string const g = R"({"kind":"json_schema","schema":{
        "anyOf":[{"items":{"$ref":"#"},"contains":false},{"items":{"$ref":"#"},"contains":false},{"maxItems":0},{"type":"integer"}]}})";
    std::string const deep = std::string(60, '[') + "1" + std::string(60, ']');
    check({{g, deep, "", "too_expensive"}, {g, "[]", "", "pass"}});
}
