#pragma once

#include "core/domain/event.hpp"
#include "projections/reader.hpp"
#include "projections/rows.hpp"
#include "projections/tests.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace assay::projections {

/// One catalog item as it is now.
struct item_row {
    uuid id; ///< from the key
    item_kind kind{};
    std::string name;
    bool active = true;
    std::vector<uuid> departments;
    std::string body; ///< canonical JSON; see item_body
    std::vector<sealed_field> texts;
    instant created_at;
    instant updated_at;
    uuid created_by;
    uuid updated_by;
    std::uint64_t version = 0; ///< of its stream: how often it was written
    std::uint64_t position = 0;
    std::uint32_t index = 0; ///< with `position`, where it was created: its place in lists
};
BOOST_DESCRIBE_STRUCT(item_row, (),
                      (kind, name, active, departments, body, texts, created_at, updated_at,
                       created_by, updated_by, version, position, index))

/// Live catalog items. Reads item.*; a deleted item's rows are gone.
///
/// Rows:  i workspace, item -> item_row
///        l workspace, kind, position, index of its creation -> listed_item
///        m workspace, kind, hash of the name, item -> nothing
///        n workspace, kind -> how many
class catalog {
public:
    static constexpr std::string_view name = "catalog";
    static constexpr std::uint32_t schema = 1;

    [[nodiscard]] result<void> apply(events::recorded const& e, rows& out) const;
    [[nodiscard]] std::string describe(std::string_view key, std::string_view value) const;
};

/// The item's body as a JSON object.
[[nodiscard]] boost::json::object item_body(item_row const& item);

/// @returns errc::not_found for what is deleted, another workspace's or of another kind.
[[nodiscard]] result<item_row> get_item(reader const& views, uuid const& workspace, item_kind kind,
                                        uuid const& id);

/// The same whatever its kind.
[[nodiscard]] result<item_row> get_item(reader const& views, uuid const& workspace, uuid const& id);

struct item_filter {
    std::string text{};              ///< part of the name, any case (ASCII)
    std::optional<bool> active{};    ///< none: both
    std::vector<uuid> departments{}; ///< any of them; empty: all
    /// What the caller may see: these departments, and items of none.
    std::optional<std::vector<uuid>> within_departments{};
    bool newest_first = false; ///< else in the order of creation
};

struct item_page {
    std::vector<item_row> items;
    std::uint64_t total = 0; ///< without paging
};

/// Items of one kind. Reads the rows of the page, and, with a filter, a short entry for every item
/// of the kind.
[[nodiscard]] result<item_page> list_items(reader const& views, uuid const& workspace,
                                           item_kind kind, item_filter const& filter,
                                           page const& page);

/// Items of this very name, oldest first.
[[nodiscard]] result<std::vector<uuid>> find_items_by_name(reader const& views,
                                                           uuid const& workspace, item_kind kind,
                                                           std::string_view name);

[[nodiscard]] result<std::uint64_t> count_items(reader const& views, uuid const& workspace,
                                                item_kind kind);

} // namespace assay::projections
