#pragma once

#include "projections/key.hpp"
#include "projections/notes.hpp"

/// Keys of the view `notes`.
namespace assay::projections::notes_rows {

/// One entry of a list, newest first.
struct listed_note {
    uuid id;
    instant at;
};
BOOST_DESCRIBE_STRUCT(listed_note, (), (id, at))

struct note_count {
    std::uint32_t notes = 0;
};
BOOST_DESCRIBE_STRUCT(note_count, (), (notes))

inline key note_key(char table, uuid const& id)
{
    return key(table).id(id);
}

inline key drafts_prefix(uuid const& workspace, uuid const& profile)
{
    return key('l').id(workspace).id(profile);
}

inline key groups_prefix(uuid const& workspace)
{
    return key('i').id(workspace);
}

inline key draft_count_key(uuid const& workspace, uuid const& profile)
{
    return key('n').id(workspace).id(profile);
}

inline key group_count_key(uuid const& workspace)
{
    return key('m').id(workspace);
}

/// Later numbers sort first.
inline key listed(key prefix, std::uint32_t number)
{
    return prefix.u32(~number);
}

} // namespace assay::projections::notes_rows
