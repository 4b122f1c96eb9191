#include "http/api/first_start.hpp"

#include "events/anchor.hpp"
#include "projections/queries.hpp"

#include <algorithm>

namespace assay::api {

namespace {

constexpr std::uint64_t profiles_looked_at = 1000;

std::filesystem::path key_file(std::filesystem::path const& data_dir)
{
    return data_dir / "admin.key";
}

engine::caller system_in(uuid const& workspace, uuid const& profile)
{
    return {workspace, profile, events::channel::system, {}, {}, {}};
}

/// The workspace that was made first; none in an empty directory.
result<std::optional<uuid>> first_workspace(projections::reader const& views)
{
    ASSAY_TRY(auto const all, projections::list_workspaces(views));
    if (all.empty())
        return std::optional<uuid>();
    return std::optional(
        std::ranges::min_element(all, {}, &projections::workspace_row::created_at)->id);
}

result<uuid> make_workspace(engine::engine& e)
{
    ASSAY_TRY(auto const workspace, e.command_id(system_in({}, {}), "workspace.create"));
    ASSAY_TRY(auto const keys, e.keys().create_keys(workspace));
    ASSAY_TRY(auto command, e.prepare(system_in(workspace, {}), "workspace.create",
                                      command::create_workspace{workspace, "default"}));
    ASSAY_CHECK(e.give_and_wait(std::move(command)));
    return workspace;
}

/// The workspace's administrator; none while there is none.
result<std::optional<uuid>> administrator_in(projections::reader const& views,
                                             uuid const& workspace)
{
    ASSAY_TRY(auto const profiles,
              projections::list_items(views, workspace, item_kind::profile, {.active = true},
                                      {0, profiles_looked_at}));
    for (auto const& row : profiles.items) {
        auto const body = projections::item_body(row);
        auto const* const role = body.if_contains("role");
        if (role && *role == "administrator")
            return std::optional(row.id);
    }
    return std::optional<uuid>();
}

result<uuid> make_administrator(engine::engine& e, uuid const& workspace)
{
    engine::item_draft profile;
    profile.name = "administrator";
    profile.body = {{"role", "administrator"}};
    ASSAY_TRY(auto command,
              e.prepare_create(system_in(workspace, {}), item_kind::profile, std::move(profile)));
    ASSAY_TRY(auto const receipt, e.give_and_wait(std::move(command)));
    return uuid::parse(std::string_view(receipt.answer.at("id").as_string())).value();
}

/// The file comes before the commit: a workspace that has had a key has had the file, too.
result<std::string> make_key(engine::engine& e, uuid const& workspace, uuid const& profile)
{
    auto const who = system_in(workspace, profile);
    auto secret = engine::make_api_key();
    ASSAY_CHECK(events::replace_file(key_file(e.options().data_dir), secret + "\n", 0600));
    ASSAY_TRY(auto const id, e.command_id(who, "api_key.create"));
    ASSAY_TRY(auto command, e.prepare(who, "api_key.create",
                                      command::create_api_key{id, profile, "admin.key",
                                                              engine::api_key_hash(secret)}));
    ASSAY_CHECK(e.give_and_wait(std::move(command)));
    return secret;
}

} // namespace

result<std::optional<std::string>> first_start(engine::engine& e)
{
    ASSAY_TRY(auto workspace, first_workspace(*e.read()));
    if (workspace) {
        ASSAY_TRY(auto const keys, projections::list_api_keys(*e.read(), *workspace));
        if (!keys.empty())
            return std::optional<std::string>();
    } else {
        ASSAY_TRY(workspace, make_workspace(e));
    }
    // A crash may have left any part of this undone: each step looks for what is there.
    ASSAY_TRY(auto profile, administrator_in(*e.read(), *workspace));
    if (!profile) {
        ASSAY_TRY(profile, make_administrator(e, *workspace));
    }
    ASSAY_TRY(auto secret, make_key(e, *workspace, *profile));
    return std::optional(std::move(secret));
}

result<std::size_t> renew_admin_key(engine::engine& e)
{
    ASSAY_TRY(auto const workspace, first_workspace(*e.read()));
    if (!workspace)
        return fail(errc::not_found, "there is no workspace in this data directory yet");
    ASSAY_TRY(auto const profile, administrator_in(*e.read(), *workspace));
    if (!profile)
        return fail(errc::not_found, "the first workspace has no administrator");
    ASSAY_TRY(auto const older, projections::list_api_keys(*e.read(), *workspace));
    // The new key first: a fault in between must leave one that is good.
    ASSAY_CHECK(make_key(e, *workspace, *profile));
    std::size_t revoked = 0;
    for (auto const& key : older) {
        if (key.revoked_at || key.profile != *profile)
            continue;
        ASSAY_TRY(auto revoke, e.prepare(system_in(*workspace, *profile), "api_key.revoke",
                                         command::revoke_api_key{key.id, "admin key renewed"}));
        ASSAY_CHECK(e.give_and_wait(std::move(revoke)));
        ++revoked;
    }
    return revoked;
}

result<std::string> read_admin_key(std::filesystem::path const& data_dir)
{
    ASSAY_TRY(auto key, events::read_file(key_file(data_dir)));
    while (!key.empty() && (key.back() == '\n' || key.back() == '\r' || key.back() == ' '))
        key.pop_back();
    return key;
}

} // namespace assay::api
