#include "http/api/first_start.hpp"
#include "tools/operation.hpp"
#include "tools/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace assay::tools {

namespace {

std::vector<operation> workspace_operations()
{
    return {
        {.name = "create",
         .path = "/admin/workspace_create",
         .description =
             "Make a workspace with an administrator and its API key, which is shown this once",
         .flags = {{"NAME", "name", member_kind::text, "Name of the workspace"}},
         .example = "assay admin workspace create physics"},
        {.name = "list",
         .path = "/admin/workspace_list",
         .description = "List workspaces",
         .flags = {},
         .example = "assay admin workspace list",
         .list = "workspaces"},
    };
}

std::vector<operation> key_operations()
{
    return {
        {.name = "create",
         .path = "/admin/api_key_create",
         .description = "Make an API key, which is shown this once",
         .flags = {{"NAME", "name", member_kind::text, "What the key is for"},
                   {"--profile", "profile_id", member_kind::text,
                    "Whose it is; without, your own"}},
         .example = "assay admin api-key create ci"},
        {.name = "list",
         .path = "/admin/api_key_list",
         .description = "List API keys; the keys themselves are kept nowhere",
         .flags = {},
         .example = "assay admin api-key list",
         .list = "api_keys"},
        {.name = "revoke",
         .path = "/admin/api_key_revoke",
         .description = "Make an API key worthless, at once and for good",
         .flags = {{"KEY", "api_key_id", member_kind::text, "Id of the key"},
                   {"--reason", "reason", member_kind::text, "Why; kept with the key"}},
         .example = "assay admin api-key revoke 0192f0c0-... --reason 'laptop lost'"},
    };
}

constexpr char const* reset_example = R"(Example:
  assay admin reset --data /var/lib/assay --yes
For a key that was lost or got into wrong hands: revokes every key of the first workspace's administrator and puts a
new one into admin.key. Works on a directory that no process uses: who may write its files may do this.)";

result<void> reset(settings const& s, bool sure)
{
    if (!s.url.empty())
        return fail(errc::invalid, "reset works on a data directory: give --data, not --url",
                    "usage");
    if (!sure)
        return fail(
            errc::invalid,
            fmt::format(
                "this revokes every key of the administrator of {}; say --yes if that is meant",
                s.data.string()),
            "usage");
    if (!std::filesystem::is_directory(s.data / "db"))
        return fail(errc::not_found, fmt::format("there is no log in {}", s.data.string()));
    engine::engine_options options;
    options.data_dir = s.data;
    options.holder = "assay admin reset";
    ASSAY_TRY(auto const e, engine::engine::open(std::move(options)));
    ASSAY_TRY(auto const revoked, api::renew_admin_key(*e));
    fmt::print("a new key is in {}; {} older ones are revoked\n", (s.data / "admin.key").string(),
               revoked);
    return {};
}

} // namespace

void add_admin(CLI::App& root, settings const& s, int& exit_code)
{
    auto* const verb =
        root.add_subcommand("admin", "Workspaces, API keys, and the data directory itself");
    require_verb(*verb);
    verb->footer("Examples:\n  assay admin api-key create ci\n  assay admin workspace list");

    auto* const workspace = verb->add_subcommand("workspace", "Tenants of this instance");
    require_verb(*workspace);
    for (auto const& what : workspace_operations())
        add_operation(*workspace, what, s, exit_code);

    auto* const keys = verb->add_subcommand("api-key", "Keys of people and programs");
    require_verb(*keys);
    for (auto const& what : key_operations())
        add_operation(*keys, what, s, exit_code);

    auto const sure = std::make_shared<bool>(false);
    auto* const resetting = verb->add_subcommand("reset", "Make a new administrator key, offline");
    resetting->footer(reset_example);
    resetting->add_flag("--yes", *sure, "Yes, revoke the old ones");
    resetting->callback([&s, &exit_code, sure] {
        auto const done = reset(s, *sure);
        exit_code = done ? exit_ok : complain(done.error());
    });
}

} // namespace assay::tools
