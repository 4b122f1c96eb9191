#include "core/grading.hpp"
#include "http/api/catalog_kinds.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace assay::api {

namespace {

struct prompt_body {
    std::string system_prompt;
    std::optional<std::string> name;
    std::optional<std::string> description;

    static constexpr auto fields = std::tuple{
        field{"system_prompt", &prompt_body::system_prompt},
        field{"name", &prompt_body::name},
        field{"description", &prompt_body::description},
    };
};

struct message_body {
    std::string role;
    std::string content;

    static constexpr std::array<std::string_view, 3> roles{"system", "user", "assistant"};
    static constexpr auto fields = std::tuple{
        field{"role", &message_body::role, {.words = roles}},
        field{"content", &message_body::content},
    };
};

struct pricing_body {
    std::optional<uuid> id;
    std::string pricing_type;
    double price = 0;
    std::string unit_name;
    std::string unit_category;
    std::int64_t unit_value = 1;
    std::optional<std::string> currency;

    static constexpr auto fields = std::tuple{
        field{"id", &pricing_body::id},
        field{"pricing_type", &pricing_body::pricing_type, {.size_min = 1, .size_max = 100}},
        field{"price", &pricing_body::price, {.min = 0, .max = 1e6}},
        field{"unit_name", &pricing_body::unit_name, {.size_max = 100}},
        field{"unit_category", &pricing_body::unit_category, {.size_max = 100}},
        field{"unit_value", &pricing_body::unit_value, {.min = 1, .max = 1e9}},
        field{"currency", &pricing_body::currency, {.size_min = 3, .size_max = 3}},
    };
};

struct tool_body {
    std::optional<uuid> id;
    std::string name;
    std::optional<std::string> description;
    std::optional<json::object> parameters;

    static constexpr auto fields = std::tuple{
        field{"id", &tool_body::id},
        field{"name", &tool_body::name, {.size_min = 1, .size_max = 200}},
        field{"description", &tool_body::description},
        field{"parameters", &tool_body::parameters},
    };
};

struct standard_body {
    std::optional<uuid> id;
    std::string name;
    std::optional<std::string> description;
    std::int64_t points = 0;

    static constexpr auto fields = std::tuple{
        field{"id", &standard_body::id},
        field{"name", &standard_body::name, {.size_min = 1, .size_max = 500}},
        field{"description", &standard_body::description},
        field{"points", &standard_body::points, {.min = 0, .max = 1'000'000}},
    };
};

struct group_body {
    std::optional<uuid> id;
    std::string name;
    std::optional<std::string> description;
    std::optional<std::int64_t> points;
    std::optional<std::int64_t> pass_points;
    std::optional<std::vector<standard_body>> standards;
    std::optional<json::object> grader;

    static constexpr auto fields = std::tuple{
        field{"id", &group_body::id},
        field{"name", &group_body::name, {.size_min = 1, .size_max = 500}},
        field{"description", &group_body::description},
        field{"points", &group_body::points, {.min = 1, .max = 1'000'000}},
        field{"pass_points", &group_body::pass_points, {.min = 0, .max = 1'000'000}},
        field{"standards", &group_body::standards, {.size_max = 1000}},
        field{"grader", &group_body::grader},
    };
};

json::value of(std::string const& s)
{
    return boost::json::string(s);
}

template <class T>
json::value of(std::optional<T> const& v)
{
    return v ? of(*v) : json::value(nullptr);
}

/// Reads one member and puts it where it is kept.
struct taker {
    member const& m;
    json::value const& v;
    item_change& out;
    body_problems& bad;

    template <class T>
    [[nodiscard]] T read() const
    {
        T value{};
        read_value(v, m.limits, bad, value);
        return value;
    }

    void keep(json::value value) const { out.body[m.name] = std::move(value); }

    void refer(uuid const& id) const
    {
        if (m.refers)
            out.references.push_back({std::string(m.name), *m.refers, id});
    }

    void take_ids() const
    {
        json::array list;
        std::set<uuid> seen;
        for (auto const& id : read<std::vector<uuid>>()) {
            if (!seen.insert(id).second)
                continue;
            refer(id);
            list.emplace_back(id.text());
        }
        keep(std::move(list));
    }

    void take_text(std::string name, std::string value) const
    {
        out.texts.emplace_back(std::move(name), std::move(value));
    }

