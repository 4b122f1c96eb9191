#include "projections/traces.hpp"

#include "projections/describe.hpp"
#include "projections/key.hpp"
#include "projections/streams.hpp"

namespace assay::projections {

namespace {

key cell_key(uuid const& test, std::uint32_t cell)
{
    return key('t').id(test).u32(cell);
}

} // namespace

result<void> traces::apply(events::recorded const& e, rows& out) const
{
    auto const* opened = std::get_if<event::trace_opened>(&e.body);
    if (!opened)
        return {};
    ASSAY_TRY(auto const id, cell_of(e));
    auto const& head = *e.head;
    save_new(out, cell_key(id.test, id.cell).u16(opened->trace),
             trace_row{opened->trace, opened->run, codec::to_json(opened->bundle), opened->texts,
                       head.profile, head.channel, head.at});
    return {};
}

std::string traces::describe(std::string_view, std::string_view value) const
{
    return describe_row<trace_row>(value);
}

boost::json::object trace_bundle(trace_row const& trace)
{
    auto parsed = json::parse_stored(trace.bundle);
    return parsed && parsed->is_object() ? std::move(parsed->get_object()) : boost::json::object{};
}

result<std::vector<trace_row>> list_traces(reader const& views, uuid const& test,
                                           std::uint32_t cell)
{
    std::vector<trace_row> out;
    ASSAY_CHECK(fetch_range<trace_row>(views, view_id::traces, cell_key(test, cell), {},
                                       [&](std::string_view, trace_row row) {
                                           out.push_back(std::move(row));
                                           return true;
                                       }));
    return out;
}

result<std::optional<trace_row>> get_trace(reader const& views, uuid const& test,
                                           std::uint32_t cell, std::uint16_t trace)
{
    return fetch<trace_row>(views, view_id::traces, cell_key(test, cell).u16(trace));
}

} // namespace assay::projections
