#include "projections/notes_rows.hpp"
#include "projections/text_match.hpp"

#include <algorithm>

namespace assay::projections {

namespace {

using namespace notes_rows;

/// One list of notes, newest first: counts what matches and keeps a page of it.
template <class Row>
class note_list {
public:
    using read_function = std::function<result<Row>(uuid const&)>;
    using match_function = std::function<bool(Row const&)>;

    note_list(reader const& views, key const& prefix, std::uint32_t notes, page const& page)
        : views_(views), prefix_(prefix), notes_(notes), page_(page)
    {
    }

    /// The page alone.
    result<void> take_all(read_function const& read)
    {
        total = notes_;
        if (page_.offset >= notes_)
            return {};
        auto const first = notes_ - 1 - static_cast<std::uint32_t>(page_.offset);
        return visit(listed(prefix_, first), [&](listed_note const& n) -> result<bool> {
            if (rows.size() >= page_.limit)
                return false;
            ASSAY_TRY(auto row, read(n.id));
            rows.push_back(std::move(row));
            return true;
        });
    }

    result<void> take_matching(note_filter const& f, read_function const& read,
                               match_function const& matches)
    {
        return visit(prefix_, [&](listed_note const& n) -> result<bool> {
            if (f.from && n.at < *f.from)
                return false; // all that follow are older
            if (f.to && *f.to < n.at)
                return true;
            ASSAY_TRY(auto row, read(n.id));
            if (!matches(row))
                return true;
            if (total++ >= page_.offset && rows.size() < page_.limit)
                rows.push_back(std::move(row));
            return true;
        });
    }

    std::vector<Row> rows;
    std::uint64_t total = 0;

private:
    template <class Each>
    result<void> visit(std::string_view from, Each const& each)
    {
        std::optional<error> problem;
        ASSAY_CHECK(fetch_range<listed_note>(views_, view_id::notes, prefix_, from,
                                             [&](std::string_view, listed_note const& n) {
                                                 auto more = each(n);
                                                 if (!more)
                                                     problem = std::move(more.error());
                                                 return more && *more;
                                             }));
        if (problem)
            return std::unexpected(std::move(*problem));
        return {};
    }

    reader const& views_;
    key const prefix_;
    std::uint32_t const notes_;
    page const page_;
};

result<std::uint32_t> count_of(reader const& views, key const& where)
{
    ASSAY_TRY(auto row, fetch<note_count>(views, view_id::notes, where));
    return row ? row->notes : 0;
}

bool has_filter(note_filter const& f)
{
    return !f.text.empty() || f.from || f.to || f.within_departments;
}

bool visible(group_row const& row, note_filter const& f)
{
    if (!f.within_departments || row.departments.empty())
        return true;
    return std::ranges::any_of(row.departments, [&](uuid const& d) {
        return std::ranges::find(*f.within_departments, d) != f.within_departments->end();
    });
}

std::string name_of(draft_row const& row)
{
    auto const form = draft_form(row);
    auto const* const name = form.if_contains("name");
    return name && name->is_string() ? std::string(name->get_string()) : std::string();
}

} // namespace

result<draft_row> get_draft(reader const& views, uuid const& workspace, uuid const& profile,
                            uuid const& draft)
{
    ASSAY_TRY(auto row, fetch<draft_row>(views, view_id::notes, note_key('d', draft)));
    if (!row || row->workspace != workspace || row->profile != profile)
        return fail(errc::not_found, "there is no such draft", "draft_not_found");
    row->id = draft;
    return std::move(*row);
}

result<group_row> get_group(reader const& views, uuid const& workspace, uuid const& group)
{
    ASSAY_TRY(auto row, fetch<group_row>(views, view_id::notes, note_key('g', group)));
    if (!row || row->workspace != workspace)
        return fail(errc::not_found, "there is no such group", "group_not_found");
    row->id = group;
    return std::move(*row);
}

result<std::optional<staged_row>> get_staged_write(reader const& views, uuid const& note)
{
    return fetch<staged_row>(views, view_id::notes, note_key('s', note));
}

result<draft_page> list_drafts(reader const& views, uuid const& workspace, uuid const& profile,
                               note_filter const& filter, page const& page)
{
    ASSAY_TRY(auto const notes, count_of(views, draft_count_key(workspace, profile)));
    note_list<draft_row> list(views, drafts_prefix(workspace, profile), notes, page);
    auto const read = [&](uuid const& id) { return get_draft(views, workspace, profile, id); };
    text_match const wanted(filter.text);
    if (has_filter(filter))
        ASSAY_CHECK(list.take_matching(
            filter, read, [&](draft_row const& row) { return wanted.in(name_of(row)); }));
    else
        ASSAY_CHECK(list.take_all(read));
    return draft_page{std::move(list.rows), list.total};
}

result<group_page> list_groups(reader const& views, uuid const& workspace,
                               note_filter const& filter, page const& page)
{
    ASSAY_TRY(auto const notes, count_of(views, group_count_key(workspace)));
    note_list<group_row> list(views, groups_prefix(workspace), notes, page);
    auto const read = [&](uuid const& id) { return get_group(views, workspace, id); };
    text_match const wanted(filter.text);
    if (has_filter(filter))
        ASSAY_CHECK(list.take_matching(filter, read, [&](group_row const& row) {
            return visible(row, filter) && wanted.in(row.title);
        }));
    else
        ASSAY_CHECK(list.take_all(read));
    return group_page{std::move(list.rows), list.total};
}

} // namespace assay::projections
