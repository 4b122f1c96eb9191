#include "core/grading.hpp"
#include "core/json.hpp"
#include "http/engine/caches.hpp"
#include "http/engine/engine.hpp"
#include "projections/open_cells.hpp"

#include <fmt/format.h>

#include <cmath>

namespace assay::engine {

namespace {

using boost::json::object;
using boost::json::value;

std::string text_member(object const& o, std::string_view name)
{
    auto const* const v = o.if_contains(name);
    return v && v->is_string() ? std::string(v->get_string()) : std::string{};
}

std::uint32_t count_member(object const& o, std::string_view name, std::uint32_t otherwise)
{
    auto const* const v = o.if_contains(name);
    if (!v)
        return otherwise;
    return codec::read<std::uint32_t>(*v).value_or(otherwise);
}

object object_member(object const& o, std::string_view name)
{
    auto const* const v = o.if_contains(name);
    return v && v->is_object() ? v->get_object() : object{};
}

std::vector<uuid> ids_member(object const& o, std::string_view name)
{
    auto const* const v = o.if_contains(name);
    if (!v)
        return {};
    return codec::read<std::vector<uuid>>(*v).value_or(std::vector<uuid>{});
}

std::optional<uuid> id_member(object const& o, std::string_view name)
{
    return uuid::parse(text_member(o, name));
}

std::unexpected<error> refuse(std::string detail, std::string reason)
{
    error e{errc::invalid, detail, std::move(reason)};
    e.fields.push_back({{"body", "eval_id"}, std::move(detail), "value_error"});
    return std::unexpected(std::move(e));
}

result<item> active_item(engine const& e, projections::reader const& views, uuid const& workspace,
                         item_kind kind, uuid const& id)
{
    ASSAY_TRY(auto found, e.read_item(views, workspace, kind, id));
    if (!found.row.active)
        return refuse(fmt::format("{} {} is not active", codec::enum_name(kind), found.row.name),
                      "item_inactive");
    return found;
}

/// "$0.15 per 1M tokens" as pico-units of the currency per unit.
std::vector<frozen_price> prices_of(object const& body)
{
    std::vector<frozen_price> out;
    auto const* const list = body.if_contains("pricing");
    if (!list || !list->is_array())
        return out;
    for (auto const& entry : list->get_array()) {
        auto const* const p = entry.if_object();
        auto const* const price = p ? p->if_contains("price") : nullptr;
        if (!price || !price->is_number())
            continue;
        frozen_price f;
        f.type = text_member(*p, "pricing_type");
        f.pico_per_unit = std::llround(price->to_number<double>() * 1e12);
        f.unit = std::max<std::uint32_t>(1, count_member(*p, "unit_value", 1));
        f.currency = text_member(*p, "currency");
        if (f.currency.empty())
            f.currency = "USD";
        out.push_back(std::move(f));
    }
    return out;
}

result<frozen_provider> freeze_provider(engine const& e, projections::reader const& views,
                                        uuid const& workspace, uuid const& id)
{
    ASSAY_TRY(auto found, active_item(e, views, workspace, item_kind::provider, id));
    frozen_provider p;
    p.id = id;
    p.name = found.row.name;
    p.kind = text_member(found.body, "value");
    p.endpoint = text_member(found.body, "endpoint");
    auto const keys = ids_member(found.body, "key_ids");
    if (!keys.empty())
        p.key = keys.front();
    p.key_env = text_member(found.body, "key_env");
    p.requests_per_minute = count_member(found.body, "requests_per_minute", 0);
    p.concurrency = count_member(found.body, "concurrency", 0);
    return p;
}

result<frozen_model> freeze_model(engine const& e, projections::reader const& views,
                                  uuid const& workspace, uuid const& id)
{
    ASSAY_TRY(auto found, active_item(e, views, workspace, item_kind::model, id));
    auto const provider = id_member(found.body, "provider_id");
    if (!provider)
        return refuse(fmt::format("model {} has no provider", found.row.name),
                      "model_without_provider");
    frozen_model m;
    m.id = id;
    m.name = found.row.name;
    m.value = text_member(found.body, "value");
    if (m.value.empty())
        m.value = m.name;
    m.parameters = object_member(found.body, "parameters");
    m.prices = prices_of(found.body);
    ASSAY_TRY(m.provider, freeze_provider(e, views, workspace, *provider));
    return m;
}

result<frozen_agent> freeze_agent(engine const& e, projections::reader const& views,
                                  uuid const& workspace, uuid const& id)
{
    ASSAY_TRY(auto found, active_item(e, views, workspace, item_kind::agent, id));
    frozen_agent a;
    a.id = id;
    a.name = found.row.name;
    for (auto& [field, text] : found.texts) {
        if (field == "system_prompt")
            a.system_prompt = std::move(text);
        else if (field.starts_with("instructions["))
            a.instructions.push_back(std::move(text));
    }
    a.parameters = object_member(found.body, "parameters");
    if (auto const* const t = found.body.if_contains("temperature"); t && t->is_number())
        a.parameters["temperature"] = *t;
    if (auto const effort = text_member(found.body, "reasoning"); !effort.empty())
        a.parameters["reasoning_effort"] = effort;
    return a;
}

result<frozen_rubric> freeze_rubric(engine const& e, projections::reader const& views,
                                    uuid const& workspace, uuid const& id)
{
    ASSAY_TRY(auto found, active_item(e, views, workspace, item_kind::rubric, id));
    frozen_rubric r;
    r.id = id;
    r.name = found.row.name;
    std::uint32_t total = 0;
    std::uint32_t pass = 0;
    auto const* const groups = found.body.if_contains("standard_groups");
    if (groups && groups->is_array()) {
        for (auto const& entry : groups->get_array()) {
            auto const* const g = entry.if_object();
            if (!g)
                continue;
            frozen_standard s;
            s.id = id_member(*g, "id").value_or(uuid{});
            s.name = text_member(*g, "name");
            s.description = text_member(*g, "description");
            s.points = count_member(*g, "points", 1);
            s.pass_points = count_member(*g, "pass_points", s.points);
            s.grader = object_member(*g, "grader");
            if (!s.grader.empty()) {
                if (auto const parsed = grading::parse_grader(s.grader); !parsed)
                    return refuse(fmt::format("rubric {}, group {}: {}", r.name, s.name,
                                              parsed.error().detail),
                                  "grader_invalid");
            }
            total += s.points;
            pass += s.pass_points;
            r.standards.push_back(std::move(s));
        }
    }
    r.total_points = count_member(found.body, "points", total);
    r.pass_points = count_member(found.body, "pass_points", pass);
    return r;
}

/// What a scenario says: its messages, else its problem statement as one message of the user.
result<frozen_scenario> freeze_scenario(projections::item_row const& row,
                                        events::workspace_keys const& keys)
{
    frozen_scenario s;
    s.id = row.id;
    s.name = row.name;
    auto const sealed = [&row](std::string const& field) -> content const* {
        for (auto const& t : row.texts) {
            if (t.field == field)
                return &t.text;
        }
        return nullptr;
    };
    auto const body = projections::item_body(row);
    if (auto const* const list = body.if_contains("messages"); list && list->is_array()) {
        for (std::size_t i = 0; i < list->get_array().size(); ++i) {
            auto const* const m = list->get_array()[i].if_object();
            auto const* const text = sealed(fmt::format("messages[{}].content", i));
            if (m && text)
                s.messages.push_back({text_member(*m, "role"), *text});
        }
    }
    if (s.messages.empty()) {
        if (auto const* const problem = sealed("problem_statement"))
            s.messages.push_back({"user", *problem});
    }
    if (s.messages.empty())
        return refuse(
            fmt::format("scenario {} has neither messages nor a problem statement", row.name),
            "scenario_empty");
    if (auto const* const expected = sealed("expected_outcome"))
        s.expected = *expected;
    s.case_hash = case_hash(keys, s.messages, s.expected);
    return s;
}

/// How many repeats an infinite test may come to; none: the test is not infinite.
result<std::optional<std::uint32_t>> end_of_repeats(start_request const& request,
                                                    json::object const& eval)
{
    auto const* const mode = eval.if_contains("infinite_mode");
    if (!request.infinite.value_or(mode && mode->is_bool() && mode->get_bool()))
        return std::optional<std::uint32_t>();
    auto const end = request.max_repeats.value_or(count_member(eval, "max_repeats", 0));
    if (end >= request.repeats)
        return std::optional(end);
    error e{errc::invalid, "an infinite test needs max_repeats, not less than repeats",
            "max_repeats_missing"};
    e.fields.push_back({{"body", "max_repeats"}, e.detail, "missing"});
    return std::unexpected(std::move(e));
}

} // namespace

result<prepared_start> engine::prepare_start(caller const& who, start_request const& request) const
{
    auto const views = read();
    ASSAY_TRY(auto keys, vault_->keys_of(who.workspace));
    ASSAY_TRY(auto eval, active_item(*this, *views, who.workspace, item_kind::eval, request.eval));
    if (request.repeats == 0 || request.repeats > 1000)
        return refuse("repeats must be from 1 to 1000", "repeats_range");
    ASSAY_TRY(auto const max_repeats, end_of_repeats(request, eval.body));

    frozen_config config;
    config.reuse = request.reuse;
    for (auto const& id : request.models.value_or(ids_member(eval.body, "model_ids"))) {
        ASSAY_TRY(auto model, freeze_model(*this, *views, who.workspace, id));
        config.models.push_back(std::move(model));
    }
    for (auto const& id : request.agents.value_or(ids_member(eval.body, "agent_ids"))) {
        ASSAY_TRY(auto agent, freeze_agent(*this, *views, who.workspace, id));
        config.agents.push_back(std::move(agent));
    }
    if (config.agents.empty()) {
        frozen_agent plain;
        plain.id = derive_uuid(request.eval, "plain agent");
        plain.name = "plain";
        config.agents.push_back(std::move(plain));
    }
    if (auto const rubrics = ids_member(eval.body, "rubric_ids"); !rubrics.empty()) {
        ASSAY_TRY(config.rubric, freeze_rubric(*this, *views, who.workspace, rubrics.front()));
    }

    command::start_test start;
    auto& started = start.started;
    events::blob_list blobs;
    std::vector<digest> cases;
    std::vector<frozen_scenario> chunk;
    auto const scenario_ids = request.scenarios.value_or(ids_member(eval.body, "scenario_ids"));
    if (scenario_ids.size() > scenarios_max)
        return refuse(fmt::format("a test has at most {} scenarios", scenarios_max),
                      "too_many_scenarios");
    for (auto const& id : scenario_ids) {
        ASSAY_TRY(auto row, projections::get_item(*views, who.workspace, item_kind::scenario, id));
        if (!row.active)
            return refuse(fmt::format("scenario {} is not active", row.name), "item_inactive");
        ASSAY_TRY(auto scenario, freeze_scenario(row, *keys));
        cases.push_back(scenario.case_hash);
        chunk.push_back(std::move(scenario));
        if (chunk.size() == scenario_chunk || cases.size() == scenario_ids.size()) {
            started.scenario_chunks.push_back(events::seal(*keys, codec::to_json(chunk), blobs));
            chunk.clear();
        }
    }
    config.scenarios = static_cast<std::uint32_t>(cases.size());
    // An infinite test has in the end the cells that one of `max_repeats` has.
    started.config_hash = config_hash(*keys, config, cases, max_repeats.value_or(request.repeats));

    if (request.resume) {
        ASSAY_TRY(auto same,
                  projections::find_tests_by_config(*views, who.workspace, started.config_hash));
        for (auto const& test : same) {
            ASSAY_TRY(auto open, projections::get_open_test(*views, test));
            if (open && open->phase == test_phase::running && open->drive == request.drive)
                return prepared_start{test, {}};
        }
    }

    started.config = events::seal(*keys, codec::to_json(config), blobs);
    started.eval = request.eval;
    started.eval_name = eval.row.name;
    started.name = request.name.empty() ? eval.row.name : request.name;
    for (auto const& m : config.models)
        started.models.push_back({m.id, m.name});
    for (auto const& a : config.agents)
        started.agents.push_back({a.id, a.name});
    started.scenarios = config.scenarios;
    started.repeats = request.repeats;
    started.drive = request.drive;
    started.infinite = max_repeats.has_value();
    started.max_repeats = max_repeats;
    started.departments = eval.row.departments;
    if (config.rubric) {
        started.rubric = named{config.rubric->id, config.rubric->name};
        started.total_points = config.rubric->total_points;
        started.pass_points = config.rubric->pass_points;
        for (auto const& s : config.rubric->standards)
            started.standards.push_back({s.id, s.name, s.points, s.pass_points});
    }
    ASSAY_TRY(auto command, command_id(who, "test.start"));
    start.test = grid_id::test_id(derive_uuid(command, "test"));
    ASSAY_TRY(auto p, prepare(who, "test.start", std::move(start)));
    p.blobs = std::move(blobs);
    return prepared_start{std::nullopt, std::move(p)};
}

result<std::shared_ptr<frozen_config const>>
engine::config_of(projections::test_row const& test) const
{
    auto const& ref = test.started.config;
    if (auto const known = caches_->configs.find(ref.address))
        return known;
    ASSAY_TRY(auto json, text(test.workspace, ref));
    ASSAY_TRY(auto config, codec::from_json<frozen_config>(json));
    auto shared = std::make_shared<frozen_config const>(std::move(config));
    caches_->configs.put(ref.address, shared);
    return shared;
}

result<std::shared_ptr<std::vector<frozen_scenario> const>>
engine::scenarios_of(projections::test_row const& test, std::uint32_t chunk) const
{
    if (chunk >= test.started.scenario_chunks.size())
        return fail(errc::not_found, "the test has no such scenario", "scenario_not_found");
    auto const& ref = test.started.scenario_chunks[chunk];
    if (auto const known = caches_->chunks.find(ref.address))
        return known;
    ASSAY_TRY(auto json, text(test.workspace, ref));
    ASSAY_TRY(auto scenarios, codec::from_json<std::vector<frozen_scenario>>(json));
    auto shared = std::make_shared<std::vector<frozen_scenario> const>(std::move(scenarios));
    caches_->chunks.put(ref.address, shared);
    return shared;
}

result<frozen_scenario> engine::scenario_of(projections::test_row const& test,
                                            std::uint32_t number) const
{
    ASSAY_TRY(auto chunk, scenarios_of(test, number / scenario_chunk));
    auto const at = number % scenario_chunk;
    if (at >= chunk->size())
        return fail(errc::not_found, "the test has no such scenario", "scenario_not_found");
    return (*chunk)[at];
}

} // namespace assay::engine
