#include "tools/report.hpp"

#include "tools/json_fields.hpp"
#include "tools/table.hpp"
#include "tools/terminal.hpp"

#include <fmt/format.h>

#include <cmath>
#include <optional>
#include <set>

namespace assay::tools {

namespace {

using boost::json::object;

std::string percent(std::optional<double> share)
{
    return share ? fmt::format("{:.1f} %", *share * 100) : "-";
}

std::string interval(object const& row, std::string_view name, bool with_sign)
{
    auto const low = element_at(row, name, 0);
    auto const high = element_at(row, name, 1);
    if (!low || !high)
        return "-";
    if (with_sign)
        return fmt::format("{:+.1f} .. {:+.1f}", *low * 100, *high * 100);
    return fmt::format("{:.1f} - {:.1f}", *low * 100, *high * 100);
}

/// Input and output together; what is known of some calls only is a lower bound.
std::string tokens(object const& row)
{
    auto const in = number_at(row, "input_tokens");
    auto const out = number_at(row, "output_tokens");
    if (!in && !out)
        return "-";
    bool const partly = count_at(row, "tokens_known") < count_at(row, "calls");
    return (partly ? "≥" : "") + shown_count(in.value_or(0) + out.value_or(0));
}

std::string cost(object const& row)
{
    auto const amount = text_at(row, "cost");
    if (amount.empty())
        return "-";
    auto const currency = text_at(row, "currency");
    return currency.empty() ? amount : fmt::format("{} {}", amount, currency);
}

std::string latency(object const& row, std::string_view name)
{
    auto const ms = number_at(row, name);
    return ms ? shown_ms(*ms) : "-";
}

bool several_agents(boost::json::array const& rows)
{
    std::set<std::string> agents;
    for (auto const& row : rows)
        if (auto const* const o = row.if_object())
            agents.insert(text_at(*o, "agent_id"));
    return agents.size() > 1;
}

std::string row_name(object const& row, std::string const& model, bool with_agent)
{
    auto const name = text_at(row, model);
    auto const agent = text_at(row, "agent_name");
    return with_agent && !agent.empty() ? fmt::format("{} / {}", name, agent) : name;
}

std::string models_text(boost::json::array const& rows, std::size_t width)
{
    text_table table({{"model"},
                      {"n", align::right},
                      {"passed", align::right},
                      {"accuracy", align::right},
                      {"interval", align::right},
                      {"failed", align::right},
                      {"refused", align::right},
                      {"errors", align::right},
                      {"tokens", align::right},
                      {"cost", align::right},
                      {"p50", align::right},
                      {"p95", align::right}});
    bool const agents = several_agents(rows);
    for (auto const& entry : rows) {
        auto const* const row = entry.if_object();
        if (!row)
            continue;
        table.add({row_name(*row, "model_name", agents), std::to_string(count_at(*row, "graded")),
                   std::to_string(count_at(*row, "passed")), percent(number_at(*row, "accuracy")),
                   interval(*row, "accuracy_interval", false),
                   std::to_string(count_at(*row, "failed")),
                   std::to_string(count_at(*row, "refused")),
                   std::to_string(count_at(*row, "errors")), tokens(*row), cost(*row),
                   latency(*row, "latency_p50_ms"), latency(*row, "latency_p95_ms")});
    }
    return table.text(width);
}

/// Exact where it can still be told apart from the level of 5 %, else its order of magnitude.
std::string p_value(object const& row)
{
    auto const p = number_at(row, "p_value");
    if (!p)
        return "-";
    if (*p >= 0.0001)
        return fmt::format("{:.4f}", *p);
    return *p <= 0 ? "0" : fmt::format("{:.0e}", *p);
}

std::string verdict(object const& row)
{
    auto const word = text_at(row, "verdict");
    return word == "cannot_tell" ? "cannot tell" : word.empty() ? "-" : word;
}

std::string comparisons_text(boost::json::array const& rows, bool agents, std::size_t width)
{
    std::set<std::uint64_t> sizes;
    for (auto const& entry : rows)
        if (auto const* const row = entry.if_object())
            sizes.insert(count_at(*row, "n"));
    bool const one_size = sizes.size() == 1;

    std::vector<text_table::column> columns{{"a"}, {"b"}};
    if (!one_size)
        columns.push_back({"n", align::right});
    columns.insert(
        columns.end(),
        {{"b - a", align::right}, {"interval", align::right}, {"p", align::right}, {"b is"}});
    text_table table(std::move(columns));
    for (auto const& entry : rows) {
        auto const* const row = entry.if_object();
        if (!row)
            continue;
        auto const difference = number_at(*row, "difference");
        std::vector<std::string> cells{row_name(*row, "model_a_name", agents),
                                       row_name(*row, "model_b_name", false)};
        if (!one_size)
            cells.push_back(std::to_string(count_at(*row, "n")));
        cells.insert(cells.end(), {difference ? fmt::format("{:+.1f}", *difference * 100) : "-",
                                   interval(*row, "interval", true), p_value(*row), verdict(*row)});
        table.add(std::move(cells));
    }
    auto const caption =
        one_size ? fmt::format("Compared on the same {} questions, in percentage points:\n\n",
                               *sizes.begin())
                 : std::string(
                       "Compared on the questions that both answered, in percentage points:\n\n");
    return caption + table.text(width);
}

} // namespace

std::string shown_ms(double ms)
{
    if (ms < 0.001)
        return "<1 µs";
    if (ms < 0.9995)
        return fmt::format("{:.0f} µs", ms * 1000);
    if (ms < 9.95)
        return fmt::format("{:.1f} ms", ms);
    if (ms < 999.5)
        return fmt::format("{:.0f} ms", ms);
    return fmt::format("{:.1f} s", ms / 1000);
}

std::string shown_count(double n)
{
    if (n < 10'000)
        return fmt::format("{:.0f}", n);
    if (n < 999'950)
        return fmt::format("{:.1f}k", n / 1e3);
    return fmt::format("{:.2f}M", n / 1e6);
}

std::string report_text(object const& benchmark, std::size_t width)
{
    auto const& models = array_at(benchmark, "models");
    if (models.empty())
        return "There are no results yet.\n";
    auto out = models_text(models, width);
    auto const& comparisons = array_at(benchmark, "comparisons");
    if (!comparisons.empty())
        out += "\n" + comparisons_text(comparisons, several_agents(models), width);
    out += "\nIntervals hold the true value 95 times in 100: Wilson for an accuracy";
    out += comparisons.empty() ? ".\n" : ";\np is McNemar's, exact, for a pair.\n";
    return out;
}

} // namespace assay::tools
