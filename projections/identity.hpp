#pragma once

#include "core/hash.hpp"
#include "projections/reader.hpp"
#include "projections/rows.hpp"

#include <optional>
#include <string>
#include <vector>

namespace assay::projections {

struct workspace_row {
    uuid id; ///< from the key
    std::string name;
    instant created_at;
};
BOOST_DESCRIBE_STRUCT(workspace_row, (), (name, created_at))

struct api_key_row {
    uuid id;
    uuid workspace;
    uuid profile;
    std::string name;
    instant created_at;
    std::optional<instant> revoked_at;
    std::string revoked_because;
};
BOOST_DESCRIBE_STRUCT(api_key_row, (),
                      (id, workspace, profile, name, created_at, revoked_at, revoked_because))

/// Workspaces and API keys. Reads workspace.* and api_key.*.
///
/// Rows:  w workspace -> workspace_row
///        h SHA-256 of the key -> api_key_row
///        k API key's id -> its hash
///        l workspace, position, index -> API key's hash
class identity {
public:
    static constexpr std::string_view name = "identity";
    static constexpr std::uint32_t schema = 1;

    [[nodiscard]] result<void> apply(events::recorded const& e, rows& out) const;
    [[nodiscard]] std::string describe(std::string_view key, std::string_view value) const;
};

/// By the SHA-256 of what the client sent; none if there is no such key. A revoked one is found,
/// too.
[[nodiscard]] result<std::optional<api_key_row>> find_api_key(reader const& views,
                                                              digest const& secret_hash);

/// A workspace's keys in the order of their creation, the revoked among them.
[[nodiscard]] result<std::vector<api_key_row>> list_api_keys(reader const& views,
                                                             uuid const& workspace);

/// @returns errc::not_found also for another workspace's key.
[[nodiscard]] result<api_key_row> get_api_key(reader const& views, uuid const& workspace,
                                              uuid const& id);

[[nodiscard]] result<std::vector<workspace_row>> list_workspaces(reader const& views);

[[nodiscard]] result<workspace_row> get_workspace(reader const& views, uuid const& id);

} // namespace assay::projections
