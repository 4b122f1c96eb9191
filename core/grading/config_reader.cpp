#include "core/grading/config_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace assay::grading {

config_reader::config_reader(json::object const& from) : from_(from) {}

json::value const* config_reader::any(std::string_view name)
{
    asked_.emplace_back(name);
    return from_.if_contains(name);
}

bool config_reader::boolean(std::string_view name, bool fallback)
{
    auto const* found = any(name);
    bool value = fallback;
    if (found != nullptr && found->is_bool())
        value = found->get_bool();
    else if (found != nullptr)
        problem(name, "must be true or false", "bool_type");
    keep(name, value);
    return value;
}

std::string config_reader::choice(std::string_view name,
                                  std::initializer_list<std::string_view> allowed,
                                  std::string_view fallback)
{
    auto const* found = any(name);
    std::string value(fallback);
    if (found != nullptr) {
        auto const* text = found->if_string();
        if (text != nullptr && std::find(allowed.begin(), allowed.end(), *text) != allowed.end())
            value = std::string_view(*text);
        else
            problem(name, fmt::format("must be one of {}", fmt::join(allowed, ", ")), "enum");
    }
    keep(name, json::value(value));
    return value;
}

std::optional<std::string> config_reader::text(std::string_view name, std::size_t bytes_max)
{
    auto const* found = any(name);
    if (found == nullptr)
        return std::nullopt;
    auto const* value = found->if_string();
    if (value == nullptr) {
        problem(name, "must be a string", "string_type");
        return std::nullopt;
    }
    if (value->empty() || value->size() > bytes_max) {
        problem(name, fmt::format("must be of 1 to {} bytes", bytes_max), "string_length");
        return std::nullopt;
    }
    keep(name, *value);
    return std::string(*value);
}

std::optional<std::int64_t> config_reader::integer(std::string_view name, std::int64_t min,
                                                   std::int64_t max)
{
    auto const* found = any(name);
    if (found == nullptr)
        return std::nullopt;
    auto const* value = found->if_int64();
    if (value == nullptr || *value < min || *value > max) {
        problem(name, fmt::format("must be a whole number of {} to {}", min, max), "int_range");
        return std::nullopt;
    }
    keep(name, *value);
    return *value;
}

std::optional<std::vector<std::string>>
config_reader::texts(std::string_view name, std::size_t count_max, std::size_t bytes_max)
{
    auto const* found = any(name);
    if (found == nullptr)
        return std::nullopt;
    auto const* list = found->if_array();
    if (list == nullptr || list->size() > count_max) {
        problem(name, fmt::format("must be a list of at most {} strings", count_max), "list_type");
        return std::nullopt;
    }
    std::vector<std::string> values;
    for (auto const& item : *list) {
        auto const* value = item.if_string();
        if (value == nullptr || value->empty() || value->size() > bytes_max) {
            problems_.push_back({{std::string(name), std::to_string(values.size())},
                                 fmt::format("must be a string of 1 to {} bytes", bytes_max),
                                 "string_length"});
            return std::nullopt;
        }
        values.emplace_back(*value);
    }
    keep(name, *found);
    return values;
}

void config_reader::problem(std::string_view name, std::string msg, std::string type)
{
    problems_.push_back({{std::string(name)}, std::move(msg), std::move(type)});
}

void config_reader::keep(std::string_view name, json::value value)
{
    kept_.insert_or_assign(name, std::move(value));
}

result<json::object> config_reader::finish()
{
    for (auto const& member : from_) {
        if (std::find(asked_.begin(), asked_.end(), member.key()) == asked_.end())
            problem(member.key(), "is not a member of this grader's configuration",
                    "extra_forbidden");
    }
    if (problems_.empty())
        return std::move(kept_);

    std::string detail = "the grader's configuration is not valid:";
    for (auto const& p : problems_)
        detail += fmt::format(" {} {};", fmt::join(p.loc, "."), p.msg);
    detail.pop_back();
    return fail(error{errc::invalid, std::move(detail), "grader_invalid", std::move(problems_)});
}

} // namespace assay::grading