    void take_texts() const
    {
        out.replaced_texts.emplace_back(m.name);
        auto const list = read<std::vector<std::string>>();
        for (std::size_t i = 0; i < list.size(); ++i)
            take_text(fmt::format("{}[{}]", m.name, i), list[i]);
    }

    void take_messages() const
    {
        out.replaced_texts.emplace_back(m.name);
        json::array roles;
        auto const list = read<std::vector<message_body>>();
        for (std::size_t i = 0; i < list.size(); ++i) {
            roles.push_back(json::object{{"role", list[i].role}});
            take_text(fmt::format("{}[{}].content", m.name, i), list[i].content);
        }
        keep(std::move(roles));
    }

    void take_prompt() const
    {
        auto const p = read<prompt_body>();
        out.replaced_texts.emplace_back("system_prompt");
        take_text("system_prompt", p.system_prompt);
        keep(json::object{{"name", of(p.name)}, {"description", of(p.description)}});
    }

    void take_pricing() const
    {
        json::array list;
        for (auto const& p : read<std::vector<pricing_body>>()) {
            json::object entry{{"pricing_type", p.pricing_type},
                               {"price", p.price},
                               {"unit_name", p.unit_name},
                               {"unit_category", p.unit_category},
                               {"unit_value", p.unit_value}};
            if (p.id)
                entry["id"] = p.id->text();
            if (p.currency)
                entry["currency"] = *p.currency;
            list.push_back(std::move(entry));
        }
        keep(std::move(list));
    }

    void take_tools() const
    {
        json::array list;
        for (auto const& t : read<std::vector<tool_body>>()) {
            json::object entry{{"name", t.name}, {"description", of(t.description)}};
            if (t.id)
                entry["id"] = t.id->text();
            if (t.parameters)
                entry["parameters"] = *t.parameters;
            list.push_back(std::move(entry));
        }
        keep(std::move(list));
    }

    void check_grader(json::object const& config) const
    {
        if (config.empty())
            return;
        auto const parsed = grading::parse_grader(config);
        if (parsed)
            return;
        bad.enter("grader");
        bad.add("grader_invalid", parsed.error().detail);
        bad.leave();
    }

    [[nodiscard]] json::object group_of(group_body const& g) const
    {
        json::array standards;
        std::int64_t sum = 0;
        for (auto const& s : g.standards.value_or(std::vector<standard_body>())) {
            sum += s.points;
            json::object entry{
                {"name", s.name}, {"description", of(s.description)}, {"points", s.points}};
            if (s.id)
                entry["id"] = s.id->text();
            standards.push_back(std::move(entry));
        }
        auto const points = g.points.value_or(std::max<std::int64_t>(sum, 1));
        json::object out_group{{"name", g.name},
                               {"description", of(g.description)},
                               {"points", points},
                               {"pass_points", g.pass_points.value_or(points)},
                               {"standards", std::move(standards)}};
        if (g.id)
            out_group["id"] = g.id->text();
        if (g.grader)
            out_group["grader"] = *g.grader;
        if (g.pass_points.value_or(0) > points) {
            bad.enter("pass_points");
            bad.add("less_than_equal", fmt::format("must be at most the points, {}", points));
            bad.leave();
        }
        return out_group;
    }

    void take_groups() const
    {
        json::array list;
        auto const groups = read<std::vector<group_body>>();
        for (std::size_t i = 0; i < groups.size(); ++i) {
            bad.enter(i);
            if (groups[i].grader)
                check_grader(*groups[i].grader);
            list.push_back(group_of(groups[i]));
            bad.leave();
        }
        keep(std::move(list));
    }

