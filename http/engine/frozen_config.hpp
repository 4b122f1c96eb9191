#pragma once

#include "core/codec.hpp"
#include "core/domain/event.hpp"
#include "core/result.hpp"
#include "events/vault.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// A test's configuration as it was at its start: what a later edit of the catalog can never change.
///
/// It stands, sealed, behind `test_started::config`; the scenarios, which may be many, in chunks of `scenario_chunk`
/// behind `test_started::scenario_chunks`, so that a page of cells reads one chunk.
namespace assay::engine {

constexpr std::uint32_t scenario_chunk = 64;

/// What a token costs. The smallest unit is 10^-12 of the currency.
struct frozen_price {
    std::string type; ///< "input_tokens", "output_tokens", "cached_input_tokens"
    std::int64_t pico_per_unit = 0;
    std::uint64_t unit = 1; ///< tokens in a unit, e.g. 1000000
    std::string currency;
};
BOOST_DESCRIBE_STRUCT(frozen_price, (), (type, pico_per_unit, unit, currency))

struct frozen_provider {
    uuid id;
    std::string name;
    std::string kind;        ///< "openai" or "recorded"
    std::string endpoint;    ///< base URL; of "recorded" a file URL, see http/providers
    std::optional<uuid> key; ///< id in the vault
    std::string key_env;     ///< or the name of an environment variable; empty: none
    std::uint32_t requests_per_minute = 0; ///< 0: no limit
    std::uint32_t concurrency = 0;         ///< calls at once; 0: the runner's own bound
};
BOOST_DESCRIBE_STRUCT(frozen_provider, (),
                      (id, name, kind, endpoint, key, key_env, requests_per_minute, concurrency))

struct frozen_model {
    uuid id;
    std::string name;
    std::string value; ///< what the provider calls it
    frozen_provider provider;
    boost::json::object parameters; ///< sent with every call
    std::vector<frozen_price> prices;
};
BOOST_DESCRIBE_STRUCT(frozen_model, (), (id, name, value, provider, parameters, prices))

struct frozen_agent {
    uuid id;
    std::string name;
    std::string system_prompt;             ///< empty: no system message is sent
    std::vector<std::string> instructions; ///< appended to the system message, one paragraph each
    boost::json::object parameters;        ///< over the model's
};
BOOST_DESCRIBE_STRUCT(frozen_agent, (), (id, name, system_prompt, instructions, parameters))

struct frozen_standard {
    uuid id;
    std::string name;
    std::string description;
    std::uint32_t points = 1;
    std::uint32_t pass_points = 1;
    boost::json::object grader; ///< core/grading.hpp; empty: graded by a person
};
BOOST_DESCRIBE_STRUCT(frozen_standard, (), (id, name, description, points, pass_points, grader))

struct frozen_rubric {
    uuid id;
    std::string name;
    std::uint32_t total_points = 1;
    std::uint32_t pass_points = 1;
    std::vector<frozen_standard> standards;
};
BOOST_DESCRIBE_STRUCT(frozen_rubric, (), (id, name, total_points, pass_points, standards))

struct frozen_scenario {
    uuid id;
    std::string name;
    digest case_hash; ///< identity by content: what two runs are paired by
    std::vector<event::call_message> messages;
    std::optional<content> expected;
};
BOOST_DESCRIBE_STRUCT(frozen_scenario, (), (id, name, case_hash, messages, expected))

struct frozen_config {
    std::vector<frozen_model> models;
    std::vector<frozen_agent> agents;
    std::optional<frozen_rubric> rubric;
    std::uint32_t scenarios = 0;
    bool reuse = false; ///< recorded answers of the same cell hash are taken instead of calls
};
BOOST_DESCRIBE_STRUCT(frozen_config, (), (models, agents, rubric, scenarios, reuse))

/// Identity of a case by its content alone: messages and expected answer.
[[nodiscard]] digest case_hash(events::workspace_keys const& keys,
                               std::vector<event::call_message> const& messages,
                               std::optional<content> const& expected);

/// Identity of a cell by content: case, model, agent, parameters, repeat. What resume, reuse and dedup key on; never a
/// position in a list.
[[nodiscard]] digest cell_hash(events::workspace_keys const& keys, digest const& case_hash,
                               frozen_model const& model, frozen_agent const& agent,
                               std::uint32_t repeat);

/// Identity of a whole configuration: what would be asked and how it would be graded, without ids, names and times.
[[nodiscard]] digest config_hash(events::workspace_keys const& keys, frozen_config const& config,
                                 std::vector<digest> const& case_hashes, std::uint32_t repeats);

} // namespace assay::engine
