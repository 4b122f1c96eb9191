#pragma once

#include "core/result.hpp"

#include <boost/json.hpp>
#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// Strict reading of a YAML file: everything that is wrong is collected, each with its line, and
/// what nobody asked for is wrong, too.
namespace assay::tools {

/// What is wrong with a file.
class yaml_problems {
public:
    explicit yaml_problems(std::string file) : file_(std::move(file)) {}

    /// Notes a problem at `at`; `path` says where in the structure, empty for the whole.
    void add(YAML::Mark at, std::string_view path, std::string_view what);

    [[nodiscard]] bool empty() const { return lines_.empty(); }

    /// errc::invalid with one line a problem, in the order of the file: "eval.yaml:12:
    /// models[0].name: ...".
    [[nodiscard]] error as_error() const;

private:
    std::string const file_;
    std::multimap<int, std::string> lines_;
};

/// A scalar as text. ${NAME} stands for the environment variable, ${NAME:-text} for it or `text`
/// when it is not set, $${ for
/// ${ itself. A variable that is not set is a problem.
[[nodiscard]] std::string yaml_text(YAML::Node const& scalar, std::string_view path,
                                    yaml_problems& problems);

/// A node as JSON. Plain scalars are numbers, booleans and null where YAML's core schema (1.2,
/// §10.3.2) says so; quoted ones are strings.
[[nodiscard]] boost::json::value yaml_json(YAML::Node const& node, std::string const& path,
                                           yaml_problems& problems);

/// A mapping whose keys are taken one by one.
class yaml_map {
public:
    /// `path` names it in problems: empty for the file itself.
    yaml_map(YAML::Node const& node, std::string path, yaml_problems& problems);

    [[nodiscard]] bool has(std::string const& key) const { return members_.contains(key); }

    [[nodiscard]] YAML::Mark mark() const { return mark_; }

    [[nodiscard]] YAML::Mark mark_of(std::string const& key) const;
    [[nodiscard]] std::string path_of(std::string_view key) const;

    /// A text; empty when the key is absent.
    [[nodiscard]] std::string text(std::string const& key);

    /// A text that must be there and not be empty.
    [[nodiscard]] std::string required(std::string const& key);

    /// A whole number of `min` to `max`.
    [[nodiscard]] std::uint32_t count(std::string const& key, std::uint32_t fallback,
                                      std::uint32_t min, std::uint32_t max);

    [[nodiscard]] std::optional<double> number(std::string const& key);

    /// A sequence of texts; a single text counts as one.
    [[nodiscard]] std::vector<std::string> texts(std::string const& key);

    /// A mapping as JSON; empty when absent.
    [[nodiscard]] boost::json::object object(std::string const& key);

    /// The elements of a sequence; none when the key is absent.
    [[nodiscard]] std::vector<YAML::Node> sequence(std::string const& key);

    /// The node as it is; none when absent.
    [[nodiscard]] std::optional<YAML::Node> any(std::string const& key);

    /// Everything that was not asked for, as JSON: for keys that another reader knows.
    [[nodiscard]] boost::json::object rest();

    void problem(std::string const& key, std::string_view what);

    /// Notes every key that was not asked for, with the nearest one that exists.
    void finish();

private:
    [[nodiscard]] std::optional<YAML::Node> scalar(std::string const& key);

    std::string const path_;
    yaml_problems& problems_;
    YAML::Mark mark_;
    std::map<std::string, YAML::Node> members_;
    std::map<std::string, YAML::Mark> key_marks_;
    std::set<std::string> asked_;
    bool broken_ = false;
};

/// The candidate that `word` is most likely a misspelling of; empty when none is near.
[[nodiscard]] std::string nearest(std::string_view word, std::set<std::string> const& candidates);

} // namespace assay::tools
