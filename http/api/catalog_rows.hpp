#pragma once

#include "http/api/catalog_kinds.hpp"
#include "http/api/json_writer.hpp"
#include "http/api/route.hpp"
#include "projections/queries.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace assay::api {

/// What rows show of other items, each kind read once per request and only if it is needed.
class lookups {
public:
    lookups(projections::reader const& views, uuid const& workspace)
        : views_(views), workspace_(workspace)
    {
    }

    /// Name of an item; none if it is not there.
    [[nodiscard]] std::optional<std::string> name(item_kind kind, uuid const& id);

    /// Base URL of a provider.
    [[nodiscard]] std::optional<std::string> endpoint(uuid const& provider);

    /// Items of `kind` whose member `by` names `id`.
    [[nodiscard]] std::vector<uuid> users(item_kind kind, std::string_view by, uuid const& id);

    /// Profiles of a department.
    [[nodiscard]] std::vector<uuid> members_of(uuid const& department);

    /// Tests of an eval.
    [[nodiscard]] std::uint64_t tests_of(uuid const& eval);

private:
    std::vector<projections::item_row> const& all(item_kind kind);

    projections::reader const& views_;
    uuid const workspace_;
    std::map<item_kind, std::vector<projections::item_row>> items_;
    std::map<std::pair<item_kind, std::string>, std::map<uuid, std::vector<uuid>>> users_;
    std::map<uuid, std::optional<projections::item_row>> by_id_;
};

/// One row as search answers it.
///
/// @param others  none: only what the item itself says, so that the answer of a write can be
/// repeated byte for byte
void write_row(json_writer& w, kind_spec const& spec, incoming const& in, engine::item const& item,
               lookups* others);

/// The sections standard_groups and standards of rubrics.
void write_standards_of(json_writer& w, std::vector<engine::item> const& rubrics);

} // namespace assay::api
