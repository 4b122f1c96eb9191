#include "core/json.hpp"
#include "tools/eval_file.hpp"

#include <fmt/format.h>

#include <fstream>

namespace assay::tools {

namespace {

constexpr std::size_t line_bytes_max = 1 << 20;

/// The member behind "a.b.c"; none if there is none. A member that is itself named "a.b" comes
/// first.
boost::json::value const* field_of(boost::json::object const& line, std::string_view path)
{
    if (auto const* const whole = line.if_contains(path))
        return whole;
    auto const dot = path.find('.');
    if (dot == std::string_view::npos)
        return nullptr;
    auto const* const member = line.if_contains(path.substr(0, dot));
    auto const* const inner = member ? member->if_object() : nullptr;
    return inner ? field_of(*inner, path.substr(dot + 1)) : nullptr;
}

/// A field as text: numbers and booleans, which data files use for answers, as JSON writes them.
std::optional<std::string> text_of(boost::json::object const& line, std::string_view path)
{
    auto const* const v = field_of(line, path);
    if (!v || v->is_null() || v->is_object() || v->is_array())
        return std::nullopt;
    if (auto const* const s = v->if_string())
        return std::string(s->data(), s->size());
    return json::canonical(*v);
}

result<scenario_spec> read_line(std::string_view text, scenario_source const& from,
                                std::size_t number)
{
    auto const no = [&](std::string_view what) {
        return fail(errc::invalid, fmt::format("{}:{}: {}", from.file.string(), number, what),
                    "bad_file");
    };
    if (text.size() > line_bytes_max)
        return no("the line is longer than 1 MiB");
    auto const parsed = json::parse(text);
    if (!parsed)
        return no(parsed.error().detail);
    auto const* const line = parsed->if_object();
    if (!line)
        return no("expected a JSON object");
    scenario_spec s;
    auto question = text_of(*line, from.question);
    if (!question || question->empty())
        return no(fmt::format("the field '{}', the question, is missing or empty", from.question));
    s.question = std::move(*question);
    if (!from.expected.empty()) {
        s.expected = text_of(*line, from.expected);
        if (!s.expected)
            return no(
                fmt::format("the field '{}', the expected answer, is missing", from.expected));
    }
    if (!from.name.empty()) {
        auto name = text_of(*line, from.name);
        if (!name || name->empty())
            return no(fmt::format("the field '{}', the name, is missing or empty", from.name));
        s.name = std::move(*name);
    } else {
        s.name = fmt::format("{} {:04}", from.prefix, number);
    }
    return s;
}

} // namespace

result<std::vector<scenario_spec>> read_scenarios(scenario_source const& from)
{
    std::ifstream in(from.file, std::ios::binary);
    if (!in)
        return fail(errc::io, fmt::format("cannot read {}", from.file.string()));
    std::vector<scenario_spec> out;
    std::string line;
    std::size_t number = 0;
    while ((from.limit == 0 || out.size() < from.limit) && std::getline(in, line)) {
        ++number;
        if (line.find_first_not_of(" \t\r") == std::string::npos)
            continue;
        ASSAY_TRY(auto scenario, read_line(line, from, number));
        out.push_back(std::move(scenario));
    }
    if (in.bad())
        return fail(errc::io, fmt::format("cannot read {}", from.file.string()));
    if (out.empty())
        return fail(errc::invalid,
                    fmt::format("{}: there are no scenarios in it", from.file.string()),
                    "bad_file");
    return out;
}

} // namespace assay::tools
