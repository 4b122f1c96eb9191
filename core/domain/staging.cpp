#include "core/domain/staging.hpp"

#include "core/domain/decide_parts.hpp"

#include <fmt/format.h>

namespace assay {

namespace {

constexpr std::string_view answer_member = "staged";

result<decision> stage(partition_state const& state, any_command const& command, staging const& how)
{
    if (state.notes.contains(how.note))
        return fail(errc::conflict, "a write is staged under this key already", "write_staged");
    ASSAY_TRY(auto made, decide(state, command));
    event::write_staged staged{how.operation, how.body, how.body_hash, made.answer};
    made.answer[answer_member] = "staged";
    return decision{{{note_stream(how.note), std::move(staged)}}, std::move(made.answer)};
}

/// The note that waits for this answer.
result<note_state const*> waiting(partition_state const& state, staging const& how)
{
    auto const found = state.notes.find(how.note);
    if (found == state.notes.end() || found->second.kind != note_kind::staged_write)
        return fail(errc::invalid, "nothing was staged under this key", "nothing_staged");
    auto const& note = found->second;
    if (note.body_hash != how.body_hash)
        return fail(errc::idempotency_reused,
                    "another body was staged under this key; accept or reject what was staged",
                    "idempotency_key_reused");
    if (note.phase != note_phase::open)
        return fail(errc::conflict,
                    fmt::format("the write was {} before", codec::enum_name(note.phase)),
                    fmt::format("write_{}", codec::enum_name(note.phase)));
    return &note;
}

result<decision> perform(partition_state const& state, any_command const& command,
                         staging const& how)
{
    ASSAY_TRY(auto made, decide(state, command));
    made.events.push_back({note_stream(how.note), event::write_accepted{}});
    made.answer[answer_member] = "accepted";
    return made;
}

result<decision> drop(note_state const& note, staging const& how)
{
    ASSAY_TRY(auto answer, json::parse_stored(note.answer));
    answer.as_object()[answer_member] = "rejected";
    return decision{{{note_stream(how.note), event::write_rejected{}}},
                    std::move(answer.as_object())};
}

} // namespace

result<decision> decide(partition_state const& state, any_command const& command,
                        staging const& how)
{
    if (how.step == staging_step::stage)
        return stage(state, command, how);
    ASSAY_TRY(auto const* const note, waiting(state, how));
    if (how.step == staging_step::accept)
        return perform(state, command, how);
    return drop(*note, how);
}

} // namespace assay
