#include "tools/yaml_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

namespace assay::tools {

namespace {

template <class T>
std::optional<T> read_number(std::string_view text)
{
    T value{};
    if (text.starts_with('+'))
        text.remove_prefix(1);
    auto const* const end = text.data() + text.size();
    auto const [at, ec] = std::from_chars(text.data(), end, value);
    if (text.empty() || ec != std::errc{} || at != end)
        return std::nullopt;
    return value;
}

/// A plain scalar as YAML's core schema reads it.
boost::json::value plain_json(std::string const& text)
{
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL")
        return nullptr;
    if (text == "true" || text == "True" || text == "TRUE")
        return true;
    if (text == "false" || text == "False" || text == "FALSE")
        return false;
    if (auto const whole = read_number<std::int64_t>(text))
        return *whole;
    bool const numeric = text.find_first_not_of("+-.0123456789eE") == std::string::npos;
    if (auto const real = numeric ? read_number<double>(text) : std::nullopt)
        return *real;
    return boost::json::string(text);
}

std::size_t edit_distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            auto const replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

/// What one ${...} stands for; none when the variable is not set.
std::optional<std::string> variable(std::string_view inside)
{
    auto const mark = inside.find(":-");
    std::string const name(inside.substr(0, mark));
    auto const* const value = std::getenv(name.c_str());
    if (value && (*value != '\0' || mark == std::string_view::npos))
        return value;
    if (mark != std::string_view::npos)
        return std::string(inside.substr(mark + 2));
    return std::nullopt;
}

} // namespace

std::string nearest(std::string_view word, std::set<std::string> const& candidates)
{
    std::string best;
    std::size_t distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
    for (auto const& candidate : candidates) {
        if (auto const d = edit_distance(word, candidate); d < distance) {
            distance = d;
            best = candidate;
        }
    }
    return best;
}

void yaml_problems::add(YAML::Mark at, std::string_view path, std::string_view what)
{
    lines_.emplace(at.line, path.empty() ? std::string(what) : fmt::format("{}: {}", path, what));
}

error yaml_problems::as_error() const
{
    std::string out;
    for (auto const& [line, what] : lines_)
        out += fmt::format("{}{}:{}: {}", out.empty() ? "" : "\n", file_, line + 1, what);
    return {errc::invalid, out, "bad_file"};
}

std::string yaml_text(YAML::Node const& scalar, std::string_view path, yaml_problems& problems)
{
    auto const& text = scalar.Scalar();
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        auto const rest = std::string_view(text).substr(i);
        if (rest.starts_with("$${")) {
            out += "${";
            i += 3;
            continue;
        }
        auto const end = rest.starts_with("${") ? rest.find('}') : std::string_view::npos;
        if (end == std::string_view::npos) {
            out += text[i++];
            continue;
        }
        auto const inside = rest.substr(2, end - 2);
        if (auto const value = variable(inside))
            out += *value;
        else
            problems.add(scalar.Mark(), path,
                         fmt::format("the environment variable {} is not set", inside));
        i += end + 1;
    }
    return out;
}

boost::json::value yaml_json(YAML::Node const& node, std::string const& path,
                             yaml_problems& problems)
{
    if (node.IsScalar()) {
        auto const text = yaml_text(node, path, problems);
        return node.Tag() == "!" ? boost::json::value(boost::json::string(text)) : plain_json(text);
    }
    if (node.IsSequence()) {
        boost::json::array out;
        for (std::size_t i = 0; i < node.size(); ++i)
            out.push_back(yaml_json(node[i], fmt::format("{}[{}]", path, i), problems));
        return out;
    }
    if (node.IsMap())
        return yaml_map(node, path, problems).rest();
    return nullptr;
}

yaml_map::yaml_map(YAML::Node const& node, std::string path, yaml_problems& problems)
    : path_(std::move(path)), problems_(problems), mark_(node.Mark())
{
    if (!node.IsMap()) {
        problems_.add(mark_, path_, "expected `key: value` lines");
        broken_ = true;
        return;
    }
    for (auto const& entry : node) {
        if (!entry.first.IsScalar()) {
            problems_.add(entry.first.Mark(), path_, "a key must be a word");
            continue;
        }
        auto const& key = entry.first.Scalar();
        if (!members_.emplace(key, entry.second).second)
            problems_.add(entry.first.Mark(), path_of(key), "stands here for the second time");
        key_marks_.emplace(key, entry.first.Mark());
    }
}

