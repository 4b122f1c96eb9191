#include "tools/upload.hpp"

#include "tools/json_fields.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace assay::tools {

namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr std::size_t create_items_max = 200;
constexpr std::size_t create_bytes_max = 512 << 10; // half of what a server takes in one body
constexpr std::size_t search_page = 1000;

/// How a row shows what a request asks for under another name.
object as_row(object wanted)
{
    if (auto const* const prompt = wanted.if_contains("prompt")) {
        wanted["system_prompt"] = prompt->at("system_prompt");
        wanted.erase("prompt");
    }
    if (auto const* const endpoint = wanted.if_contains("endpoint")) {
        wanted["base_url"] = *endpoint;
        wanted.erase("endpoint");
    }
    return wanted;
}

/// One kind of catalog item through the API.
class catalog {
public:
    catalog(api::api_client& to, std::string kind) : to_(to), kind_(std::move(kind)) {}

    /// Every active item whose name matches `search`, by name.
    result<std::multimap<std::string, object>> search(std::string const& text)
    {
        std::multimap<std::string, object> out;
        for (std::size_t offset = 0;; offset += search_page) {
            ASSAY_TRY(auto const answer, call("search", object{{"search", text},
                                                               {"page_size", search_page},
                                                               {"page_offset", offset}}));
            auto const& rows = array_at(answer, kind_ + "s");
            for (auto const& row : rows) {
                if (auto const* const o = row.if_object(); o && !flag_at(*o, "is_inactive"))
                    out.emplace(text_at(*o, "name"), *o);
            }
            if (rows.empty() || offset + rows.size() >= count_at(answer, "total_count"))
                return out;
        }
    }

    result<object> get(std::string const& id)
    {
        ASSAY_TRY(auto const answer, call("get", object{{"id", id}}));
        return object_at(answer, kind_);
    }

    [[nodiscard]] std::string id_of(object const& row) const { return text_at(row, kind_ + "_id"); }

    /// Creates items, as many a request as it takes. @returns their ids in order.
    result<std::vector<std::string>> create(std::vector<object> const& items)
    {
        std::vector<std::string> out;
        for (std::size_t from = 0; from < items.size();) {
            array batch;
            std::size_t bytes = 0;
            auto const size_of = [&](std::size_t i) {
                return boost::json::serialize(items[i]).size();
            };
            for (auto i = from; i < items.size() && batch.size() < create_items_max; ++i) {
                bytes += size_of(i);
                if (!batch.empty() && bytes > create_bytes_max)
                    break;
                batch.push_back(items[i]);
            }
            auto const count = batch.size();
            ASSAY_TRY(auto const answer, call("create", object{{kind_ + "s", std::move(batch)}}));
            ASSAY_CHECK(take_ids(answer, items, from, count, out));
            from += count;
        }
        return out;
    }

    /// The item with this name and content, made if there is none. `created` counts.
    result<std::string> ensure(object const& wanted, std::size_t& created)
    {
        auto const name = text_at(wanted, "name");
        ASSAY_TRY(auto const found, search(name));
        auto const [first, last] = found.equal_range(name);
        for (auto i = first; i != last; ++i) {
            ASSAY_TRY(auto const whole, get(id_of(i->second)));
            if (covers(whole, as_row(wanted)))
                return id_of(whole);
        }
        ASSAY_TRY(auto const ids, create({wanted}));
        ++created;
        return ids.front();
    }

private:
    result<object> call(std::string_view operation, object const& body)
    {
        auto answer = to_.call("POST", fmt::format("/{}/{}", kind_, operation), body);
        if (!answer)
            return std::unexpected(std::move(answer.error()));
        if (!answer->is_object())
            return fail(errc::malformed,
                        fmt::format("/{}/{} answered no object", kind_, operation));
        return std::move(answer->get_object());
    }

    result<void> take_ids(object const& answer, std::vector<object> const& items, std::size_t from,
                          std::size_t count, std::vector<std::string>& out) const
    {
        auto const& results = array_at(answer, "results");
        if (results.size() != count)
            return fail(errc::malformed, fmt::format("/{}/create answered {} results for {} items",
                                                     kind_, results.size(), count));
        for (std::size_t i = 0; i < count; ++i) {
            auto const* const one = results[i].if_object();
            auto id =
                one && flag_at(*one, "success") ? text_at(*one, kind_ + "_id") : std::string();
            if (id.empty())
                return fail(errc::invalid,
                            fmt::format("{} '{}' was refused: {}", kind_,
                                        text_at(items[from + i], "name"),
                                        one ? text_at(*one, "message") : "no reason given"));
            out.push_back(std::move(id));
        }
        return {};
    }

    api::api_client& to_;
    std::string const kind_;
};

array ids(std::vector<std::string> const& from)
{
    return array(from.begin(), from.end());
}

