#include "tests/events/fixture.hpp"
#include "tools/eval_file.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>

using namespace assay;
using namespace assay::tools;

namespace {

constexpr char const* good = R"(name: tiny
providers:
  - {name: p, kind: recorded, file: answers.jsonl}
models:
  - small
  - {name: big, value: big-1, provider: p, parameters: {max_tokens: 64, stop: ["\n", "7"]},
     pricing: {input: 0.15, output: 0.6}}
agent: {name: plain, system_prompt: Be brief., temperature: 0}
scenarios:
  file: cases.jsonl
  map: {question: q.text, expected: a}
graders:
  - {kind: numeric, name: final, markers: ["####"]}
  - {kind: exact_match, points: 3}
repeats: 2
in_flight: 8
)";

/// A directory with the files that `good` refers to.
struct files {
    test::temporary_directory dir;

    files()
    {
        write("answers.jsonl", "{}\n");
        write("cases.jsonl", "{\"q\": {\"text\": \"1+1?\"}, \"a\": 2}\n\n{\"q\": {\"text\": "
                             "\"2+2?\"}, \"a\": \"#### 4\"}\n");
    }

    void write(std::string const& name, std::string_view text) const
    {
        std::ofstream(dir.path() / name) << text;
    }

    result<eval_file> read(std::string_view yaml) const
    {
        write("eval.yaml", yaml);
        return read_eval_file(dir.path() / "eval.yaml");
    }
};

/// `good` with the first `from` replaced.
std::string with(std::string_view from, std::string_view to)
{
    std::string text = good;
    auto const at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

} // namespace

TEST_CASE("eval file: everything in it is read", "[tools]")
{
    files const f;
    auto const e = f.read(good);
    INFO((e ? std::string() : e.error().detail));
    REQUIRE(e);
    CHECK(e->name == "tiny");
    REQUIRE(e->providers.size() == 1);
    CHECK(e->providers[0].endpoint == "file://" + (f.dir.path() / "answers.jsonl").string() +
                                          "?question=question&answer=%7Bmodel%7D.solution");
    REQUIRE(e->models.size() == 2);
    CHECK(e->models[0].value == "small");
    CHECK(e->models[0].provider == "p");
    CHECK(e->models[1].value == "big-1");
    CHECK(e->models[1].parameters ==
          boost::json::object{{"max_tokens", 64}, {"stop", {"\n", "7"}}});
    REQUIRE(e->models[1].pricing.size() == 2);
    CHECK(e->models[1].pricing[0].at("pricing_type") == "input_tokens");
    CHECK(e->models[1].pricing[0].at("price") == 0.15);
    REQUIRE(e->agents.size() == 1);
    CHECK(e->agents[0].system_prompt == "Be brief.");
    CHECK(e->agents[0].temperature == 0.0);
    REQUIRE(e->scenarios.size() == 2);
    CHECK(e->scenarios[0].name == "tiny 0001");
    CHECK(e->scenarios[0].question == "1+1?");
    CHECK(e->scenarios[0].expected == "2");
    CHECK(e->scenarios[1].name == "tiny 0003"); // the line's number
    REQUIRE(e->graders.size() == 2);
    CHECK(e->graders[0].name == "final");
    CHECK(e->graders[0].config == boost::json::object{{"kind", "numeric"}, {"markers", {"####"}}});
    CHECK(e->graders[1].name == "exact_match");
    CHECK(e->pass_points == 4);
    CHECK(e->repeats == 2);
    CHECK(e->in_flight == 8);
}

