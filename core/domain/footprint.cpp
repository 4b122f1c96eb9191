#include "core/domain/decide_parts.hpp"

namespace assay {

namespace {

struct footprinter {
    uuid workspace;

    static footprint cells(uuid const& test, std::vector<std::uint32_t> const& indexes)
    {
        footprint f{test, {test_stream(test)}};
        for (auto const index : indexes)
            f.streams.push_back(cell_stream(test, index));
        return f;
    }

    footprint operator()(command::create_workspace const& c) const
    {
        return {c.id, {{stream_kind::workspace, c.id}}};
    }

    footprint operator()(command::create_api_key const& c) const
    {
        return {workspace, {{stream_kind::api_key, c.id}}};
    }

    footprint operator()(command::revoke_api_key const& c) const
    {
        return {workspace, {{stream_kind::api_key, c.id}}};
    }

    footprint operator()(command::save_item const& c) const
    {
        return {workspace, {{stream_kind::item, c.id}}};
    }

    footprint operator()(command::delete_item const& c) const
    {
        return {workspace, {{stream_kind::item, c.id}}};
    }

    footprint operator()(command::save_draft const& c) const
    {
        return {workspace, {note_stream(c.draft)}};
    }

    footprint operator()(command::open_group const& c) const
    {
        return {workspace, {note_stream(c.group)}};
    }

    footprint operator()(command::title_group const& c) const
    {
        if (c.test)
            return {*c.test, {test_stream(*c.test), note_stream(c.group)}};
        return {workspace, {note_stream(c.group)}};
    }

    footprint operator()(command::report_problem const& c) const
    {
        return {workspace, {note_stream(c.problem)}};
    }

    footprint operator()(command::note_decrypt const&) const { return of_workspace(); }

    footprint operator()(command::store_file const&) const { return of_workspace(); }

    footprint of_workspace() const { return {workspace, {{stream_kind::workspace, workspace}}}; }

    footprint operator()(command::change_nothing const&) const { return {workspace, {}}; }

    footprint operator()(command::begin_runs const& c) const { return cells(c.test, c.cells); }

    footprint operator()(command::fail_cells const& c) const { return cells(c.test, c.cells); }

    template <class Command>
    footprint operator()(Command const& c) const
    {
        if constexpr (requires { std::uint32_t{c.cell}; })
            return cells(c.test, {c.cell});
        else
            return cells(c.test, {});
    }
};

} // namespace

footprint footprint_of(any_command const& command, uuid const& workspace)
{
    return std::visit(footprinter{workspace}, command);
}

} // namespace assay
