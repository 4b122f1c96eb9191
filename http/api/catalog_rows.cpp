#include "http/api/catalog_rows.hpp"

#include <algorithm>
#include <cmath>

namespace assay::api {

namespace {

/// Items of one kind that are looked through for what uses what.
constexpr std::uint64_t looked_through_max = 10'000;

json::value const* body_member(engine::item const& item, std::string_view name)
{
    auto const* const v = item.body.if_contains(name);
    return v && !v->is_null() ? v : nullptr;
}

std::optional<uuid> id_member(json::object const& body, std::string_view name)
{
    auto const* const v = body.if_contains(name);
    return v && v->is_string() ? uuid::parse(std::string_view(v->get_string())) : std::nullopt;
}

std::vector<uuid> ids_of(json::value const& v)
{
    std::vector<uuid> out;
    auto const add = [&](json::value const& one) {
        if (!one.is_string())
            return;
        if (auto const id = uuid::parse(std::string_view(one.get_string())))
            out.push_back(*id);
    };
    if (v.is_array())
        std::ranges::for_each(v.get_array(), add);
    else
        add(v);
    return out;
}

std::string const* text_of(engine::item const& item, std::string_view name)
{
    auto const found =
        std::ranges::find_if(item.texts, [&](auto const& t) { return t.first == name; });
    return found == item.texts.end() ? nullptr : &found->second;
}

void write_text(json_writer& w, engine::item const& item, std::string_view name)
{
    auto const* const text = text_of(item, name);
    w.name(name);
    if (text)
        w.value(*text);
    else
        w.value(nullptr);
}

void write_texts(json_writer& w, engine::item const& item, std::string_view name)
{
    w.name(name).begin_array();
    for (std::size_t i = 0;; ++i) {
        auto const* const text = text_of(item, std::string(name) + "[" + std::to_string(i) + "]");
        if (!text)
            break;
        w.value(*text);
    }
    w.end_array();
}

void write_messages(json_writer& w, engine::item const& item)
{
    w.name("messages").begin_array();
    auto const* const list = body_member(item, "messages");
    for (std::size_t i = 0; list && i < list->as_array().size(); ++i) {
        auto const* const text = text_of(item, "messages[" + std::to_string(i) + "].content");
        w.begin_object()
            .member("role", list->as_array()[i].as_object().at("role"))
            .member("content", text ? *text : std::string())
            .end_object();
    }
    w.end_array();
}

void write_member(json_writer& w, engine::item const& item, member const& m)
{
    switch (m.type) {
    case member_type::text: return write_text(w, item, m.name);
    case member_type::texts: return write_texts(w, item, m.name);
    case member_type::messages: return write_messages(w, item);
    case member_type::string:
    case member_type::id:
    case member_type::boolean:
    case member_type::integer:
    case member_type::number:
    case member_type::object:
    case member_type::ids:
    case member_type::pricing:
    case member_type::tools:
    case member_type::standard_groups: break;
    case member_type::secret:
    case member_type::prompt: return;
    }
    auto const* const v = body_member(item, m.name);
    w.member(m.name, v ? *v : json::value(nullptr));
}

void write_eval(json_writer& w, engine::item const& item, lookups* others)
{
    w.member("is_dynamic", false).member("use_groups", false);
    if (others) {
        auto const tests = others->tests_of(item.row.id);
        w.member("num_runs", tests).member("num_groups", tests);
    }
}

void write_rubric(json_writer& w, engine::item const& item, lookups* others)
{
    auto const number = [&](std::string_view name) {
        auto const* const v = body_member(item, name);
        return v && v->is_number() ? v->to_number<double>() : 0;
    };
    auto const points = number("points");
    w.member("points", std::llround(points));
    if (points > 0)
        w.member("pass_percentage", std::llround(100 * number("pass_points") / points));
    if (auto const* const groups = body_member(item, "standard_groups"))
        w.member("standard_groups", *groups);
    if (others)
        w.member("eval_ids", others->users(item_kind::eval, "rubric_ids", item.row.id));
}

void write_model(json_writer& w, engine::item const& item, lookups* others)
{
    w.member("image_model", false);
    auto const provider = id_member(item.body, "provider_id");
    if (others && provider)
        w.member("provider_name", others->name(item_kind::provider, *provider))
            .member("base_url", others->endpoint(*provider));
}

void write_provider(json_writer& w, engine::item const& item, lookups* others)
{
    auto const* const endpoint = body_member(item, "endpoint");
    w.member("base_url", endpoint ? *endpoint : json::value(nullptr));
    if (!others)
        return;
    auto const models = others->users(item_kind::model, "provider_id", item.row.id);
    w.member("model_ids", models).member("model_usage_count", models.size());
}

void write_agent(json_writer& w, engine::item const& item, lookups* others)
{
    w.member("is_mcp", false);
    write_text(w, item, "system_prompt");
    if (auto const* const prompt = body_member(item, "prompt"))
        w.member("prompt", *prompt);
    auto const model = id_member(item.body, "model_id");
    if (others && model)
        w.member("model_name", others->name(item_kind::model, *model));
}

void write_department(json_writer& w, engine::item const& item, lookups* others)
{
    if (!others)
        return;
    auto const profiles = others->members_of(item.row.id);
    w.member("profile_ids", profiles).member("staff_count", profiles.size());
}

std::string initials_of(std::string_view name)
{
    std::string out;
    bool start = true;
    for (char const c : name) {
        bool const plain = static_cast<unsigned char>(c) < 0x80;
        if (start && plain && c != ' ' && out.size() < 2)
            out.push_back(c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
        start = c == ' ';
    }
    return out;
}

void write_profile(json_writer& w, engine::item const& item)
{
    auto const* const email = body_member(item, "email");
    auto const* const role = body_member(item, "role");
    w.name("emails").begin_array();
    if (email)
        w.value(*email);
    w.end_array()
        .member("primary_email", email ? *email : json::value(nullptr))
        .member("role_name", role ? *role : json::value(nullptr))
        .member("initials", initials_of(item.row.name));
}

void write_special(json_writer& w, engine::item const& item, lookups* others)
{
    switch (item.row.kind) {
    case item_kind::eval: return write_eval(w, item, others);
    case item_kind::rubric: return write_rubric(w, item, others);
    case item_kind::provider: return write_provider(w, item, others);
    case item_kind::model: return write_model(w, item, others);
    case item_kind::key: {
        auto const* const shown = body_member(item, "key_masked");
        w.member("key_masked", shown ? *shown : json::value("..."));
        return;
    }
    case item_kind::agent: return write_agent(w, item, others);
    case item_kind::scenario: w.member("objective_ids", std::vector<uuid>()); return;
    case item_kind::department: return write_department(w, item, others);
    case item_kind::profile: return write_profile(w, item);
    }
}

} // namespace

std::vector<projections::item_row> const& lookups::all(item_kind kind)
{
    auto const [at, fresh] = items_.try_emplace(kind);
    if (fresh)
        if (auto page =
                projections::list_items(views_, workspace_, kind, {}, {0, looked_through_max}))
            at->second = std::move(page->items);
    return at->second;
}

std::optional<std::string> lookups::name(item_kind kind, uuid const& id)
{
    auto const [at, fresh] = by_id_.try_emplace(id);
    if (fresh)
        if (auto row = projections::get_item(views_, workspace_, kind, id))
            at->second = std::move(*row);
    return at->second ? std::optional(at->second->name) : std::nullopt;
}

std::optional<std::string> lookups::endpoint(uuid const& provider)
{
    if (!name(item_kind::provider, provider))
        return std::nullopt;
    auto const body = projections::item_body(*by_id_[provider]);
    auto const* const v = body.if_contains("endpoint");
    return v && v->is_string() ? std::optional(std::string(v->get_string())) : std::nullopt;
}

std::vector<uuid> lookups::users(item_kind kind, std::string_view by, uuid const& id)
{
    auto const [at, fresh] = users_.try_emplace({kind, std::string(by)});
    if (fresh)
        for (auto const& row : all(kind)) {
            auto const body = projections::item_body(row);
            if (auto const* const v = body.if_contains(by))
                for (auto const& used : ids_of(*v))
                    at->second[used].push_back(row.id);
        }
    auto const found = at->second.find(id);
    return found == at->second.end() ? std::vector<uuid>() : found->second;
}

std::vector<uuid> lookups::members_of(uuid const& department)
{
    std::vector<uuid> out;
    for (auto const& row : all(item_kind::profile))
        if (std::ranges::find(row.departments, department) != row.departments.end())
            out.push_back(row.id);
    return out;
}

std::uint64_t lookups::tests_of(uuid const& eval)
{
    auto const card = projections::get_eval_card(views_, workspace_, eval);
    return card ? card->tests : 0;
}

void write_row(json_writer& w, kind_spec const& spec, incoming const& in, engine::item const& item,
               lookups* others)
{
    auto const* const description = body_member(item, "description");
    w.begin_object()
        .member(spec.id_name, item.row.id)
        .member("name", item.row.name)
        .member("description", description ? *description : json::value(nullptr))
        .member("active", item.row.active)
        .member("is_inactive", !item.row.active)
        .member("updated_at", item.row.updated_at);
    if (spec.has_departments)
        w.member("department_ids", item.row.departments);
    for (auto const& m : spec.members)
        if (m.in_row)
            write_member(w, item, m);
    write_special(w, item, others);
    if (!item.erased.empty())
        w.member("erased", item.erased);
    w.member("can_edit", in.may(spec.name, "update"))
        .member("can_duplicate", in.may(spec.name, "create"))
        .member("can_delete", in.may(spec.name, "delete"))
        .end_object();
}

void write_standards_of(json_writer& w, std::vector<engine::item> const& rubrics)
{
    auto const each_group = [&](auto const& visit) {
        for (auto const& rubric : rubrics)
            if (auto const* const groups = body_member(rubric, "standard_groups"))
                for (auto const& g : groups->as_array())
                    visit(rubric, g.as_object());
    };
    w.name("standard_groups").begin_array();
    each_group([&](engine::item const& rubric, json::object const& g) {
        w.begin_object()
            .member("standard_group_id", g.at("id"))
            .member("rubric_id", rubric.row.id)
            .member("name", g.at("name"))
            .member("description", g.at("description"))
            .member("points", g.at("points"))
            .member("pass_points", g.at("pass_points"));
        if (auto const* const grader = g.if_contains("grader"))
            w.member("grader", *grader);
        w.end_object();
    });
    w.end_array().name("standards").begin_array();
    each_group([&](engine::item const&, json::object const& g) {
        for (auto const& each : g.at("standards").as_array()) {
            auto const& s = each.as_object();
            w.begin_object()
                .member("standard_id", s.at("id"))
                .member("standard_group_id", g.at("id"))
                .member("name", s.at("name"))
                .member("description", s.at("description"))
                .member("points", s.at("points"))
                .end_object();
        }
    });
    w.end_array();
}

} // namespace assay::api
