#include "http/api/catalog.hpp"
#include "http/api/catalog_rows.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace assay::api {

namespace {

/// Items that a filter by a member looks through.
constexpr std::uint64_t filtered_max = 100'000;

struct search_body {
    std::optional<std::string> search;
    std::optional<std::vector<uuid>> filter_department_ids;
    std::optional<std::string> department_search;
    std::optional<std::vector<uuid>> filter_agent_ids;
    std::optional<std::vector<uuid>> filter_model_ids;
    std::optional<std::vector<std::string>> filter_status;
    std::optional<std::string> role_filter;
    std::optional<std::int64_t> page_size;
    std::optional<std::int64_t> page_offset;
    std::optional<std::string> snapshot_key;

    static constexpr auto fields = std::tuple{
        field{"search", &search_body::search},
        field{"filter_department_ids", &search_body::filter_department_ids},
        field{"department_search", &search_body::department_search},
        field{"filter_agent_ids", &search_body::filter_agent_ids},
        field{"filter_model_ids", &search_body::filter_model_ids},
        field{"filter_status", &search_body::filter_status},
        field{"role_filter", &search_body::role_filter},
        field{"page_size", &search_body::page_size, {.min = 1}},
        field{"page_offset", &search_body::page_offset, {.min = 0}},
        field{"snapshot_key", &search_body::snapshot_key},
    };
};

using item_test = std::function<bool(projections::item_row const&, json::object const& body)>;

bool names(json::object const& body, std::string_view member, std::vector<uuid> const& wanted)
{
    auto const* const v = body.if_contains(member);
    auto const is_wanted = [&](json::value const& one) {
        auto const id =
            one.is_string() ? uuid::parse(std::string_view(one.get_string())) : std::nullopt;
        return id && std::ranges::find(wanted, *id) != wanted.end();
    };
    if (!v)
        return false;
    return v->is_array() ? std::ranges::any_of(v->get_array(), is_wanted) : is_wanted(*v);
}

/// Filters that go by what other items say of this one.
void add_reverse_filters(std::vector<item_test>& tests, kind_spec const& spec, incoming const& in,
                         search_body const& asked, projections::reader const& views)
{
    auto const collect = [&](std::vector<uuid> const& from, item_kind kind, std::string_view by) {
        std::vector<uuid> out;
        for (auto const& id : from)
            if (auto const row = projections::get_item(views, in.who.workspace, kind, id);
                row && check_departments(in, row->departments)) {
                auto const body = projections::item_body(*row);
                auto const* const v = body.if_contains(by);
                if (v && v->is_string())
                    if (auto const used = uuid::parse(std::string_view(v->get_string())))
                        out.push_back(*used);
            }
        return out;
    };
    auto const keep = [&](std::vector<uuid> wanted) {
        tests.push_back(
            [wanted = std::move(wanted)](projections::item_row const& row, json::object const&) {
                return std::ranges::find(wanted, row.id) != wanted.end();
            });
    };
    if (spec.kind == item_kind::model && asked.filter_agent_ids)
        keep(collect(*asked.filter_agent_ids, item_kind::agent, "model_id"));
    if (spec.kind == item_kind::provider && asked.filter_model_ids)
        keep(collect(*asked.filter_model_ids, item_kind::model, "provider_id"));
}

result<std::vector<item_test>> filters_of(kind_spec const& spec, incoming const& in,
                                          search_body const& asked,
                                          projections::reader const& views)
{
    std::vector<item_test> tests;
    body_problems bad;
    for (auto const& f : spec.filters) {
        auto const* const v = in.body.if_contains(f.name);
        if (!v || v->is_null())
            continue;
        std::vector<uuid> wanted;
        bad.enter(f.name);
        read_value(*v, {}, bad, wanted);
        bad.leave();
        tests.push_back(
            [member = f.member, wanted](projections::item_row const&, json::object const& body) {
                return names(body, member, wanted);
            });
    }
    ASSAY_CHECK(std::move(bad).verdict());
    add_reverse_filters(tests, spec, in, asked, views);
    if (spec.kind == item_kind::profile && asked.role_filter && !asked.role_filter->empty())
        tests.push_back(
            [role = *asked.role_filter](projections::item_row const&, json::object const& body) {
                auto const* const v = body.if_contains("role");
                return v && v->is_string() && v->get_string() == role;
            });
    return tests;
}

projections::item_filter filter_of(incoming const& in, kind_spec const& spec,
                                   search_body const& asked)
{
    projections::item_filter f;
    f.text = asked.search.value_or(std::string());
    if (spec.has_departments) {
        f.departments = asked.filter_department_ids.value_or(std::vector<uuid>());
        f.within_departments = in.scope().departments;
    }
    if (spec.kind == item_kind::provider && asked.filter_status && asked.filter_status->size() == 1)
        f.active = asked.filter_status->front() == "active";
    return f;
}

result<projections::item_page> find(kind_spec const& spec, incoming const& in,
                                    search_body const& asked, projections::reader const& views)
{
    auto const size = page_size_of(asked.page_size);
    auto const offset = static_cast<std::uint64_t>(asked.page_offset.value_or(0));
    auto const filter = filter_of(in, spec, asked);
    ASSAY_TRY(auto const tests, filters_of(spec, in, asked, views));
    if (tests.empty())
        return projections::list_items(views, in.who.workspace, spec.kind, filter, {offset, size});
    ASSAY_TRY(auto page, projections::list_items(views, in.who.workspace, spec.kind, filter,
                                                 {0, filtered_max}));
    std::erase_if(page.items, [&](projections::item_row const& row) {
        auto const body = projections::item_body(row);
        return !std::ranges::all_of(tests, [&](item_test const& t) { return t(row, body); });
    });
    page.total = page.items.size();
    auto const from = std::min<std::uint64_t>(offset, page.items.size());
    auto const to = std::min<std::uint64_t>(from + size, page.items.size());
    page.items = std::vector(page.items.begin() + static_cast<std::ptrdiff_t>(from),
                             page.items.begin() + static_cast<std::ptrdiff_t>(to));
    return page;
}

} // namespace

