#include "http/api/draft_rows.hpp"

#include <algorithm>
#include <vector>

namespace assay::api {

namespace {

/// The one id as a list, which is empty without it.
json::array as_list(json::object const& form, std::string_view name)
{
    auto const* const id = form.if_contains(name);
    return id && id->is_string() ? json::array{*id} : json::array{};
}

json::array list_in(json::object const& form, std::string_view name)
{
    auto const* const list = form.if_contains(name);
    return list && list->is_array() ? list->get_array() : json::array{};
}

/// Those of `ids` that the draft's pending_ids name.
json::array pending_of(json::object const& form, json::array const& ids)
{
    auto const pending = list_in(form, pending_ids);
    json::array out;
    for (auto const& id : ids)
        if (std::ranges::find(pending, id) != pending.end())
            out.push_back(id);
    return out;
}

void write_ids(json_writer& w, json::object const& form)
{
    for (auto const& each : single_ids) {
        auto const ids = as_list(form, each.name);
        if (each.listed.empty())
            w.member(each.name, ids.empty() ? json::value() : ids.front());
        else
            w.member(each.listed, ids);
        w.member(each.pending, pending_of(form, ids));
    }
    for (auto const& each : id_lists) {
        auto const ids = list_in(form, each.name);
        w.member(each.name, ids).member(each.pending, pending_of(form, ids));
    }
}

} // namespace

result<draft_view> resolve(services const& s, projections::draft_row row)
{
    draft_view out{std::move(row), {}};
    out.form = projections::draft_form(out.row);
    for (auto const& sealed : out.row.texts) {
        auto text = s.engine.text(out.row.workspace, sealed.text);
        if (text)
            out.form[sealed.field] = std::move(*text);
        else if (text.error().code != errc::gone)
            return std::unexpected(std::move(text.error()));
    }
    return out;
}

void write_draft(json_writer& w, draft_view const& d)
{
    auto const* const name = d.form.if_contains("name");
    w.begin_object()
        .member("id", d.row.id)
        .member("created_at", d.row.created_at)
        .member("updated_at", d.row.changed_at)
        .member("version", d.row.version)
        .member("generated", false)
        .member("mcp", d.row.channel == events::channel::mcp)
        .member("active", true)
        .member("session_id", session_of(d.row.profile))
        .member("name", name ? *name : json::value())
        .member("profile_ids", std::vector{d.row.profile});
    write_ids(w, d.form);
    w.end_object();
}

} // namespace assay::api
