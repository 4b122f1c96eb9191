#include "tools/gate.hpp"

#include <catch2/catch.hpp>

#include <tuple>

using namespace assay;
using namespace assay::tools;

namespace {

/// A benchmark row with everything graded.
boost::json::object row(std::string_view model, int cells, int ended, int graded, int passed)
{
    return {{"model_name", model},
            {"cells", cells},
            {"ended", ended},
            {"open", cells - ended},
            {"graded", graded},
            {"passed", passed},
            {"accuracy", graded == 0 ? boost::json::value(nullptr)
                                     : boost::json::value(double(passed) / graded)},
            {"accuracy_interval", boost::json::array{0.4, 0.6}},
            {"score_mean", 0.5},
            {"score_interval", nullptr}};
}

boost::json::object benchmark(std::vector<boost::json::object> rows)
{
    boost::json::array models;
    for (auto& r : rows)
        models.push_back(std::move(r));
    return {{"models", std::move(models)}};
}

} // namespace

TEST_CASE("fail-under: demands are read", "[tools]")
{
    auto const g = parse_gate(" accuracy( 175b_verification )>=0.55 ");
    REQUIRE(g);
    CHECK(g->metric == gate_metric::accuracy);
    CHECK(g->model == "175b_verification");
    CHECK_FALSE(g->strict);
    CHECK(g->threshold == 0.55);

    auto const percent = parse_gate("pass_rate(gpt (mini)) > 12.5 %");
    REQUIRE(percent);
    CHECK(percent->metric == gate_metric::pass_rate);
    CHECK(percent->model == "gpt (mini)");
    CHECK(percent->strict);
    CHECK(percent->threshold == 0.125);

    CHECK(parse_gate("accuracy_low(m) >= 1")->metric == gate_metric::accuracy_low);
    CHECK(parse_gate("score(m) >= 0")->metric == gate_metric::score);
}

TEST_CASE("fail-under: what is no demand is refused, saying why", "[tools]")
{
    auto const [text, why] = GENERATE(table<std::string, std::string>({
        {"", "no '('"},
        {"accuracy >= 0.5", "no '('"},
        {"accurracy(m) >= 0.5", "no metric"},
        {"accuracy(m >= 0.5", "no ')'"},
        {"accuracy() >= 0.5", "the model is missing"},
        {"accuracy(m) < 0.5", ">= or >"},
        {"accuracy(m) = 0.5", ">= or >"},
        {"accuracy(m) >=", "not a number"},
        {"accuracy(m) >= x", "not a number"},
        {"accuracy(m) >= 0.5x", "not a number"},
        {"accuracy(m) >= nan", "not a number"},
        {"accuracy(m) >= 55", "not a number"},
        {"accuracy(m) >= -0.1", "not a number"},
        {"accuracy(m) >= 101 %", "not a number"},
    }));
    INFO(text);
    auto const g = parse_gate(text);
    REQUIRE_FALSE(g);
    CHECK(g.error().code == errc::invalid);
    CHECK(g.error().detail.find(why) != std::string::npos);
}

TEST_CASE("fail-under: a demand is met or not, and fails closed", "[tools]")
{
    auto const [demand, result, met] = GENERATE(table<std::string, boost::json::object, bool>({
        {"accuracy(a) >= 0.5", benchmark({row("a", 10, 10, 10, 5)}), true},
        {"accuracy(a) > 0.5", benchmark({row("a", 10, 10, 10, 5)}), false},
        {"accuracy(a) >= 0.6", benchmark({row("a", 10, 10, 10, 5)}), false},
        {"accuracy_low(a) >= 0.4", benchmark({row("a", 10, 10, 10, 5)}), true},
        {"accuracy_low(a) > 0.4", benchmark({row("a", 10, 10, 10, 5)}), false},
        {"score(a) >= 0.5", benchmark({row("a", 10, 10, 10, 5)}), true},
        // The interval is not known: no demand on it is met.
        {"score_low(a) >= 0", benchmark({row("a", 10, 10, 10, 5)}), false},
        // Missing, unfinished, ungraded.
        {"accuracy(b) >= 0", benchmark({row("a", 10, 10, 10, 5)}), false},
        {"accuracy(a) >= 0", benchmark({}), false},
        {"accuracy(a) >= 0", benchmark({row("a", 10, 9, 9, 9)}), false},
        {"accuracy(a) >= 0", benchmark({row("a", 10, 10, 9, 9)}), false},
        {"accuracy(a) >= 0", benchmark({row("a", 0, 0, 0, 0)}), false},
        // An error counts as not passed in the pass rate, so it may stand.
        {"pass_rate(a) >= 0.9", benchmark({row("a", 10, 10, 9, 9)}), true},
        {"pass_rate(a) > 0.9", benchmark({row("a", 10, 10, 9, 9)}), false},
        {"pass_rate(a) >= 0.5", benchmark({row("a", 10, 9, 9, 9)}), false},
        // Every agent's row must meet it.
        {"accuracy(a) >= 0.5", benchmark({row("a", 10, 10, 10, 9), row("a", 10, 10, 10, 4)}),
         false},
    }));
    INFO(demand);
    auto const g = parse_gate(demand);
    REQUIRE(g);
    auto const outcome = check_gate(*g, result);
    INFO(outcome.why);
    CHECK(outcome.met == met);
    CHECK_FALSE(outcome.why.empty());
}
