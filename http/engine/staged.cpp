#include "core/json.hpp"
#include "http/engine/engine.hpp"
#include "projections/notes.hpp"

#include <fmt/format.h>

namespace assay::engine {

namespace {

/// The note of a staged write. Nobody can name another's: it follows from who asks.
uuid note_of(caller const& who, std::string_view operation, std::uint64_t part,
             events::workspace_keys const& keys)
{
    auto const scope =
        fmt::format("{} {} {} {}", who.profile.text(), operation, part, who.idempotency_key);
    return derive_uuid(events::keyed_hash(keys, "staged", scope).raw());
}

} // namespace

result<void> engine::add_staging(caller const& who, std::uint64_t part, prepared& p) const
{
    ASSAY_TRY(auto keys, vault_->keys_of(who.workspace));
    staging how{*who.staging,
                note_of(who, p.operation, part, *keys),
                p.operation,
                {},
                events::keyed_hash(*keys, "body", who.body)};
    if (how.step == staging_step::stage)
        how.body = events::seal(*keys, who.body, p.staged_blobs);
    p.staging = std::move(how);
    return {};
}

result<prepared> engine::prepare_replay(caller const& who, std::string operation) const
{
    ASSAY_TRY(auto p, prepare(who, std::move(operation), command::change_nothing{}));
    p.staging.reset();
    return p;
}

result<json::object> engine::staged_body(caller const& who, std::string_view operation) const
{
    ASSAY_TRY(auto keys, vault_->keys_of(who.workspace));
    ASSAY_TRY(auto row, projections::get_staged_write(*read(), note_of(who, operation, 0, *keys)));
    if (!row)
        return fail(errc::invalid, "nothing was staged under this key", "nothing_staged");
    ASSAY_TRY(auto body, text(who.workspace, row->body));
    ASSAY_TRY(auto parsed, json::parse_stored(body));
    return std::move(parsed.as_object());
}

} // namespace assay::engine
