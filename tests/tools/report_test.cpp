#include "tools/progress.hpp"
#include "tools/report.hpp"
#include "tools/terminal.hpp"

#include <catch2/catch.hpp>

#include <sstream>

using namespace assay::tools;
using boost::json::array;
using boost::json::object;

namespace {

object model(std::string_view name, int n, int passed, double low, double high)
{
    return {{"model_id", name},
            {"model_name", name},
            {"agent_id", "a"},
            {"agent_name", "as is"},
            {"cells", n},
            {"ended", n},
            {"graded", n},
            {"passed", passed},
            {"accuracy", static_cast<double>(passed) / n},
            {"accuracy_interval", array{low, high}},
            {"failed", 0},
            {"refused", 0},
            {"errors", 0},
            {"input_tokens", nullptr},
            {"output_tokens", nullptr},
            {"tokens_known", 0},
            {"calls", n},
            {"cost", nullptr},
            {"currency", nullptr},
            {"latency_p50_ms", 1.8},
            {"latency_p95_ms", 1234}};
}

object pair(std::string_view a, std::string_view b, double difference, double p,
            std::string_view verdict)
{
    return {{"model_a_name", a},
            {"model_b_name", b},
            {"n", 1319},
            {"difference", difference},
            {"interval", array{difference - 0.03, difference + 0.03}},
            {"p_value", p},
            {"verdict", verdict}};
}

object gsm8k()
{
    return {{"models", array{model("6b_finetuning", 1319, 286, 0.1955, 0.2397),
                             model("175b_verification", 1319, 742, 0.5357, 0.5891)}},
            {"comparisons",
             array{pair("6b_finetuning", "175b_verification", 0.3457, 3e-80, "better"),
                   pair("175b_verification", "6b_finetuning", -0.001, 0.25, "cannot_tell")}}};
}

} // namespace

TEST_CASE("report: the tables fit 80 columns", "[tools]")
{
    auto const text = report_text(gsm8k(), 80);
    CHECK(text == R"(model                 n  passed  accuracy     interval  failed  refused  errors
6b_finetuning      1319     286    21.7 %  19.6 - 24.0       0        0       0
175b_verification  1319     742    56.3 %  53.6 - 58.9       0        0       0

model              tokens  cost     p50    p95
6b_finetuning           -     -  1.8 ms  1.2 s
175b_verification       -     -  1.8 ms  1.2 s

Compared on the same 1319 questions, in percentage points:

a                  b                  b - a        interval       p  b is
6b_finetuning      175b_verification  +34.6  +31.6 .. +37.6   3e-80  better
175b_verification  6b_finetuning       -0.1    -3.1 .. +2.9  0.2500  cannot tell

Intervals hold the true value 95 times in 100: Wilson for an accuracy;
p is McNemar's, exact, for a pair.
)");
}

TEST_CASE("report: no line is wider than the terminal", "[tools]")
{
    for (std::size_t const width : {40, 60, 80, 100, 132, 200}) {
        std::istringstream lines(report_text(gsm8k(), width));
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("Intervals") || line.starts_with("Compared"))
                continue; // sentences
            INFO(width << ": " << line);
            CHECK(display_width(line) <= width);
        }
    }
}

TEST_CASE("report: what is known in part is a lower bound, what is unknown a dash", "[tools]")
{
    auto row = model("m", 10, 5, 0.2, 0.8);
    row["input_tokens"] = 15'300;
    row["output_tokens"] = 1'000'000;
    row["tokens_known"] = 9;
    row["cost"] = "0.0123";
    row["currency"] = "USD";
    row["accuracy"] = nullptr;
    row["accuracy_interval"] = nullptr;
    auto const text = report_text({{"models", array{row}}}, 200);
    INFO(text);
    CHECK(text.find("≥1.02M") != std::string::npos);
    CHECK(text.find("0.0123 USD") != std::string::npos);
    CHECK(text.find("  -") != std::string::npos);
    CHECK(report_text({}, 80) == "There are no results yet.\n");
}

TEST_CASE("report: numbers as people say them", "[tools]")
{
    CHECK(shown_ms(0) == "<1 µs");
    CHECK(shown_ms(0.04) == "40 µs");
    CHECK(shown_ms(0.99) == "990 µs");
    CHECK(shown_ms(1) == "1.0 ms");
    CHECK(shown_ms(9.94) == "9.9 ms");
    CHECK(shown_ms(9.96) == "10 ms");
    CHECK(shown_ms(999.4) == "999 ms");
    CHECK(shown_ms(1000) == "1.0 s");
    CHECK(shown_count(9'999) == "9999");
    CHECK(shown_count(15'300) == "15.3k");
    CHECK(shown_count(1'530'000) == "1.53M");
    CHECK(spoken_seconds(0.44) == "0.4 s");
    CHECK(spoken_seconds(12.4) == "12 s");
    CHECK(spoken_seconds(200) == "3 min 20 s");
    CHECK(spoken_seconds(7500) == "2 h 5 min");
}

TEST_CASE("progress: one line, as wide as there is room", "[tools]")
{
    progress_state const s{.done = 2638, .total = 5276, .rate = 4021, .extra = "3 failed"};
    CHECK(progress_line("cells", s, 79) ==
          "cells [#############.............] 2638/5276  50 %  4021/s  ETA 0.7 s  3 failed");
    CHECK(display_width(progress_line("cells", s, 60)) <= 60);
    CHECK(display_width(progress_line("cells", s, 20)) <= 20);
    CHECK(progress_line("cells", {.done = 5275, .total = 5276, .rate = 0, .extra = {}}, 79)
              .find("99 %") != std::string::npos);
    CHECK(
        progress_line("cells", {.done = 0, .total = 0, .rate = 0, .extra = {}}, 79).find("100 %") !=
        std::string::npos);
}
