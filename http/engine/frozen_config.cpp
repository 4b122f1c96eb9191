#include "http/engine/frozen_config.hpp"

#include "core/json.hpp"
#include "events/blobs.hpp"

namespace assay::engine {

namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

/// What a model is for the answer it gives: not its name or id here, nor what it costs.
object essence(frozen_model const& model)
{
    return {{"value", model.value},
            {"kind", model.provider.kind},
            {"endpoint", model.provider.endpoint},
            {"parameters", model.parameters}};
}

object essence(frozen_agent const& agent)
{
    array instructions;
    for (auto const& text : agent.instructions)
        instructions.emplace_back(text);
    return {{"system_prompt", agent.system_prompt},
            {"instructions", std::move(instructions)},
            {"parameters", agent.parameters}};
}

object essence(frozen_rubric const& rubric)
{
    array standards;
    for (auto const& s : rubric.standards)
        standards.push_back(object{{"name", s.name},
                                   {"description", s.description},
                                   {"points", s.points},
                                   {"pass_points", s.pass_points},
                                   {"grader", s.grader}});
    return {{"total_points", rubric.total_points},
            {"pass_points", rubric.pass_points},
            {"standards", std::move(standards)}};
}

} // namespace

digest case_hash(events::workspace_keys const& keys,
                 std::vector<event::call_message> const& messages,
                 std::optional<content> const& expected)
{
    array turns;
    for (auto const& m : messages)
        turns.push_back(array{value(m.role), value(m.text.address.hex())});
    object const whole{{"messages", std::move(turns)},
                       {"expected", expected ? value(expected->address.hex()) : value()}};
    return events::keyed_hash(keys, "case", json::canonical(whole));
}

digest cell_hash(events::workspace_keys const& keys, digest const& case_hash,
                 frozen_model const& model, frozen_agent const& agent, std::uint32_t repeat)
{
    object const whole{{"case", case_hash.hex()},
                       {"model", essence(model)},
                       {"agent", essence(agent)},
                       {"repeat", repeat}};
    return events::keyed_hash(keys, "cell", json::canonical(whole));
}

digest config_hash(events::workspace_keys const& keys, frozen_config const& config,
                   std::vector<digest> const& case_hashes, std::uint32_t repeats)
{
    std::string cases;
    for (auto const& h : case_hashes)
        cases.append(h.raw());
    array models;
    for (auto const& m : config.models)
        models.emplace_back(essence(m));
    array agents;
    for (auto const& a : config.agents)
        agents.emplace_back(essence(a));
    object const whole{{"models", std::move(models)},
                       {"agents", std::move(agents)},
                       {"rubric", config.rubric ? value(essence(*config.rubric)) : value()},
                       {"cases", sha256(cases).hex()},
                       {"repeats", repeats}};
    return events::keyed_hash(keys, "config", json::canonical(whole));
}

} // namespace assay::engine
