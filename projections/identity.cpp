#include "projections/identity.hpp"

#include "projections/describe.hpp"
#include "projections/key.hpp"

namespace assay::projections {

namespace {

struct key_ref {
    digest hash;
};
BOOST_DESCRIBE_STRUCT(key_ref, (), (hash))

key workspace_key(uuid const& id)
{
    return key('w').id(id);
}

key hash_key(digest const& hash)
{
    return key('h').hash(hash);
}

key id_key(uuid const& id)
{
    return key('k').id(id);
}

struct applier {
    events::recorded const& e;
    rows& out;

    result<void> operator()(event::workspace_created const& w) const
    {
        save_new(out, workspace_key(e.stream.id), workspace_row{{}, w.name, e.head->at});
        return {};
    }

    result<void> operator()(event::api_key_created const& k) const
    {
        auto const& head = *e.head;
        save(out, hash_key(k.secret_hash),
             api_key_row{e.stream.id, head.workspace, k.profile, k.name, head.at, {}, {}});
        save_new(out, id_key(e.stream.id), key_ref{k.secret_hash});
        save_new(out, key('l').id(head.workspace).u64(head.position).u32(e.index),
                 key_ref{k.secret_hash});
        return {};
    }

    result<void> operator()(event::api_key_revoked const& r) const
    {
        ASSAY_TRY(auto const ref, load_existing<key_ref>(out, id_key(e.stream.id), "the API key"));
        ASSAY_TRY(auto row,
                  load_existing<api_key_row>(out, hash_key(ref.hash), "the API key's hash"));
        row.revoked_at = e.head->at;
        row.revoked_because = r.reason;
        save(out, hash_key(ref.hash), row);
        return {};
    }

    template <class Other>
    result<void> operator()(Other const&) const
    {
        return {};
    }
};

std::unexpected<error> no_key()
{
    return fail(errc::not_found, "there is no such API key", "api_key_not_found");
}

} // namespace

result<void> identity::apply(events::recorded const& e, rows& out) const
{
    if (e.stream.kind != stream_kind::workspace && e.stream.kind != stream_kind::api_key)
        return {};
    return std::visit(applier{e, out}, e.body);
}

std::string identity::describe(std::string_view key, std::string_view value) const
{
    switch (key.front()) {
    case 'w': return describe_row<workspace_row>(value);
    case 'h': return describe_row<api_key_row>(value);
    }
    return describe_row<key_ref>(value);
}

result<std::optional<api_key_row>> find_api_key(reader const& views, digest const& secret_hash)
{
    return fetch<api_key_row>(views, view_id::identity, hash_key(secret_hash));
}

result<std::vector<api_key_row>> list_api_keys(reader const& views, uuid const& workspace)
{
    std::vector<digest> hashes;
    ASSAY_CHECK(fetch_range<key_ref>(views, view_id::identity, key('l').id(workspace), {},
                                     [&](std::string_view, key_ref const& ref) {
                                         hashes.push_back(ref.hash);
                                         return true;
                                     }));
    std::vector<api_key_row> out;
    for (auto const& hash : hashes) {
        ASSAY_TRY(auto row, find_api_key(views, hash));
        if (row)
            out.push_back(std::move(*row));
    }
    return out;
}

result<api_key_row> get_api_key(reader const& views, uuid const& workspace, uuid const& id)
{
    ASSAY_TRY(auto const ref, fetch<key_ref>(views, view_id::identity, id_key(id)));
    if (!ref)
        return no_key();
    ASSAY_TRY(auto row, find_api_key(views, ref->hash));
    if (!row || row->workspace != workspace)
        return no_key();
    return std::move(*row);
}

result<std::vector<workspace_row>> list_workspaces(reader const& views)
{
    std::vector<workspace_row> out;
    ASSAY_CHECK(fetch_range<workspace_row>(views, view_id::identity, "w", {},
                                           [&](std::string_view k, workspace_row row) {
                                               row.id = key_reader(k.substr(1)).id();
                                               out.push_back(std::move(row));
                                               return true;
                                           }));
    return out;
}

result<workspace_row> get_workspace(reader const& views, uuid const& id)
{
    ASSAY_TRY(auto row, fetch<workspace_row>(views, view_id::identity, workspace_key(id)));
    if (!row)
        return fail(errc::not_found, "there is no such workspace", "workspace_not_found");
    row->id = id;
    return std::move(*row);
}

} // namespace assay::projections
