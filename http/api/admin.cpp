#include "http/api/routes.hpp"
#include "projections/queries.hpp"

namespace assay::api {

namespace {

struct workspace_body {
    std::string name;

    static constexpr auto fields =
        std::tuple{field{"name", &workspace_body::name, {.size_min = 1, .size_max = 200}}};
};

struct new_key_body {
    std::optional<uuid> profile_id;
    std::optional<std::string> name;

    static constexpr auto fields = std::tuple{
        field{"profile_id", &new_key_body::profile_id},
        field{"name", &new_key_body::name, {.size_max = 200}},
    };
};

struct revoke_body {
    uuid api_key_id;
    std::optional<std::string> reason;

    static constexpr auto fields = std::tuple{
        field{"api_key_id", &revoke_body::api_key_id},
        field{"reason", &revoke_body::reason, {.size_max = 500}},
    };
};

/// A secret that is shown once cannot be shown again by a repeated request.
result<void> refuse_repetition(incoming const& in)
{
    if (in.who.idempotency_key.empty())
        return {};
    return bad_field("idempotency_key",
                     "not for this operation: its answer holds a secret that is shown only once",
                     "unsupported");
}

result<std::string> create_workspace(services const& s, incoming const& in)
{
    ASSAY_CHECK(refuse_repetition(in));
    ASSAY_TRY(auto asked, read_body<workspace_body>(in.body));
    ASSAY_TRY(auto const made, s.engine.create_workspace(std::move(asked.name)));
    return json::canonical(json::object{{"workspace_id", made.workspace.text()},
                                        {"profile_id", made.profile.text()},
                                        {"api_key_id", made.api_key.text()},
                                        {"api_key", made.secret}});
}

result<std::string> list_workspaces(services const& s, incoming const&)
{
    ASSAY_TRY(auto const rows, projections::list_workspaces(*s.engine.read()));
    std::string body;
    json_writer w(body);
    w.begin_object().name("workspaces").begin_array();
    for (auto const& row : rows)
        w.begin_object()
            .member("workspace_id", row.id)
            .member("name", row.name)
            .member("created_at", row.created_at)
            .end_object();
    w.end_array().member("total_count", rows.size()).end_object();
    return body;
}

result<std::string> create_key(services const& s, incoming const& in)
{
    ASSAY_CHECK(refuse_repetition(in));
    ASSAY_TRY(auto asked, read_body<new_key_body>(in.body));
    auto const profile = asked.profile_id.value_or(in.who.profile);
    ASSAY_TRY(auto const made,
              s.engine.create_api_key(in.who, profile, asked.name.value_or(std::string("key"))));
    return json::canonical(json::object{
        {"api_key_id", made.id.text()}, {"profile_id", profile.text()}, {"api_key", made.secret}});
}

result<std::string> list_keys(services const& s, incoming const& in)
{
    ASSAY_TRY(auto const rows, projections::list_api_keys(*s.engine.read(), in.who.workspace));
    std::string body;
    json_writer w(body);
    w.begin_object().name("api_keys").begin_array();
    std::size_t shown = 0;
    for (auto const& row : rows) {
        auto const who = s.keys.profile(row.profile);
        if (who && !check_departments(in, who->departments))
            continue;
        ++shown;
        w.begin_object()
            .member("api_key_id", row.id)
            .member("profile_id", row.profile)
            .member("profile_name", who ? std::optional(who->name) : std::nullopt)
            .member("role", who ? std::optional(who->role) : std::nullopt)
            .member("name", row.name)
            .member("created_at", row.created_at)
            .member("revoked_at", row.revoked_at)
            .member("revoked_because",
                    row.revoked_at ? std::optional(row.revoked_because) : std::nullopt)
            .member("current", row.id == in.scope().api_key)
            .end_object();
    }
    w.end_array().member("total_count", shown).end_object();
    return body;
}

void revoke_key(services const& s, incoming in, reply respond)
{
    auto asked = read_body<revoke_body>(in.body);
    if (!asked)
        return respond(std::unexpected(asked.error()));
    give(s,
         s.engine.prepare(
             in.who, "api_key.revoke",
             command::revoke_api_key{asked->api_key_id, asked->reason.value_or(std::string())}),
         std::move(respond), [](events::receipt const& r) { return json::canonical(r.answer); });
}

} // namespace

void add_admin(http::router& to, services const& s)
{
    auto const op = [](std::string_view name, std::string_view path, http::permission p) {
        return operation{.name = name, .path = path, .permission = std::move(p)};
    };
    add_slow_command(to, s,
                     op("admin.workspace_create", "/admin/workspace_create", {"instance", "admin"}),
                     [s](incoming in, reply r) { r(create_workspace(s, in)); });
    add_query(to, s, op("admin.workspace_list", "/admin/workspace_list", {"instance", "admin"}),
              [s](incoming const& in) { return list_workspaces(s, in); });
    add_slow_command(to, s,
                     op("admin.api_key_create", "/admin/api_key_create", {"api_key", "create"}),
                     [s](incoming in, reply r) { r(create_key(s, in)); });
    add_query(to, s, op("admin.api_key_list", "/admin/api_key_list", {"api_key", "list"}),
              [s](incoming const& in) { return list_keys(s, in); });
    add_command(to, op("admin.api_key_revoke", "/admin/api_key_revoke", {"api_key", "revoke"}),
                [s](incoming in, reply r) { revoke_key(s, std::move(in), std::move(r)); });
}

} // namespace assay::api
