#pragma once

#include "http/api/body_reader.hpp"
#include "http/engine/engine.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The nine kinds of catalog items as one table: what their requests take, what their rows show,
/// and where it is kept.
namespace assay::api {

enum class member_type : std::uint8_t {
    string, ///< kept as it is
    text,   ///< what a user wrote: sealed
    texts,  ///< a list of them: sealed, "<name>[0]" ...
    id,
    ids,
    boolean,
    integer,
    number,
    object,
    secret,          ///< goes to the vault, never comes back
    prompt,          ///< of an agent: {system_prompt, name, description}
    messages,        ///< of a scenario: [{role, content}]
    pricing,         ///< of a model
    tools,           ///< of an agent
    standard_groups, ///< of a rubric
};

/// One member of an item beside those that all kinds have.
struct member {
    std::string_view name;
    member_type type;
    std::optional<item_kind> refers{}; ///< ids: of live items of that kind
    bounds limits{};
    bool required = false; ///< when an item is created
    bool in_row = true;
};

struct kind_spec {
    item_kind kind;
    std::string_view name;        ///< "eval"
    std::string_view plural;      ///< "evals"
    std::string_view id_name;     ///< "eval_id"
    std::string_view get_name;    ///< older name of `id` in get
    std::string_view update_name; ///< what an update names the item by
    std::span<member const> members;

    /// Filters of search by a member: {"filter_provider_ids", "provider_id"}.
    struct filter {
        std::string_view name;
        std::string_view member;
    };

    std::span<filter const> filters{};
    bool has_departments = true;
};

/// In the order of item_kind.
[[nodiscard]] std::span<kind_spec const> kinds();
[[nodiscard]] kind_spec const& spec_of(item_kind kind);

/// What a request says of one item; nothing in a member: it was left out.
struct item_change {
    std::optional<uuid> id;
    std::optional<std::string> name;
    std::optional<std::string> description;
    std::optional<std::vector<uuid>> departments;
    std::optional<bool> active;
    json::object body; ///< members to be replaced
    std::vector<std::pair<std::string, std::string>> texts;
    std::vector<std::string> replaced_texts; ///< texts of these names, also with an index, go first
    std::optional<std::string> secret;

    struct reference {
        std::string field;
        item_kind kind;
        uuid id;
    };

    std::vector<reference> references;
};

/// Reads one item of a create or update; what is wrong goes to `bad`.
[[nodiscard]] item_change read_change(kind_spec const& spec, json::object const& from, bool create,
                                      body_problems& bad);

/// Puts a change over what is there (of a new item: nothing).
void apply(kind_spec const& spec, item_change const& change, engine::item_draft& draft);

/// The draft that leaves an item as it is.
[[nodiscard]] engine::item_draft draft_of(engine::item const& item);

/// What is shown of a secret: its last four characters if it is long enough for that to tell
/// nothing.
[[nodiscard]] std::string masked(std::string_view secret);

} // namespace assay::api