object wanted_provider(provider_spec const& p)
{
    object o{{"name", p.name}, {"value", p.kind}, {"endpoint", p.endpoint}};
    if (!p.key_env.empty())
        o["key_env"] = p.key_env;
    if (p.requests_per_minute > 0)
        o["requests_per_minute"] = p.requests_per_minute;
    if (p.concurrency > 0)
        o["concurrency"] = p.concurrency;
    return o;
}

object wanted_model(model_spec const& m, std::string const& provider_id)
{
    object o{{"name", m.name}, {"value", m.value}, {"provider_id", provider_id}};
    if (!m.parameters.empty())
        o["parameters"] = m.parameters;
    if (!m.pricing.empty())
        o["pricing"] = m.pricing;
    return o;
}

object wanted_agent(agent_spec const& a)
{
    object o{{"name", a.name}};
    if (!a.system_prompt.empty())
        o["prompt"] = object{{"system_prompt", a.system_prompt}};
    if (!a.instructions.empty())
        o["instructions"] = ids(a.instructions);
    if (a.temperature)
        o["temperature"] = *a.temperature;
    if (!a.reasoning.empty())
        o["reasoning"] = a.reasoning;
    if (!a.parameters.empty())
        o["parameters"] = a.parameters;
    return o;
}

object wanted_rubric(eval_file const& file)
{
    array groups;
    for (auto const& g : file.graders) {
        object group{{"name", g.name},
                     {"points", g.points},
                     {"pass_points", g.pass_points},
                     {"grader", g.config}};
        if (!g.description.empty())
            group["description"] = g.description;
        groups.push_back(std::move(group));
    }
    return {{"name", file.name},
            {"pass_points", file.pass_points},
            {"standard_groups", std::move(groups)}};
}

object wanted_scenario(scenario_spec const& s)
{
    object o{{"name", s.name},
             {"messages", array{object{{"role", "user"}, {"content", s.question}}}}};
    if (s.expected)
        o["expected_outcome"] = *s.expected;
    return o;
}

/// Part of every scenario's name, so that one search finds those that are there.
std::string common_prefix(std::vector<scenario_spec> const& all)
{
    auto out = all.front().name;
    for (auto const& s : all) {
        auto const [a, b] = std::ranges::mismatch(out, s.name);
        out.erase(a, out.end());
    }
    // A character of several bytes must not be cut.
    while (!out.empty() && (static_cast<unsigned char>(out.back()) & 0x80))
        out.pop_back();
    return out;
}

result<std::vector<std::string>>
ensure_scenarios(api::api_client& to, std::vector<scenario_spec> const& all, std::size_t& created)
{
    catalog scenarios(to, "scenario");
    ASSAY_TRY(auto found, scenarios.search(common_prefix(all)));
    std::vector<std::string> out(all.size());
    std::vector<object> missing;
    std::vector<std::size_t> missing_at;
    for (std::size_t i = 0; i < all.size(); ++i) {
        auto wanted = wanted_scenario(all[i]);
        auto const [first, last] = found.equal_range(all[i].name);
        auto const there =
            std::find_if(first, last, [&](auto const& row) { return covers(row.second, wanted); });
        if (there != last) {
            out[i] = scenarios.id_of(there->second);
            found.erase(there); // two equal lines of a file are two scenarios
        } else {
            missing.push_back(std::move(wanted));
            missing_at.push_back(i);
        }
    }
    ASSAY_TRY(auto const made, scenarios.create(missing));
    for (std::size_t i = 0; i < made.size(); ++i)
        out[missing_at[i]] = made[i];
    created += made.size();
    return out;
}

} // namespace

result<uploaded> upload(api::api_client& to, eval_file const& file)
{
    uploaded out;
    std::map<std::string, std::string> provider_ids;
    for (auto const& p : file.providers) {
        ASSAY_TRY(provider_ids[p.name],
                  catalog(to, "provider").ensure(wanted_provider(p), out.created));
    }
    std::vector<std::string> model_ids;
    for (auto const& m : file.models) {
        ASSAY_TRY(
            auto id,
            catalog(to, "model").ensure(wanted_model(m, provider_ids[m.provider]), out.created));
        model_ids.push_back(std::move(id));
    }
    std::vector<std::string> agent_ids;
    for (auto const& a : file.agents) {
        ASSAY_TRY(auto id, catalog(to, "agent").ensure(wanted_agent(a), out.created));
        agent_ids.push_back(std::move(id));
    }
    ASSAY_TRY(auto const rubric_id, catalog(to, "rubric").ensure(wanted_rubric(file), out.created));
    ASSAY_TRY(out.scenario_ids, ensure_scenarios(to, file.scenarios, out.created));

    object eval{{"name", file.name},
                {"model_ids", ids(model_ids)},
                {"agent_ids", ids(agent_ids)},
                {"rubric_ids", array{value(rubric_id)}},
                {"scenario_ids", ids(out.scenario_ids)}};
    if (!file.description.empty())
        eval["description"] = file.description;
    ASSAY_TRY(out.eval_id, catalog(to, "eval").ensure(eval, out.created));
    return out;
}

} // namespace assay::tools
