#include "projections/catalog.hpp"

#include "projections/describe.hpp"
#include "projections/key.hpp"
#include "projections/text_match.hpp"

namespace assay::projections {

namespace {

/// What lists and searches look at before they read the item itself.
struct listed_item {
    uuid id;
    std::string name;
    bool active = true;
    std::vector<uuid> departments;
};
BOOST_DESCRIBE_STRUCT(listed_item, (), (id, name, active, departments))

struct item_count {
    std::uint64_t items = 0;
};
BOOST_DESCRIBE_STRUCT(item_count, (), (items))

key item_key(uuid const& workspace, uuid const& id)
{
    return key('i').id(workspace).id(id);
}

key kind_key(char table, uuid const& workspace, item_kind kind)
{
    return key(table).id(workspace).u8(static_cast<std::uint8_t>(kind));
}

key list_key(uuid const& workspace, item_row const& item)
{
    return kind_key('l', workspace, item.kind).u64(item.position).u32(item.index);
}

key name_prefix(uuid const& workspace, item_kind kind, std::string_view name)
{
    return kind_key('m', workspace, kind).id(derive_uuid(name));
}

/// The order of creation is part of the key, so that the oldest of a name comes first.
key name_key(uuid const& workspace, item_row const& item, uuid const& id)
{
    return name_prefix(workspace, item.kind, item.name).u64(item.position).u32(item.index).id(id);
}

struct applier {
    events::recorded const& e;
    rows& out;
    uuid const& workspace = e.head->workspace;
    uuid const& id = e.stream.id;

    void write(item_row const& row) const
    {
        save(out, item_key(workspace, id), row);
        save(out, list_key(workspace, row), listed_item{id, row.name, row.active, row.departments});
        out.put(name_key(workspace, row, id), {});
    }

    template <class Written>
    void take(Written const& w, item_row& row) const
    {
        row.name = w.name;
        row.active = w.active;
        row.departments = w.departments;
        row.body = codec::to_json(w.body);
        row.texts = w.texts;
        row.updated_at = e.head->at;
        row.updated_by = e.head->profile;
        row.version = e.version;
    }

    result<void> count(item_kind kind, std::int64_t by) const
    {
        auto const where = kind_key('n', workspace, kind);
        ASSAY_TRY(auto stored, load<item_count>(out, where));
        auto const before = stored.value_or(item_count{}).items;
        save(out, where, item_count{before + static_cast<std::uint64_t>(by)});
        return {};
    }

    result<void> operator()(event::item_created const& c) const
    {
        item_row row;
        row.kind = c.kind;
        row.created_at = e.head->at;
        row.created_by = e.head->profile;
        row.position = e.head->position;
        row.index = e.index;
        take(c, row);
        write(row);
        return count(c.kind, +1);
    }

    result<void> operator()(event::item_updated const& u) const
    {
        ASSAY_TRY(auto row, load_existing<item_row>(out, item_key(workspace, id), "the item"));
        out.erase(name_key(workspace, row, id));
        take(u, row);
        write(row);
        return {};
    }

    result<void> operator()(event::item_deleted const&) const
    {
        ASSAY_TRY(auto const row,
                  load_existing<item_row>(out, item_key(workspace, id), "the item"));
        out.erase(name_key(workspace, row, id));
        out.erase(list_key(workspace, row));
        out.erase(item_key(workspace, id));
        return count(row.kind, -1);
    }

    template <class Other>
    result<void> operator()(Other const&) const
    {
        return {};
    }
};

bool shares(std::vector<uuid> const& a, std::vector<uuid> const& b)
{
    return std::any_of(a.begin(), a.end(),
                       [&](auto const& x) { return std::find(b.begin(), b.end(), x) != b.end(); });
}

bool matches(listed_item const& item, item_filter const& f, text_match const& text)
{
    if (f.active && item.active != *f.active)
        return false;
    if (!f.departments.empty() && !shares(item.departments, f.departments))
        return false;
    if (f.within_departments && !item.departments.empty() &&
        !shares(item.departments, *f.within_departments))
        return false;
    return text.in(item.name);
}

std::unexpected<error> no_item(std::string_view what)
{
    return fail(errc::not_found, "there is no such " + std::string(what),
                std::string(what) + "_not_found");
}

} // namespace

result<void> catalog::apply(events::recorded const& e, rows& out) const
{
    if (e.stream.kind != stream_kind::item)
        return {};
    return std::visit(applier{e, out}, e.body);
}

std::string catalog::describe(std::string_view key, std::string_view value) const
{
    switch (key.front()) {
    case 'i': return describe_row<item_row>(value);
    case 'l': return describe_row<listed_item>(value);
    case 'n': return describe_row<item_count>(value);
    }
    return "\"" + to_hex(value) + "\"";
}

boost::json::object item_body(item_row const& item)
{
    auto parsed = json::parse_stored(item.body);
    return parsed && parsed->is_object() ? std::move(parsed->get_object()) : boost::json::object{};
}

result<item_row> get_item(reader const& views, uuid const& workspace, uuid const& id)
{
    ASSAY_TRY(auto row, fetch<item_row>(views, view_id::catalog, item_key(workspace, id)));
    if (!row)
        return no_item("item");
    row->id = id;
    return std::move(*row);
}

result<item_row> get_item(reader const& views, uuid const& workspace, item_kind kind,
                          uuid const& id)
{
    ASSAY_TRY(auto row, fetch<item_row>(views, view_id::catalog, item_key(workspace, id)));
    if (!row || row->kind != kind)
        return no_item(codec::enum_name(kind));
    row->id = id;
    return std::move(*row);
}

result<item_page> list_items(reader const& views, uuid const& workspace, item_kind kind,
                             item_filter const& filter, page const& page)
{
    text_match const text(filter.text);
    bool const all = filter.text.empty() && !filter.active && filter.departments.empty() &&
                     !filter.within_departments;
    bool const page_only = all && !filter.newest_first;
    std::vector<uuid> found;
    ASSAY_CHECK(fetch_range<listed_item>(views, view_id::catalog, kind_key('l', workspace, kind),
                                         {}, [&](std::string_view, listed_item const& item) {
                                             if (matches(item, filter, text))
                                                 found.push_back(item.id);
                                             return !page_only ||
                                                    found.size() < page.offset + page.limit;
                                         }));
    if (filter.newest_first)
        std::reverse(found.begin(), found.end());
    item_page out;
    out.total = found.size();
    if (page_only) {
        ASSAY_TRY(out.total, count_items(views, workspace, kind));
    }
    auto const end =
        std::min<std::uint64_t>(found.size(), page.offset + std::min(page.limit, out.total));
    for (auto i = page.offset; i < end; ++i) {
        ASSAY_TRY(auto row, get_item(views, workspace, kind, found[i]));
        out.items.push_back(std::move(row));
    }
    return out;
}

result<std::vector<uuid>> find_items_by_name(reader const& views, uuid const& workspace,
                                             item_kind kind, std::string_view name)
{
    std::vector<uuid> out;
    auto const prefix = name_prefix(workspace, kind, name);
    ASSAY_CHECK(views.scan(view_id::catalog, prefix, {}, [&](std::string_view k, std::string_view) {
        out.push_back(uuid::from_raw(k.substr(k.size() - 16)));
        return true;
    }));
    return out;
}

result<std::uint64_t> count_items(reader const& views, uuid const& workspace, item_kind kind)
{
    ASSAY_TRY(auto row, fetch<item_count>(views, view_id::catalog, kind_key('n', workspace, kind)));
    return row ? row->items : 0;
}

} // namespace assay::projections
