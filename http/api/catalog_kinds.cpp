#include "http/api/catalog_kinds.hpp"

#include "core/permissions.hpp"

#include <algorithm>
#include <array>

namespace assay::api {

namespace {

using enum member_type;

constexpr bounds points{.min = 0, .max = 1'000'000};
constexpr bounds short_text{.size_max = 2048};
constexpr bounds many_ids{.size_max = 100'000};

constexpr std::array<member, 8> eval_members{{
    {"model_ids", ids, item_kind::model, many_ids},
    {"rubric_ids", ids, item_kind::rubric},
    {"scenario_ids", ids, item_kind::scenario, many_ids},
    {"agent_ids", ids, item_kind::agent, many_ids},
    {"infinite_mode", boolean},
    {"max_repeats", integer, {}, {.min = 1, .max = 1e6}},
    {"judge_model_id", id, item_kind::model},
    {"model_rubric_ids", ids},
}};

constexpr std::array<member, 4> rubric_members{{
    {"pass_points", integer, {}, points},
    {"standard_group_ids", ids},
    {"standard_ids", ids},
    {"standard_groups", standard_groups, {}, {}, false, false},
}};

constexpr std::array<member, 9> provider_members{{
    {"value", string, {}, short_text},
    {"endpoint", string, {}, short_text},
    {"key_ids", ids, item_kind::key},
    {"requests_per_minute", integer, {}, {.min = 0, .max = 1e9}},
    {"concurrency", integer, {}, {.min = 0, .max = 100'000}},
    {"key_env", string, {}, {.size_max = 256}},
    {"key", secret, {}, {.size_min = 1, .size_max = 8192}, false, false},
    {"endpoint_ids", ids, {}, {}, false, false},
    {"value_id", id, {}, {}, false, false},
}};

constexpr std::array<member, 6> model_members{{
    {"value", string, {}, short_text},
    {"provider_id", id, item_kind::provider},
    {"modality_ids", ids},
    {"pricing_ids", ids, {}, {}, false, false},
    {"pricing", pricing},
    {"parameters", object},
}};

constexpr std::array<member, 2> key_members{{
    {"provider_id", id, item_kind::provider, {}, true},
    {"key", secret, {}, {.size_min = 1, .size_max = 8192}, true, false},
}};

constexpr std::array<member, 13> agent_members{{
    {"model_id", id, item_kind::model},
    {"tool_ids", ids},
    {"rubric_ids", ids, item_kind::rubric},
    {"prompt_id", id, {}, {}, false, false},
    {"instruction_ids", ids, {}, {}, false, false},
    {"temperature_level_ids", ids, {}, {}, false, false},
    {"reasoning_level_ids", ids, {}, {}, false, false},
    {"temperature", number, {}, {.min = 0, .max = 100}},
    {"reasoning", string, {}, {.size_max = 100}},
    {"prompt", prompt, {}, {}, false, false},
    {"instructions", texts},
    {"tools", tools},
    {"parameters", object},
}};

constexpr std::array<member, 4> scenario_members{{
    {"problem_statement", text},
    {"objectives", texts},
    {"messages", messages},
    {"expected_outcome", text},
}};

constexpr std::array<std::string_view, 4> role_words{"administrator", "instructor", "learner",
                                                     "auditor"};

constexpr std::array<member, 5> profile_members{{
    {"email", string, {}, {.size_max = 320}, false, false},
    {"email_ids", ids, {}, {}, false, false},
    {"role", string, {}, {.words = role_words}},
    {"role_id", id, {}, {}, false, false},
    {"primary_department_id", id, item_kind::department},
}};

constexpr std::array<kind_spec::filter, 1> model_filters{{{"filter_provider_ids", "provider_id"}}};
constexpr std::array<kind_spec::filter, 1> key_filters{{{"filter_provider_ids", "provider_id"}}};
constexpr std::array<kind_spec::filter, 2> agent_filters{
    {{"filter_model_ids", "model_id"}, {"filter_tool_ids", "tool_ids"}}};

constexpr std::array<kind_spec, 9> table{{
    {item_kind::eval, "eval", "evals", "eval_id", "eval_id", "id", eval_members},
    {item_kind::rubric, "rubric", "rubrics", "rubric_id", "rubric_id", "id", rubric_members},
    {item_kind::provider, "provider", "providers", "provider_id", "provider_id", "id",
     provider_members},
    {item_kind::model, "model", "models", "model_id", "model_id", "id", model_members,
     model_filters},
    {item_kind::key, "key", "keys", "key_id", "key_id", "id", key_members, key_filters, false},
    {item_kind::agent, "agent", "agents", "agent_id", "agent_id", "id", agent_members,
     agent_filters},
    {item_kind::scenario, "scenario", "scenarios", "scenario_id", "scenario_id", "id",
     scenario_members},
    {item_kind::department,
     "department",
     "departments",
     "department_id",
     "department_id",
     "id",
     {},
     {},
     false},
    {item_kind::profile, "profile", "profiles", "profile_id", "target_profile_id", "profile_id",
     profile_members},
}};

} // namespace

std::span<kind_spec const> kinds()
{
    return table;
}

kind_spec const& spec_of(item_kind kind)
{
    return *std::ranges::find(table, kind, &kind_spec::kind);
}

engine::item_draft draft_of(engine::item const& item)
{
    engine::item_draft out;
    out.id = item.row.id;
    out.name = item.row.name;
    out.active = item.row.active;
    out.departments = item.row.departments;
    out.body = item.body;
    out.texts = item.texts;
    return out;
}

std::string masked(std::string_view secret)
{
    constexpr std::size_t long_enough = 16;
    return secret.size() >= long_enough ? "..." + std::string(secret.substr(secret.size() - 4))
                                        : "...";
}

} // namespace assay::api
