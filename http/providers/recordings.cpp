#include "http/providers/recordings.hpp"

#include "core/json.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>

namespace assay::http {

namespace {

constexpr std::string_view model_mark = "{model}";

std::vector<std::string> split_path(std::string_view path)
{
    std::vector<std::string> steps;
    for (;;) {
        auto const dot = path.find('.');
        steps.emplace_back(path.substr(0, dot));
        if (dot == std::string_view::npos)
            return steps;
        path.remove_prefix(dot + 1);
    }
}

std::string name_model(std::string step, std::string_view model)
{
    if (auto const at = step.find(model_mark); at != std::string::npos)
        step.replace(at, model_mark.size(), model);
    return step;
}

json::value const* member(json::object const& object, std::string_view name)
{
    return object.if_contains({name.data(), name.size()});
}

std::optional<std::uint64_t> token_count(json::object const& parent, std::string_view name)
{
    auto const* const usage = member(parent, "usage");
    auto const* const count =
        usage && usage->is_object() ? member(usage->get_object(), name) : nullptr;
    if (count && count->is_int64() && count->get_int64() >= 0)
        return static_cast<std::uint64_t>(count->get_int64());
    return std::nullopt;
}

std::string_view view(boost::json::string const& text)
{
    return {text.data(), text.size()};
}

} // namespace

result<recordings> recordings::load(std::filesystem::path const& file,
                                    recording_fields const& fields)
{
    std::ifstream in(file, std::ios::binary);
    if (!in)
        return fail(errc::io, fmt::format("cannot read recordings {}", file.string()));
    recordings out;
    out.answer_path_ = split_path(fields.answer);
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        if (line.find_first_not_of(" \t\r") == std::string::npos)
            continue;
        if (auto const added = out.add(line, fields.question); !added)
            return fail(errc::invalid,
                        fmt::format("{}:{}: {}", file.string(), number, added.error().detail));
    }
    if (in.bad())
        return fail(errc::io, fmt::format("cannot read recordings {}", file.string()));
    if (out.by_question_.empty())
        return fail(errc::invalid, fmt::format("{}: no recordings in it", file.string()));
    return out;
}

result<void> recordings::add(std::string_view line, std::string_view question_field)
{
    ASSAY_TRY(auto const parsed, json::parse(line));
    if (!parsed.is_object())
        return fail(errc::invalid, "not an object");
    json::value const* found = &parsed;
    for (auto const& step : split_path(question_field)) {
        found = found->is_object() ? member(found->get_object(), step) : nullptr;
        if (!found)
            break;
    }
    if (!found || !found->is_string())
        return fail(errc::invalid, fmt::format("no text in '{}'", question_field));
    by_question_.try_emplace(sha256(view(found->get_string())), parsed.get_object());
    return {};
}

std::optional<recordings::answer> recordings::find(std::string_view model,
                                                   std::string_view question) const
{
    auto const row = by_question_.find(sha256(question));
    if (row == by_question_.end())
        return std::nullopt;
    auto const* parent = &row->second;
    for (std::size_t i = 0;; ++i) {
        auto const* const next = member(*parent, name_model(answer_path_[i], model));
        if (!next)
            return std::nullopt;
        if (i + 1 == answer_path_.size()) {
            if (!next->is_string())
                return std::nullopt;
            return answer{view(next->get_string()), token_count(*parent, "prompt_tokens"),
                          token_count(*parent, "completion_tokens")};
        }
        if (!next->is_object())
            return std::nullopt;
        parent = &next->get_object();
    }
}

} // namespace assay::http