result<std::string> get_item(services const& s, kind_spec const& spec, incoming const& in)
{
    std::optional<uuid> id;
    std::optional<std::string> snapshot_key;
    body_problems bad;
    for (auto const name : {std::string_view("id"), spec.get_name, spec.id_name}) {
        auto const* const v = in.body.if_contains(name);
        if (!v || v->is_null() || id)
            continue;
        bad.enter(name);
        read_value(*v, {}, bad, id);
        bad.leave();
    }
    if (auto const* const v = in.body.if_contains("snapshot_key")) {
        bad.enter("snapshot_key");
        read_value(*v, {}, bad, snapshot_key);
        bad.leave();
    }
    ASSAY_CHECK(std::move(bad).verdict());
    if (!id)
        return bad_field("id", "this field is required", "missing");
    ASSAY_TRY(auto const views, views_of(s, in, snapshot_key));
    auto const item = s.engine.read_item(*views, in.who.workspace, spec.kind, *id);
    if (!item && item.error().code != errc::not_found)
        return std::unexpected(item.error());
    if (item && spec.has_departments)
        ASSAY_CHECK(check_departments(in, item->row.departments));

    bool const may_edit = in.may(spec.name, "update");
    std::string body;
    json_writer w(body);
    w.begin_object()
        .member(fmt::format("{}_exists", spec.name), item.has_value())
        .member("actor_name", in.request.caller->name)
        .member("can_edit", item.has_value() && may_edit)
        .member("disabled_reason",
                may_edit ? std::nullopt : std::optional("The role may not change this."));
    w.name(spec.name);
    if (item) {
        lookups others(*views, in.who.workspace);
        write_row(w, spec, in, *item, &others);
        if (spec.kind == item_kind::rubric)
            write_standards_of(w, {*item});
    } else {
        w.value(nullptr);
    }
    w.end_object();
    return body;
}

result<std::string> search_items(services const& s, kind_spec const& spec, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<search_body>(in.body));
    ASSAY_TRY(auto const views, views_of(s, in, asked.snapshot_key));
    ASSAY_TRY(auto page, find(spec, in, asked, *views));
    std::vector<engine::item> items;
    items.reserve(page.items.size());
    for (auto& row : page.items) {
        ASSAY_TRY(auto item, s.engine.resolve(in.who.workspace, std::move(row)));
        items.push_back(std::move(item));
    }
    lookups others(*views, in.who.workspace);
    std::string body;
    json_writer w(body);
    w.begin_object().member("actor_name", in.request.caller->name).name(spec.plural).begin_array();
    for (auto const& item : items)
        write_row(w, spec, in, item, &others);
    w.end_array().member("total_count", page.total);
    if (spec.kind == item_kind::rubric)
        write_standards_of(w, items);
    w.end_object();
    return body;
}

} // namespace assay::api
