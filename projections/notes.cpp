#include "projections/notes.hpp"

#include "core/grid_id.hpp"
#include "projections/describe.hpp"
#include "projections/notes_rows.hpp"

#include <algorithm>

namespace assay::projections {

namespace {

using namespace notes_rows;

struct applier {
    events::recorded const& e;
    rows& out;
    events::commit_head const& head = *e.head;
    uuid const& id = e.stream.id;

    /// Puts the note at the head of a list.
    result<void> list(key const& prefix, key const& where, uuid const& note) const
    {
        ASSAY_TRY(auto stored, load<note_count>(out, where));
        auto count = stored.value_or(note_count{});
        save_new(out, listed(prefix, count.notes++), listed_note{note, head.at});
        save(out, where, count);
        return {};
    }

    result<void> open(uuid const& group, group_row row) const
    {
        row.workspace = head.workspace;
        row.profile = head.profile;
        row.opened_at = head.at;
        save_new(out, note_key('g', group), row);
        return list(groups_prefix(head.workspace), group_count_key(head.workspace), group);
    }

    result<void> operator()(event::test_started const& s) const
    {
        group_row row;
        row.of_test = true;
        row.title = s.name;
        row.departments = s.departments;
        return open(grid_id::make(id, grid_kind::group), std::move(row));
    }

    result<void> operator()(event::group_opened const&) const { return open(id, {}); }

    result<void> operator()(event::group_titled const& t) const
    {
        ASSAY_TRY(auto row, load_existing<group_row>(out, note_key('g', id), "the group"));
        row.title = t.title;
        row.title_id = t.name;
        save(out, note_key('g', id), row);
        return {};
    }

    result<void> operator()(event::draft_saved const& d) const
    {
        auto const where = note_key('d', id);
        draft_row row;
        if (e.version > 1) {
            ASSAY_TRY(row, load_existing<draft_row>(out, where, "the draft"));
        } else {
            row.workspace = head.workspace;
            row.profile = head.profile;
            row.channel = head.channel;
            row.created_at = head.at;
            ASSAY_CHECK(list(drafts_prefix(head.workspace, head.profile),
                             draft_count_key(head.workspace, head.profile), id));
        }
        auto form = draft_form(row);
        for (auto const& member : d.set)
            form[member.key()] = member.value();
        row.form = json::canonical(form);
        for (auto const& text : d.texts) {
            std::erase_if(row.texts, [&](auto const& old) { return old.field == text.field; });
            row.texts.push_back(text);
        }
        ++row.version;
        row.changed_at = head.at;
        save(out, where, row);
        return {};
    }

    result<void> operator()(event::problem_reported const& p) const
    {
        save_new(out, note_key('p', id),
                 problem_row{head.workspace, head.profile, p.kind, p.message, head.at});
        return {};
    }

    result<void> operator()(event::write_staged const& w) const
    {
        save_new(
            out, note_key('s', id),
            staged_row{
                head.workspace, head.profile, w.operation, w.body, note_phase::open, head.at, {}});
        return {};
    }

    result<void> answer(note_phase phase) const
    {
        ASSAY_TRY(auto row, load_existing<staged_row>(out, note_key('s', id), "the staged write"));
        row.phase = phase;
        row.answered_at = head.at;
        save(out, note_key('s', id), row);
        return {};
    }

    result<void> operator()(event::write_accepted const&) const
    {
        return answer(note_phase::accepted);
    }

    result<void> operator()(event::write_rejected const&) const
    {
        return answer(note_phase::rejected);
    }

    template <class Other>
    result<void> operator()(Other const&) const
    {
        return {};
    }
};

} // namespace

result<void> notes::apply(events::recorded const& e, rows& out) const
{
    if (e.stream.kind != stream_kind::note && e.stream.kind != stream_kind::test)
        return {};
    return std::visit(applier{e, out}, e.body);
}

std::string notes::describe(std::string_view key, std::string_view value) const
{
    switch (key.front()) {
    case 'd': return describe_row<draft_row>(value);
    case 'g': return describe_row<group_row>(value);
    case 'l':
    case 'i': return describe_row<listed_note>(value);
    case 'n':
    case 'm': return describe_row<note_count>(value);
    case 'p': return describe_row<problem_row>(value);
    case 's': return describe_row<staged_row>(value);
    }
    return "\"" + to_hex(value) + "\"";
}

boost::json::object draft_form(draft_row const& draft)
{
    auto parsed = json::parse_stored(draft.form);
    return parsed && parsed->is_object() ? std::move(parsed->get_object()) : boost::json::object{};
}

} // namespace assay::projections
