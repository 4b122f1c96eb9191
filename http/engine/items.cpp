#include "core/json.hpp"
#include "http/engine/engine.hpp"

#include <fmt/format.h>

namespace assay::engine {

namespace {

/// Members of a body larger than this are stored as sealed texts: an event stays small, an eval may
/// list 100,000 scenarios.
constexpr std::size_t body_member_max = 16 * 1024;

constexpr std::string_view large_member = "json:";

constexpr std::size_t name_max = 500;

result<void> check_name(std::string_view name)
{
    if (!name.empty() && name.size() <= name_max)
        return {};
    error e{errc::invalid, fmt::format("a name has 1 to {} bytes", name_max), "name_length"};
    e.fields.push_back({{"body", "name"}, e.detail, "string_length"});
    return std::unexpected(std::move(e));
}

} // namespace

result<prepared> engine::prepare_create(caller const& who, item_kind kind, item_draft draft,
                                        std::uint64_t part) const
{
    auto operation = fmt::format("{}.create", codec::enum_name(kind));
    ASSAY_TRY(auto command, command_id(who, operation));
    if (!draft.id)
        draft.id = derive_uuid(command, codec::enum_name(kind), part);
    return prepare_save(who, kind, std::move(draft), part, std::move(operation), true);
}

result<prepared> engine::prepare_update(caller const& who, item_kind kind, item_draft draft,
                                        std::uint64_t part) const
{
    if (!draft.id)
        return fail(errc::invalid, "an update names the item", "id_missing");
    return prepare_save(who, kind, std::move(draft), part,
                        fmt::format("{}.update", codec::enum_name(kind)), false);
}

result<prepared> engine::prepare_save(caller const& who, item_kind kind, item_draft draft,
                                      std::uint64_t part, std::string operation, bool create) const
{
    ASSAY_CHECK(check_name(draft.name));
    command::save_item save;
    save.id = *draft.id;
    save.create = create;
    save.item.kind = kind;
    save.item.name = std::move(draft.name);
    save.item.active = draft.active;
    save.item.departments = std::move(draft.departments);

    events::blob_list blobs;
    for (auto const& member : draft.body) {
        auto text = json::canonical(member.value());
        if (text.size() <= body_member_max) {
            save.item.body[member.key()] = member.value();
            continue;
        }
        ASSAY_TRY(auto sealed, seal(who.workspace, text, blobs));
        save.item.texts.push_back(
            {std::string(large_member).append(member.key()), std::move(sealed)});
    }
    for (auto const& [field, text] : draft.texts) {
        ASSAY_TRY(auto sealed, seal(who.workspace, text, blobs));
        save.item.texts.push_back({field, std::move(sealed)});
    }
    ASSAY_TRY(auto p, prepare(who, std::move(operation), std::move(save), part));
    p.blobs = std::move(blobs);
    return p;
}

result<item> engine::resolve(uuid const& workspace, projections::item_row row) const
{
    item out;
    out.body = projections::item_body(row);
    for (auto const& sealed : row.texts) {
        auto plain = text(workspace, sealed.text);
        if (!plain && plain.error().code == errc::gone) {
            out.erased.push_back(sealed.field);
            continue;
        }
        if (!plain)
            return std::unexpected(std::move(plain.error()));
        if (!sealed.field.starts_with(large_member)) {
            out.texts.emplace_back(sealed.field, std::move(*plain));
            continue;
        }
        ASSAY_TRY(auto member, json::parse_stored(*plain));
        out.body[sealed.field.substr(large_member.size())] = std::move(member);
    }
    out.row = std::move(row);
    return out;
}

result<item> engine::read_item(projections::reader const& views, uuid const& workspace,
                               item_kind kind, uuid const& id) const
{
    ASSAY_TRY(auto row, projections::get_item(views, workspace, kind, id));
    return resolve(workspace, std::move(row));
}

} // namespace assay::engine