YAML::Mark yaml_map::mark_of(std::string const& key) const
{
    auto const found = key_marks_.find(key);
    return found == key_marks_.end() ? mark_ : found->second;
}

std::string yaml_map::path_of(std::string_view key) const
{
    return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

void yaml_map::problem(std::string const& key, std::string_view what)
{
    // What is no mapping has been said once; that each of its keys is missing says no more.
    if (!broken_)
        problems_.add(mark_of(key), path_of(key), what);
}

std::optional<YAML::Node> yaml_map::any(std::string const& key)
{
    asked_.insert(key);
    auto const found = members_.find(key);
    if (found == members_.end() || found->second.IsNull())
        return std::nullopt;
    return found->second;
}

std::optional<YAML::Node> yaml_map::scalar(std::string const& key)
{
    auto node = any(key);
    if (node && !node->IsScalar()) {
        problem(key, "expected a single value");
        return std::nullopt;
    }
    return node;
}

std::string yaml_map::text(std::string const& key)
{
    auto const node = scalar(key);
    return node ? yaml_text(*node, path_of(key), problems_) : std::string();
}

std::string yaml_map::required(std::string const& key)
{
    auto const node = any(key);
    if (!node) {
        problem(key, "is missing");
        return {};
    }
    auto out = text(key);
    if (out.empty() && node->IsScalar() && node->Scalar().empty())
        problem(key, "is empty");
    return out;
}

std::uint32_t yaml_map::count(std::string const& key, std::uint32_t fallback, std::uint32_t min,
                              std::uint32_t max)
{
    auto const node = scalar(key);
    if (!node)
        return fallback;
    auto const value = read_number<std::uint32_t>(yaml_text(*node, path_of(key), problems_));
    if (value && *value >= min && *value <= max)
        return *value;
    problem(key, fmt::format("expected a whole number of {} to {}", min, max));
    return fallback;
}

std::optional<double> yaml_map::number(std::string const& key)
{
    auto const node = scalar(key);
    if (!node)
        return std::nullopt;
    auto const value = plain_json(yaml_text(*node, path_of(key), problems_));
    if (value.is_number())
        return value.to_number<double>();
    problem(key, "expected a number");
    return std::nullopt;
}

std::vector<std::string> yaml_map::texts(std::string const& key)
{
    auto const node = any(key);
    if (!node)
        return {};
    if (node->IsScalar())
        return {yaml_text(*node, path_of(key), problems_)};
    std::vector<std::string> out;
    for (auto const& element : sequence(key)) {
        if (element.IsScalar())
            out.push_back(yaml_text(element, path_of(key), problems_));
        else
            problems_.add(element.Mark(), path_of(key), "expected a text");
    }
    return out;
}

boost::json::object yaml_map::object(std::string const& key)
{
    auto const node = any(key);
    if (!node)
        return {};
    return yaml_map(*node, path_of(key), problems_).rest();
}

std::vector<YAML::Node> yaml_map::sequence(std::string const& key)
{
    auto const node = any(key);
    if (!node)
        return {};
    if (!node->IsSequence()) {
        problem(key, "expected a list");
        return {};
    }
    return {node->begin(), node->end()};
}

boost::json::object yaml_map::rest()
{
    boost::json::object out;
    for (auto const& [key, node] : members_) {
        if (asked_.insert(key).second)
            out.emplace(key, yaml_json(node, path_of(key), problems_));
    }
    return out;
}

void yaml_map::finish()
{
    for (auto const& [key, node] : members_) {
        if (asked_.contains(key))
            continue;
        auto const meant = nearest(key, asked_);
        problem(key,
                meant.empty()
                    ? "is not a key that is known here"
                    : fmt::format("is not a key that is known here; did you mean '{}'?", meant));
    }
}

} // namespace assay::tools
