#pragma once

#include "projections/key.hpp"
#include "projections/open_cells.hpp"

#include <algorithm>
#include <bit>

/// Keys and chunk rows of the view `open_cells`.
namespace assay::projections::open_cells_rows {

constexpr std::uint32_t chunk_cells = 1024;

struct chunk_run {
    std::uint16_t cell = 0; ///< within the chunk
    std::uint16_t run = 0;
};
BOOST_DESCRIBE_STRUCT(chunk_run, (), (cell, run))

/// 1024 neighbouring cells.
struct chunk_row {
    std::string left =
        std::string(chunk_cells / 8, '\0'); ///< a bit for each cell that is no longer queued
    std::vector<chunk_run> running;         ///< ascending by cell

    [[nodiscard]] bool has_left(std::uint32_t cell) const
    {
        auto const i = cell % chunk_cells;
        return (static_cast<std::uint8_t>(left[i / 8]) >> (i % 8) & 1U) != 0;
    }

    void leave(std::uint32_t cell)
    {
        auto const i = cell % chunk_cells;
        left[i / 8] = static_cast<char>(static_cast<std::uint8_t>(left[i / 8]) | 1U << (i % 8));
    }

    [[nodiscard]] auto find(std::uint32_t cell)
    {
        return std::lower_bound(running.begin(), running.end(), cell % chunk_cells,
                                [](chunk_run const& r, std::uint32_t c) { return r.cell < c; });
    }

    /// Whether it was not running before.
    bool start(std::uint32_t cell, std::uint16_t run)
    {
        auto const at = find(cell);
        bool const known = at != running.end() && at->cell == cell % chunk_cells;
        if (known)
            at->run = run;
        else
            running.insert(at, {static_cast<std::uint16_t>(cell % chunk_cells), run});
        return !known;
    }

    /// Whether it was running before.
    bool end(std::uint32_t cell)
    {
        auto const at = find(cell);
        if (at == running.end() || at->cell != cell % chunk_cells)
            return false;
        running.erase(at);
        return true;
    }
};
BOOST_DESCRIBE_STRUCT(chunk_row, (), (left, running))

inline key test_key(uuid const& test)
{
    return key('t').id(test);
}

inline key open_key(uuid const& test)
{
    return key('o').id(test);
}

inline key chunk_key(uuid const& test, std::uint32_t cell)
{
    return key('n').id(test).u32(cell / chunk_cells);
}

/// Whether a stop, or the end of the test, has closed every cell that was queued when it came and
/// is still untouched.
inline bool closed(open_test const& test, std::uint32_t cell)
{
    if (test.phase == test_phase::completed)
        return true;
    return cell >= added_cells_from ? cell - added_cells_from < test.added_closed
                                    : test.grid_closed;
}

} // namespace assay::projections::open_cells_rows
