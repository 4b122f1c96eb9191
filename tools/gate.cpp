#include "tools/gate.hpp"

#include "core/statistics.hpp"
#include "tools/json_fields.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

namespace assay::tools {

namespace {

constexpr std::array<std::pair<std::string_view, gate_metric>, 5> metrics{
    {{"accuracy", gate_metric::accuracy},
     {"accuracy_low", gate_metric::accuracy_low},
     {"score", gate_metric::score},
     {"score_low", gate_metric::score_low},
     {"pass_rate", gate_metric::pass_rate}}};

std::string_view trim(std::string_view text)
{
    auto const first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::unexpected<error> no(std::string_view text, std::string_view why)
{
    return fail(errc::invalid,
                fmt::format("--fail-under '{}': {}; expected e.g. 'accuracy(my-model) >= 0.55'",
                            text, why));
}

std::optional<double> read_threshold(std::string_view text)
{
    bool const percent = text.ends_with('%');
    if (percent)
        text = trim(text.substr(0, text.size() - 1));
    double value = 0;
    auto const* const end = text.data() + text.size();
    auto const [at, ec] = std::from_chars(text.data(), end, value);
    if (text.empty() || ec != std::errc{} || at != end)
        return std::nullopt;
    value = percent ? value / 100 : value;
    // Also refuses what is not a number at all: 'nan' would be met by nothing and say so nowhere.
    if (!(value >= 0 && value <= 1))
        return std::nullopt;
    return value;
}

/// The value of a row, or none when nothing is known.
std::optional<double> value_of(gate_metric metric, boost::json::object const& row)
{
    switch (metric) {
    case gate_metric::accuracy: return number_at(row, "accuracy");
    case gate_metric::accuracy_low: return element_at(row, "accuracy_interval", 0);
    case gate_metric::score: return number_at(row, "score_mean");
    case gate_metric::score_low: return element_at(row, "score_interval", 0);
    case gate_metric::pass_rate: {
        auto const cells = count_at(row, "cells");
        if (cells == 0)
            return std::nullopt;
        return static_cast<double>(count_at(row, "passed")) / static_cast<double>(cells);
    }
    }
    return std::nullopt;
}

/// Why the row cannot meet any demand; empty when it can.
std::string missing(gate_metric metric, boost::json::object const& row)
{
    auto const cells = count_at(row, "cells");
    auto const ended = count_at(row, "ended");
    auto const graded = count_at(row, "graded");
    if (cells == 0)
        return "there are no cells";
    if (ended < cells || count_at(row, "open") > 0)
        return fmt::format("{} of {} cells are unfinished", cells - std::min(ended, cells), cells);
    if (metric != gate_metric::pass_rate && graded < cells)
        return fmt::format("{} of {} cells have no grade", cells - graded, cells);
    return {};
}

} // namespace

result<gate> parse_gate(std::string_view text)
{
    auto const open = text.find('(');
    if (open == std::string_view::npos)
        return no(text, "there is no '('");
    auto const name = trim(text.substr(0, open));
    gate out{.text = std::string(trim(text)), .metric = {}, .model = {}};
    bool known = false;
    for (auto const& [word, metric] : metrics) {
        if (word == name) {
            out.metric = metric;
            known = true;
        }
    }
    if (!known)
        return no(
            text,
            fmt::format("'{}' is no metric (accuracy, accuracy_low, score, score_low, pass_rate)",
                        name));

    // Names of models may hold parentheses; an operator after the last one ends the name.
    auto const close = text.rfind(')');
    if (close == std::string_view::npos || close < open)
        return no(text, "there is no ')'");
    out.model = std::string(trim(text.substr(open + 1, close - open - 1)));
    if (out.model.empty())
        return no(text, "the model is missing");

    auto rest = trim(text.substr(close + 1));
    if (!rest.starts_with('>'))
        return no(text, "after ')' there must be >= or >");
    rest.remove_prefix(1);
    out.strict = !rest.starts_with('=');
    if (!out.strict)
        rest.remove_prefix(1);
    auto const threshold = read_threshold(trim(rest));
    if (!threshold)
        return no(text,
                  fmt::format("'{}' is not a number between 0 and 1 or 0 % and 100 %", trim(rest)));
    out.threshold = *threshold;
    return out;
}

gate_outcome check_gate(gate const& demanded, boost::json::object const& benchmark)
{
    gate_outcome out{.demanded = demanded, .met = false, .why = {}};
    bool found = false;
    for (auto const& entry : array_at(benchmark, "models")) {
        auto const* const row = entry.if_object();
        if (!row || text_at(*row, "model_name") != demanded.model)
            continue;
        found = true;
        out.why = missing(demanded.metric, *row);
        if (!out.why.empty())
            return out;
        auto const value = value_of(demanded.metric, *row);
        if (!value) {
            out.why = "the value is not known";
            return out;
        }
        out.why = fmt::format("found {:.4f}", *value);
        if (demanded.strict ? !(*value > demanded.threshold) : !(*value >= demanded.threshold))
            return out;
    }
    if (!found)
        out.why = "the result has no such model";
    out.met = found;
    return out;
}

} // namespace assay::tools
