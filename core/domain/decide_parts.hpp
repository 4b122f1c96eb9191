#pragma once

#include "core/domain/command.hpp"

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>

/// What several decisions begin with. Only decide*.cpp include this.
namespace assay {

[[nodiscard]] inline stream_id test_stream(uuid const& test)
{
    return {stream_kind::test, test};
}

[[nodiscard]] inline stream_id cell_stream(uuid const& test, std::uint32_t cell)
{
    return {stream_kind::cell, grid_id::make(test, grid_kind::invocation, cell)};
}

[[nodiscard]] inline stream_id note_stream(uuid const& note)
{
    return {stream_kind::note, note};
}

inline std::string id_text(uuid const& test, grid_kind kind, std::uint32_t cell,
                           std::uint16_t ordinal = 0)
{
    return grid_id::make(test, kind, cell, ordinal).text();
}

/// errc::not_found also for another workspace's.
[[nodiscard]] result<void> visible_test(partition_state const& state);

/// errc::conflict once the test is completed.
[[nodiscard]] result<void> open_test(partition_state const& state);

/// One cell that a command names, with its effective status.
struct cell_view {
    cell_state const& own;
    cell_status status;

    [[nodiscard]] bool open() const
    {
        return status == cell_status::queued || status == cell_status::running;
    }
};

[[nodiscard]] result<cell_view> cell_of(partition_state const& state, std::uint32_t index);

/// The cell, if its test is open.
[[nodiscard]] result<cell_view> open_cell(partition_state const& state, std::uint32_t index);

[[nodiscard]] std::unexpected<error> wrong_status(cell_status status, std::string_view wanted);

/// A run that was named is not the one that can be started or ended now.
[[nodiscard]] std::unexpected<error> wrong_run(std::uint16_t named, std::uint16_t now);

/// Counters of a cell are 16 bits wide; beyond that the cell has had its time.
[[nodiscard]] result<std::uint16_t> next_ordinal(std::uint16_t last, std::string_view what);

/// One more repeat, when an infinite test that was never stopped has no queued cell left.
void extend(test_state const& test, std::uint32_t queued, uuid const& id, decision& d);

[[nodiscard]] result<decision> decide_grade(partition_state const& state,
                                            command::grade_cell const& c);
[[nodiscard]] result<decision> decide_feedback(partition_state const& state,
                                               command::give_feedback const& c);
[[nodiscard]] result<decision> decide_end(partition_state const& state, command::end_cell const& c);

} // namespace assay
