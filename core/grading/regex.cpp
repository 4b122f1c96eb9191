#include "core/grading/kinds.hpp"
#include "core/grading/pattern.hpp"
#include "core/grading/text.hpp"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace assay::grading {

namespace {

class regex final : public rules {
public:
    struct options {
        std::shared_ptr<re2::RE2 const> pattern; ///< null: the expected text is the pattern
        std::size_t group = 0;                   ///< 0: finding the pattern is enough
        bool full_match = false;
        bool ignore_case = false;
    };

    explicit regex(options o) : options_(std::move(o)) {}

    grade_outcome grade(std::string_view answer, std::string_view expected) const override
    {
        auto pattern = options_.pattern;
        if (pattern == nullptr) {
            auto compiled = compile_pattern(trimmed(expected), options_.ignore_case);
            if (!compiled)
                return cannot_grade("expected_invalid", compiled.error().detail.substr(0, 1'000));
            pattern = std::move(*compiled);
        }
        auto const text = options_.full_match ? trimmed(answer) : answer;
        if (!affordable(*pattern, text))
            return cannot_grade("too_expensive", "the pattern is too large for so long an answer");

        std::vector<re2::StringPiece> groups(options_.group + 1);
        bool const found = pattern->Match(
            re2::StringPiece(text.data(), text.size()), 0, text.size(),
            options_.full_match ? re2::RE2::ANCHOR_BOTH : re2::RE2::UNANCHORED, groups.data(),
            options_.group == 0 ? 0 : static_cast<int>(groups.size()));
        if (!found)
            return miss("the answer does not match the pattern");
        if (options_.group == 0)
            return pass();
        return compare({groups.back().data(), groups.back().size()}, expected);
    }

private:
    graded compare(std::string_view captured, std::string_view expected) const
    {
        auto const a = space_folded(captured);
        auto const b = space_folded(expected);
        if (options_.ignore_case ? lower(a) == lower(b) : a == b)
            return pass();
        return miss(fmt::format("expected {}, captured {}", quoted(expected), quoted(captured)));
    }

    options const options_;
};

} // namespace

std::shared_ptr<rules const> make_regex(config_reader& config)
{
    regex::options o;
    auto const pattern = config.text("pattern", 4'096);
    auto const group = config.integer("group", 1, 99);
    o.full_match = config.boolean("full_match", false);
    o.ignore_case = config.boolean("ignore_case", false);
    if (group)
        o.group = static_cast<std::size_t>(*group);
    if (group && !pattern)
        config.problem("group", "needs a pattern", "missing");
    if (pattern) {
        auto compiled = compile_pattern(*pattern, o.ignore_case);
        if (!compiled)
            config.problem("pattern", compiled.error().detail, "pattern");
        else if (group && *group > (*compiled)->NumberOfCapturingGroups())
            config.problem("group", "is more than the pattern has", "int_range");
        else
            o.pattern = std::move(*compiled);
    }
    return std::make_shared<regex>(std::move(o));
}

} // namespace assay::grading
