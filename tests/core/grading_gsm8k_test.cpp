#include "core/grading.hpp"
#include "core/json.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

using namespace assay;

namespace {

std::vector<json::value> lines_of(std::string const& name)
{
    std::ifstream file(ASSAY_SOURCE_DIR "/examples/gsm8k/" + name);
    std::vector<json::value> rows;
    for (std::string line; std::getline(file, line);) {
        auto parsed = json::parse(line);
        REQUIRE(parsed);
        rows.push_back(*std::move(parsed));
    }
    return rows;
}

std::string_view text(json::value const& row, std::string_view name)
{
    return row.at(name).as_string();
}

} // namespace

TEST_CASE("numeric: agrees with the published judgement of every GSM8K answer", "[core][grading]")
{
    auto const grader = grading::parse_grader({{"kind", "numeric"}, {"markers", {"A:", "####"}}});
    REQUIRE(grader);
    auto const rows = lines_of("example_model_solutions.jsonl");
    REQUIRE(rows.size() == 1'319);

    std::map<std::string_view, int> correct{{"6b_finetuning", 0},
                                            {"6b_verification", 0},
                                            {"175b_finetuning", 0},
                                            {"175b_verification", 0}};
    int disagreements = 0;
    for (auto const& row : rows) {
        for (auto& [model, count] : correct) {
            auto const& cell = row.at(model);
            auto const graded =
                grading::grade(*grader, text(cell, "solution"), text(row, "ground_truth"));
            REQUIRE(graded);
            count += graded->passed ? 1 : 0;
            disagreements += graded->passed != cell.at("is_correct").as_bool() ? 1 : 0;
        }
    }
    CHECK(disagreements == 0);
    CHECK(correct["6b_finetuning"] == 286);
    CHECK(correct["6b_verification"] == 515);
    CHECK(correct["175b_finetuning"] == 458);
    CHECK(correct["175b_verification"] == 742);
}

TEST_CASE("numeric: the two files of GSM8K hold the same questions and answers", "[core][grading]")
{
    auto const grader = grading::parse_grader({{"kind", "numeric"}});
    REQUIRE(grader);
    auto const test = lines_of("test.jsonl");
    auto const solutions = lines_of("example_model_solutions.jsonl");
    REQUIRE(test.size() == solutions.size());
    for (std::size_t i = 0; i < test.size(); ++i) {
        CHECK(text(test[i], "question") == text(solutions[i], "question"));
        auto const graded =
            grading::grade(*grader, text(test[i], "answer"), text(solutions[i], "ground_truth"));
        REQUIRE(graded);
        CHECK(graded->passed);
    }
}