TEST_CASE("eval file: what is wrong is named with its line", "[tools]")
{
    files const f;
    auto const [from, to, said] = GENERATE(table<std::string, std::string, std::string>({
        {"name: tiny\n", "", ":1: name: is missing"},
        {"name: tiny\n", "name: tiny\nname: two\n", ":2: name: stands here for the second time"},
        {"repeats: 2", "repeat: 2",
         ":15: repeat: is not a key that is known here; did you mean 'repeats'?"},
        {"repeats: 2", "repeats: many", ":15: repeats: expected a whole number of 1 to 1000"},
        {"repeats: 2", "repeats: 0", ":15: repeats: expected a whole number of 1 to 1000"},
        {"repeats: 2", "repeats: [2]", ":15: repeats: expected a single value"},
        {"kind: recorded", "kind: carrier-pigeon",
         ":3: providers[0].kind: 'carrier-pigeon' is not one of"},
        {"kind: recorded", "kind: openai", ":3: providers[0].base_url: is missing"},
        {"kind: recorded, file: answers.jsonl", "kind: openai, base_url: 'ftp://x'",
         ":3: providers[0].base_url: 'ftp://x'"},
        {"answers.jsonl", "nothing.jsonl", ":3: providers[0].file: there is no file"},
        {"provider: p", "provider: q", ":6: models[1].provider: there is no provider 'q'"},
        {"  - small", "  - big", ":6: models[1]: 'big' stands here for the second time"},
        {"input: 0.15", "input: cheap", ":7: models[1].pricing.input: expected a number"},
        {"input: 0.15", "currency: dollars",
         ":7: models[1].pricing.currency: expected an ISO 4217"},
        {"temperature: 0", "temperature: -1", ":8: agent.temperature: must not be negative"},
        {"temperature: 0", "temprature: 0",
         ":8: agent.temprature: is not a key that is known here; did you mean 'temperature'?"},
        {"file: cases.jsonl", "file: none.jsonl", ":10: scenarios.file: there is no file"},
        {"{question: q.text, expected: a}", "{expected: a}",
         ":11: scenarios.map.question: is missing"},
        {"  map: {question: q.text, expected: a}\n", "", ":10: scenarios.map: is missing"},
        {"kind: numeric", "kind: nmeric", ":13: graders[0].kind: "},
        {"markers: [\"####\"]", "markers: 7", ":13: graders[0].markers: "},
        {"markers: [\"####\"]", "marker: x", ":13: graders[0].marker: "},
        {"points: 3", "points: -3", ":14: graders[1].points: expected a whole number"},
        {"{kind: exact_match, points: 3}", "exact_match",
         ":14: graders[1]: expected `key: value` lines"},
        {"system_prompt: Be brief.", "system_prompt: '${ASSAY_TEST_NOT_SET}'",
         ":8: agent.system_prompt: the environment variable ASSAY_TEST_NOT_SET is not set"},
        {"models:", "models: [", ":"},
        {"q.text", "q.words", "cases.jsonl:1: the field 'q.words', the question, is missing"},
        {"expected: a", "expected: b",
         "cases.jsonl:1: the field 'b', the expected answer, is missing"},
    }));
    INFO(to);
    auto const e = f.read(with(from, to));
    REQUIRE_FALSE(e);
    CHECK(e.error().code == errc::invalid);
    INFO(e.error().detail);
    CHECK(e.error().detail.find(said) != std::string::npos);
}

TEST_CASE("eval file: all problems are named at once, in the order of the file", "[tools]")
{
    files const f;
    auto const e = f.read("nam: x\nproviders: []\nmodels: 3\n");
    REQUIRE_FALSE(e);
    auto const& said = e.error().detail;
    INFO(said);
    auto const first = said.find(":1: nam:");
    auto const second = said.find(":2: providers: is missing or empty");
    auto const third = said.find(":3: models: expected a list");
    REQUIRE(first != std::string::npos);
    REQUIRE(second != std::string::npos);
    REQUIRE(third != std::string::npos);
    CHECK(first < second);
    CHECK(second < third);
    CHECK(said.find("graders: is missing or empty") != std::string::npos);
    CHECK(said.find("scenarios: is missing") != std::string::npos);
}

TEST_CASE("eval file: environment variables stand in every text", "[tools]")
{
    files const f;
    ::setenv("ASSAY_TEST_PROMPT", "Answer in one word.", 1);
    auto const set =
        f.read(with("Be brief.", "\"${ASSAY_TEST_PROMPT} $${x} $5 ${ASSAY_TEST_OTHER:-bye}\""));
    ::unsetenv("ASSAY_TEST_PROMPT");
    REQUIRE(set);
    CHECK(set->agents[0].system_prompt == "Answer in one word. ${x} $5 bye");
}

TEST_CASE("eval file: the examples that are shipped can be read", "[tools]")
{
    auto const examples = std::filesystem::path(ASSAY_SOURCE_DIR) / "examples" / "gsm8k";
    auto const e = read_eval_file(examples / "eval.yaml");
    INFO((e ? std::string() : e.error().detail));
    REQUIRE(e);
    CHECK(e->models.size() == 4);
    CHECK(e->scenarios.size() == 1319);

    ::unsetenv("ASSAY_MOCK_URL");
    CHECK_FALSE(read_eval_file(examples / "eval-http.yaml"));
    ::setenv("ASSAY_MOCK_URL", "http://127.0.0.1:9100/v1", 1);
    auto const over_http = read_eval_file(examples / "eval-http.yaml");
    ::unsetenv("ASSAY_MOCK_URL");
    REQUIRE(over_http);
    CHECK(over_http->providers[0].endpoint == "http://127.0.0.1:9100/v1");
}
