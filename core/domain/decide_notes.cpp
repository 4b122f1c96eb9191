#include "core/domain/decide_notes.hpp"

#include "core/domain/decide_parts.hpp"

#include <fmt/format.h>

namespace assay {

namespace {

/// The note, if it is there, of this kind and the caller's workspace.
note_state const* find_note(partition_state const& state, uuid const& id, note_kind kind)
{
    auto const found = state.notes.find(id);
    if (found == state.notes.end() || !found->second.exists || found->second.kind != kind ||
        found->second.workspace != state.workspace)
        return nullptr;
    return &found->second;
}

result<void> titled_group_exists(partition_state const& state, command::title_group const& c)
{
    if (c.test)
        return open_test(state);
    if (!find_note(state, c.group, note_kind::group))
        return fail(errc::not_found, "there is no such group", "group_not_found");
    return {};
}

} // namespace

result<decision> decide_note(partition_state const& state, command::save_draft const& c)
{
    auto const* const note = find_note(state, c.draft, note_kind::draft);
    if (!c.create && !note)
        return fail(errc::not_found, "there is no such draft", "draft_not_found");
    if (c.create && state.notes.contains(c.draft))
        return fail(errc::conflict, "a draft with this id is there already", "draft_exists");
    auto const version = note ? note->version : 0;
    if (c.expected_version && *c.expected_version != version)
        return fail(errc::conflict,
                    fmt::format("the draft is at version {}, not {}", version, *c.expected_version),
                    "version_conflict");
    return decision{
        {{note_stream(c.draft), event::draft_saved{c.set, c.texts}}},
        {{"draft_id", c.draft.text()}, {"new_version", version + 1}, {"created", c.create}}};
}

result<decision> decide_note(partition_state const& state, command::open_group const& c)
{
    bool const known = find_note(state, c.group, note_kind::group) != nullptr;
    decision d{{}, {{"group_id", c.group.text()}, {"known", known}}};
    if (!known)
        d.events.push_back({note_stream(c.group), event::group_opened{}});
    return d;
}

result<decision> decide_note(partition_state const& state, command::title_group const& c)
{
    ASSAY_CHECK(titled_group_exists(state, c));
    return decision{
        {{note_stream(c.group), event::group_titled{c.name, c.title}}},
        {{"group_id", c.group.text()}, {"group_name_id", c.name.text()}, {"title", c.title}}};
}

result<decision> decide_note(partition_state const& state, command::report_problem const& c)
{
    if (state.notes.contains(c.problem))
        return fail(errc::conflict, "a problem with this id is there already", "problem_exists");
    return decision{{{note_stream(c.problem), event::problem_reported{c.kind, c.message}}},
                    {{"problem_id", c.problem.text()}}};
}

} // namespace assay
