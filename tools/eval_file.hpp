#pragma once

#include "core/result.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

/// The one file that describes an evaluation for `assay run`. Explained key by key in
/// tools/README.md.
namespace assay::tools {

struct provider_spec {
    std::string name;
    std::string kind;                      ///< "openai" or "recorded"
    std::string endpoint;                  ///< base URL; of "recorded" a file URL with its fields
    std::string key_env;                   ///< environment variable that holds the key; empty: none
    std::uint32_t requests_per_minute = 0; ///< 0: no limit
    std::uint32_t concurrency = 0;         ///< 0: the runner's own bound
    std::filesystem::path recording;       ///< of "recorded": the file, absolute
};

struct model_spec {
    std::string name;
    std::string value;    ///< what the provider calls it
    std::string provider; ///< name of one of the providers
    boost::json::object parameters;
    boost::json::array pricing; ///< as the API takes it
};

struct agent_spec {
    std::string name;
    std::string system_prompt;
    std::vector<std::string> instructions;
    std::optional<double> temperature;
    std::string reasoning;
    boost::json::object parameters;
};

struct scenario_spec {
    std::string name;
    std::string question;
    std::optional<std::string> expected;
};

struct grader_spec {
    std::string name;
    std::string description;
    std::uint32_t points = 1;
    std::uint32_t pass_points = 1;
    boost::json::object config; ///< checked by core/grading
};

struct eval_file {
    std::string name;
    std::string description;
    std::vector<provider_spec> providers;
    std::vector<model_spec> models;
    std::vector<agent_spec> agents;
    std::vector<scenario_spec> scenarios;
    std::vector<grader_spec> graders;
    std::uint32_t pass_points = 0; ///< of the whole rubric
    std::uint32_t repeats = 1;
    std::uint32_t in_flight = 0; ///< calls at once; 0: the runner's own bound
};

/// Reads the file and the scenarios it refers to. Paths in it are relative to it.
///
/// @returns errc::invalid naming every problem with its line (of this file, or of the data file),
/// errc::io if a file
///          cannot be read.
[[nodiscard]] result<eval_file> read_eval_file(std::filesystem::path const& file);

/// The endpoint of a recorded provider: the file as URL with the fields of question and answer.
[[nodiscard]] std::string recording_url(std::filesystem::path const& file,
                                        std::string_view question, std::string_view answer);

/// Reads scenarios from JSON Lines: one object a line, fields by path ("a.b" is member b of member
/// a).
struct scenario_source {
    std::filesystem::path file;
    std::string question;
    std::string expected;    ///< empty: no expected answer
    std::string name;        ///< empty: numbered
    std::string prefix;      ///< of numbered names
    std::uint32_t limit = 0; ///< lines; 0: all
};

[[nodiscard]] result<std::vector<scenario_spec>> read_scenarios(scenario_source const& from);

} // namespace assay::tools
