#include "core/grading/kinds.hpp"
#include "core/grading/text.hpp"

#include <fmt/format.h>

#include <string>

namespace assay::grading {

namespace {

class exact_match final : public rules {
public:
    exact_match(std::string_view space, bool ignore_case)
        : fold_(space == "fold"), trim_(space != "keep"), ignore_case_(ignore_case)
    {
    }

    grade_outcome grade(std::string_view answer, std::string_view expected) const override
    {
        if (normal(answer) == normal(expected))
            return pass();
        return miss(fmt::format("expected {}, got {}", quoted(expected), quoted(answer)));
    }

private:
    std::string normal(std::string_view text) const
    {
        std::string const spaced =
            fold_ ? space_folded(text) : std::string(trim_ ? trimmed(text) : text);
        return ignore_case_ ? lower(spaced) : spaced;
    }

    bool const fold_;
    bool const trim_;
    bool const ignore_case_;
};

} // namespace

std::shared_ptr<rules const> make_exact_match(config_reader& config)
{
    auto const space = config.choice("space", {"fold", "trim", "keep"}, "fold");
    return std::make_shared<exact_match>(space, config.boolean("ignore_case", false));
}

} // namespace assay::grading
