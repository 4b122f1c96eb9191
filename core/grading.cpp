#include "core/grading.hpp"

#include "core/grading/config_reader.hpp"
#include "core/grading/kinds.hpp"

#include <fmt/format.h>

#include <array>
#include <exception>
#include <utility>

namespace assay::grading {

namespace {

struct kind_entry {
    std::string_view name;
    grader_kind kind;
    int version;
    std::shared_ptr<rules const> (*make)(config_reader&);
};

constexpr std::array kinds = std::to_array<kind_entry>({
    {"exact_match", grader_kind::exact_match, 1, make_exact_match},
    {"keyword_match", grader_kind::keyword_match, 1, make_keyword_match},
    {"regex", grader_kind::regex, 1, make_regex},
    {"numeric", grader_kind::numeric, 1, make_numeric},
    {"json_schema", grader_kind::json_schema, 1, make_json_schema},
});

result<kind_entry const*> find_kind(json::object const& config)
{
    auto const* found = config.if_contains("kind");
    auto const* word = found == nullptr ? nullptr : found->if_string();
    std::string known;
    for (auto const& entry : kinds) {
        if (word != nullptr && *word == entry.name)
            return &entry;
        known += fmt::format("{}{}", known.empty() ? "" : ", ", entry.name);
    }
    field_problem wrong{{"kind"}, "must be one of " + known, found == nullptr ? "missing" : "enum"};
    std::string detail = "the grader's kind " + wrong.msg;
    return fail(error{errc::invalid, std::move(detail), "grader_invalid", {std::move(wrong)}});
}

} // namespace

std::string_view name(grader_kind kind)
{
    for (auto const& entry : kinds) {
        if (entry.kind == kind)
            return entry.name;
    }
    return {};
}

graded pass(std::string comment)
{
    return {score_max, true, std::move(comment)};
}

graded miss(std::string comment)
{
    return {0, false, std::move(comment)};
}

std::unexpected<grader_error> cannot_grade(std::string reason, std::string detail)
{
    return std::unexpected(grader_error{std::move(reason), std::move(detail)});
}

result<grader> parse_grader(json::object const& config)
{
    auto const found = find_kind(config);
    ASSAY_CHECK(found);
    auto const& entry = **found;

    config_reader reader(config);
    reader.keep("kind", *reader.any("kind"));
    auto compiled = entry.make(reader);
    ASSAY_TRY(auto kept, reader.finish());
    return grader{entry.kind, fmt::format("{}/{}", entry.name, entry.version), std::move(kept),
                  std::move(compiled)};
}

grade_outcome grade(grader const& g, std::string_view answer, std::string_view expected)
{
    try {
        return g.compiled->grade(answer, expected);
    } catch (std::exception const& e) {
        // Memory, or a library that throws where we did not know it to.
        return cannot_grade("internal", e.what());
    }
}

} // namespace assay::grading