    void take() const
    {
        switch (m.type) {
        case member_type::string: return keep(of(read<std::string>()));
        case member_type::text:
            out.replaced_texts.emplace_back(m.name);
            return take_text(std::string(m.name), read<std::string>());
        case member_type::texts: return take_texts();
        case member_type::id: {
            auto const id = read<uuid>();
            refer(id);
            return keep(of(id.text()));
        }
        case member_type::ids: return take_ids();
        case member_type::boolean: return keep(read<bool>());
        case member_type::integer: return keep(read<std::int64_t>());
        case member_type::number: return keep(read<double>());
        case member_type::object: return keep(read<json::object>());
        case member_type::secret: out.secret = read<std::string>(); return;
        case member_type::prompt: return take_prompt();
        case member_type::messages: return take_messages();
        case member_type::pricing: return take_pricing();
        case member_type::tools: return take_tools();
        case member_type::standard_groups: return take_groups();
        }
    }
};

/// A value that is there and not null; notes a missing one.
json::value const* given(json::object const& from, std::string_view name, bool required,
                         body_problems& bad)
{
    auto const* const v = from.if_contains(name);
    if (v && !v->is_null())
        return v;
    if (required) {
        bad.enter(name);
        bad.add("missing", "this field is required");
        bad.leave();
    }
    return nullptr;
}

template <class T>
void take_common(json::object const& from, std::string_view name, bool required,
                 bounds const& limits, body_problems& bad, std::optional<T>& out)
{
    auto const* const v = given(from, name, required, bad);
    if (!v)
        return;
    bad.enter(name);
    read_value(*v, limits, bad, out);
    bad.leave();
}

/// Ids of groups and standards follow from the rubric and their names, unless the request says
/// them: an update that names the same groups keeps their ids, and with them the history of their
/// scores.
void mint_group_ids(uuid const& rubric, json::object& body)
{
    auto* const groups = body.if_contains("standard_groups");
    if (!groups)
        return;
    std::set<std::string> used;
    auto const mint = [&](json::object& o, std::string const& path) {
        auto name = path;
        for (int copy = 2; !used.insert(name).second; ++copy)
            name = fmt::format("{}#{}", path, copy);
        if (!o.contains("id"))
            o["id"] = derive_uuid(rubric, name).text();
    };
    std::int64_t total = 0;
    std::int64_t pass = 0;
    json::array group_ids;
    json::array standard_ids;
    for (auto& g : groups->get_array()) {
        auto& group = g.get_object();
        auto const path = fmt::format("group/{}", std::string_view(group.at("name").get_string()));
        mint(group, path);
        group_ids.push_back(group.at("id"));
        total += group.at("points").get_int64();
        pass += group.at("pass_points").get_int64();
        for (auto& s : group.at("standards").get_array()) {
            auto& standard = s.get_object();
            mint(standard,
                 fmt::format("{}/{}", path, std::string_view(standard.at("name").get_string())));
            standard_ids.push_back(standard.at("id"));
        }
    }
    body["points"] = total;
    body.emplace("pass_points", pass);
    body["standard_group_ids"] = std::move(group_ids);
    body["standard_ids"] = std::move(standard_ids);
}

bool belongs_to(std::string_view text_field, std::string_view name)
{
    return text_field.starts_with(name) &&
           (text_field.size() == name.size() || text_field[name.size()] == '[');
}

} // namespace

item_change read_change(kind_spec const& spec, json::object const& from, bool create,
                        body_problems& bad)
{
    item_change out;
    take_common(from, create ? std::string_view("id") : spec.update_name, !create, {}, bad, out.id);
    take_common(from, "name", create, {.size_min = 1, .size_max = 500}, bad, out.name);
    take_common(from, "description", false, {.size_max = 16 * 1024}, bad, out.description);
    take_common(from, "active", false, {}, bad, out.active);
    if (spec.has_departments) {
        take_common(from, "department_ids", false, {.size_max = 1000}, bad, out.departments);
        for (auto const& d : out.departments.value_or(std::vector<uuid>()))
            out.references.push_back({"department_ids", item_kind::department, d});
    }
    for (auto const& m : spec.members) {
        auto const* const v = given(from, m.name, create && m.required, bad);
        if (!v)
            continue;
        bad.enter(m.name);
        taker{m, *v, out, bad}.take();
        bad.leave();
    }
    return out;
}

void apply(kind_spec const& spec, item_change const& change, engine::item_draft& draft)
{
    if (change.name)
        draft.name = *change.name;
    if (change.active)
        draft.active = *change.active;
    if (change.departments)
        draft.departments = *change.departments;
    if (change.description)
        draft.body["description"] = *change.description;
    for (auto const& m : change.body)
        draft.body[m.key()] = m.value();
    for (auto const& name : change.replaced_texts)
        std::erase_if(draft.texts, [&](auto const& t) { return belongs_to(t.first, name); });
    draft.texts.insert(draft.texts.end(), change.texts.begin(), change.texts.end());
    if (spec.kind == item_kind::rubric && change.body.contains("standard_groups")) {
        // New groups, new sum: an older threshold stands only if this request repeats it.
        if (!change.body.contains("pass_points"))
            draft.body.erase("pass_points");
        mint_group_ids(*draft.id, draft.body);
    }
    if (change.secret && spec.kind == item_kind::key)
        draft.body["key_masked"] = masked(*change.secret);
}

} // namespace assay::api
