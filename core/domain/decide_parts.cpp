#include "core/domain/decide_parts.hpp"

namespace assay {

result<void> visible_test(partition_state const& state)
{
    if (!state.test.exists || state.test.workspace != state.workspace)
        return fail(errc::not_found, "there is no such test", "test_not_found");
    return {};
}

result<void> open_test(partition_state const& state)
{
    ASSAY_CHECK(visible_test(state));
    if (state.test.phase == test_phase::completed)
        return fail(errc::conflict, "the test is completed; nothing about it changes any more",
                    "test_completed");
    return {};
}

result<cell_view> cell_of(partition_state const& state, std::uint32_t index)
{
    static cell_state const untouched{};
    if (!state.test.has_cell(index))
        return fail(errc::not_found, "there is no such invocation", "invocation_not_found");
    auto const found = state.cells.find(index);
    auto const& cell = found == state.cells.end() ? untouched : found->second;
    return cell_view{cell, effective_status(state.test, cell)};
}

result<cell_view> open_cell(partition_state const& state, std::uint32_t index)
{
    ASSAY_CHECK(open_test(state));
    return cell_of(state, index);
}

std::unexpected<error> wrong_status(cell_status status, std::string_view wanted)
{
    auto const name = codec::enum_name(status);
    return fail(errc::conflict, fmt::format("the invocation is {}; {}", name, wanted),
                fmt::format("invocation_{}", name));
}

std::unexpected<error> wrong_run(std::uint16_t named, std::uint16_t now)
{
    if (named == 0 || named > now)
        return fail(errc::not_found, "there is no such run", "run_not_found");
    return fail(errc::conflict, "the run has ended; the invocation was fired again since",
                "run_ended");
}

result<std::uint16_t> next_ordinal(std::uint16_t last, std::string_view what)
{
    if (last == UINT16_MAX)
        return fail(errc::conflict, fmt::format("the invocation has no room for another {}", what),
                    "invocation_full");
    return static_cast<std::uint16_t>(last + 1);
}

void extend(test_state const& test, std::uint32_t queued, uuid const& id, decision& d)
{
    if (queued > 0 || test.phase != test_phase::running || test.stops > 0 ||
        test.size.repeats >= test.max_repeats)
        return;
    auto bigger = test.size;
    ++bigger.repeats;
    auto const cells = static_cast<std::uint32_t>(bigger.cells() - test.size.cells());
    d.events.push_back({test_stream(id), event::test_extended{bigger.repeats, cells}});
}

} // namespace assay
