#include "core/grading/kinds.hpp"
#include "core/grading/schema.hpp"
#include "core/grading/text.hpp"

#include <cstddef>
#include <optional>
#include <utility>

namespace assay::grading {

namespace {

constexpr std::size_t schema_bytes_max = 262'144;
constexpr std::size_t answer_depth_max = 64;

/// What stands inside the one Markdown code fence that `text` consists of; `text` itself if it is
/// anything else.
std::string_view unfenced(std::string_view text)
{
    auto const whole = trimmed(text);
    auto const first_line_end = whole.find('\n');
    if (!whole.starts_with("```") || !whole.ends_with("\n```") || first_line_end + 4 > whole.size())
        return text;
    return whole.substr(first_line_end, whole.size() - 3 - first_line_end);
}

class json_schema final : public rules {
public:
    json_schema(schema s, bool fenced) : schema_(std::move(s)), fenced_(fenced) {}

    grade_outcome grade(std::string_view answer, std::string_view) const override
    {
        auto const value =
            json::parse(fenced_ ? unfenced(answer) : answer, {.depth_max = answer_depth_max});
        if (!value)
            return miss(value.error().detail);
        auto found = schema_.check(*value);
        switch (found.is) {
        case schema::verdict::valid: return pass();
        case schema::verdict::invalid: return miss(std::move(found.why).substr(0, 1'000));
        case schema::verdict::too_expensive: break;
        }
        return cannot_grade("too_expensive", std::move(found.why));
    }

private:
    schema const schema_;
    bool const fenced_;
};

} // namespace

std::shared_ptr<rules const> make_json_schema(config_reader& config)
{
    bool const fenced = config.boolean("fenced", false);
    auto const* given = config.any("schema");
    if (given == nullptr) {
        config.problem("schema", "is required", "missing");
        return nullptr;
    }
    if (json::canonical(*given).size() > schema_bytes_max) {
        config.problem("schema", "must be at most 256 KiB", "too_long");
        return nullptr;
    }
    config.keep("schema", *given);
    auto compiled = schema::compile(*given);
    if (!compiled) {
        config.problem("schema", std::move(compiled).error().detail, "schema");
        return nullptr;
    }
    return std::make_shared<json_schema>(*std::move(compiled), fenced);
}

} // namespace assay::grading
