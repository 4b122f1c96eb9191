#include "core/grading/kinds.hpp"
#include "core/grading/number.hpp"
#include "core/grading/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace assay::grading {

namespace {

/// The position after the last occurrence of `marker`; npos without one.
std::size_t after_last(std::string_view text, std::string_view marker)
{
    bool const begins_word = !border_after(marker, 0);
    std::size_t at = text.rfind(marker);
    while (at != std::string_view::npos && begins_word && !border_before(text, at))
        at = at == 0 ? std::string_view::npos : text.rfind(marker, at - 1);
    return at == std::string_view::npos ? at : at + marker.size();
}

class numeric final : public rules {
public:
    struct options {
        std::vector<std::string> markers;
        decimal absolute_tolerance;
        decimal relative_tolerance;
    };

    explicit numeric(options o) : options_(std::move(o)) {}

    grade_outcome grade(std::string_view answer, std::string_view expected) const override
    {
        auto const wanted = final_number(expected);
        if (!wanted)
            return cannot_grade("expected_invalid",
                                fmt::format("no number in the expected text {}", quoted(expected)));
        auto const seen = final_number(answer);
        if (!seen)
            return miss("the answer holds no final number");
        if (within(*seen, *wanted, options_.absolute_tolerance, options_.relative_tolerance))
            return pass();
        return miss(fmt::format("expected {}, got {}", to_text(*wanted), to_text(*seen)));
    }

private:
    std::optional<number> final_number(std::string_view text) const
    {
        std::optional<std::size_t> start;
        for (auto const& marker : options_.markers) {
            if (auto const after = after_last(text, marker); after != std::string_view::npos)
                start = std::max(start.value_or(0), after);
        }
        return start ? first_number(text.substr(*start)) : last_number(text);
    }

    options const options_;
};

decimal read_tolerance(config_reader& config, std::string_view name)
{
    auto const* found = config.any(name);
    std::string text = "0";
    if (found != nullptr && found->is_string())
        text = std::string_view(found->get_string());
    else if (found != nullptr && found->is_number())
        text = json::canonical(*found);
    else if (found != nullptr)
        text.clear();
    auto const value = parse_decimal(text);
    if (!value || value->negative || text.size() > 40) {
        config.problem(name, "must be a decimal of 0 or more, at most 40 characters", "decimal");
        return {};
    }
    config.keep(name, json::value(text));
    return *value;
}

} // namespace

std::shared_ptr<rules const> make_numeric(config_reader& config)
{
    numeric::options o;
    auto const markers = config.texts("markers", 16, 64);
    o.markers = markers.value_or(std::vector<std::string>{"A:", "####"});
    config.keep("markers", json::array(o.markers.begin(), o.markers.end()));
    o.absolute_tolerance = read_tolerance(config, "absolute_tolerance");
    o.relative_tolerance = read_tolerance(config, "relative_tolerance");
    return std::make_shared<numeric>(std::move(o));
}

} // namespace assay::grading
