#include "projections/files.hpp"

#include "projections/describe.hpp"
#include "projections/key.hpp"

namespace assay::projections {

namespace {

key file_key(uuid const& workspace, uuid const& file)
{
    return key('f').id(workspace).id(file);
}

} // namespace

result<void> files::apply(events::recorded const& e, rows& out) const
{
    if (auto const* const stored = std::get_if<event::file_stored>(&e.body))
        save_new(out, file_key(e.head->workspace, stored->file),
                 file_row{*stored, e.head->profile, e.head->at});
    return {};
}

std::string files::describe(std::string_view, std::string_view value) const
{
    return describe_row<file_row>(value);
}

result<file_row> get_file(reader const& views, uuid const& workspace, uuid const& file)
{
    ASSAY_TRY(auto row, fetch<file_row>(views, view_id::files, file_key(workspace, file)));
    if (!row)
        return fail(errc::not_found, "there is no such file", "file_not_found");
    return std::move(*row);
}

} // namespace assay::projections
