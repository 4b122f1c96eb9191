#include "projections/open_cells_rows.hpp"

namespace assay::projections {

namespace {

using namespace open_cells_rows;

/// Walks over the cells [first, last) that are still queued, while `visit` returns true.
template <class Visit>
result<bool> visit_queued(reader const& views, open_test const& test, std::uint64_t first,
                          std::uint64_t last, Visit const& visit)
{
    auto next = first;
    bool wanted = true;
    auto const pass_untouched = [&](std::uint64_t end) {
        for (; wanted && next < end; ++next) {
            if (!closed(test, static_cast<std::uint32_t>(next)))
                wanted = visit(static_cast<std::uint32_t>(next));
        }
    };
    auto const start = static_cast<std::uint32_t>(first);
    ASSAY_CHECK(fetch_range<chunk_row>(
        views, view_id::open_cells, key('n').id(test.id), chunk_key(test.id, start),
        [&](std::string_view k, chunk_row const& row) {
            auto const begin = std::uint64_t{key_reader(k.substr(17)).u32()} * chunk_cells;
            if (begin >= last)
                return false;
            pass_untouched(std::min(begin, last));
            auto const end = std::min(begin + chunk_cells, last);
            for (; wanted && next < end; ++next) {
                auto const cell = static_cast<std::uint32_t>(next);
                if (!row.has_left(cell) && !closed(test, cell))
                    wanted = visit(cell);
            }
            return wanted;
        }));
    pass_untouched(last);
    return wanted;
}

result<std::optional<open_test>> read_test(reader const& views, uuid const& id)
{
    ASSAY_TRY(auto row, fetch<open_test>(views, view_id::open_cells, test_key(id)));
    if (row)
        row->id = id;
    return row;
}

} // namespace

result<std::vector<open_test>> list_open_tests(reader const& views)
{
    std::vector<uuid> ids;
    ASSAY_CHECK(views.scan(view_id::open_cells, "o", {}, [&](std::string_view k, std::string_view) {
        ids.push_back(key_reader(k.substr(1)).id());
        return true;
    }));
    std::vector<open_test> out;
    for (auto const& id : ids) {
        ASSAY_TRY(auto row, read_test(views, id));
        if (row)
            out.push_back(*row);
    }
    return out;
}

result<std::optional<open_test>> get_open_test(reader const& views, uuid const& test)
{
    ASSAY_TRY(auto row, read_test(views, test));
    if (row && row->queued + row->running == 0)
        row.reset();
    return row;
}

result<std::vector<std::uint32_t>> next_queued(reader const& views, uuid const& test,
                                               std::uint32_t from, std::size_t limit)
{
    std::vector<std::uint32_t> out;
    ASSAY_TRY(auto const row, read_test(views, test));
    if (!row || row->queued == 0 || limit == 0)
        return out;
    auto const take = [&](std::uint32_t cell) {
        out.push_back(cell);
        return out.size() < limit;
    };
    auto const grid = row->size.cells();
    if (from < grid && !row->grid_closed) {
        ASSAY_TRY(auto const wanted, visit_queued(views, *row, from, grid, take));
        if (!wanted)
            return out;
    }
    auto const added = std::uint64_t{added_cells_from} + row->added_closed;
    ASSAY_CHECK(visit_queued(views, *row, std::max<std::uint64_t>(from, added),
                             std::uint64_t{added_cells_from} + row->added, take));
    return out;
}

result<std::vector<open_run>> list_open_runs(reader const& views, uuid const& test)
{
    std::vector<open_run> out;
    ASSAY_TRY(auto const row, read_test(views, test));
    if (!row || row->running == 0)
        return out;
    ASSAY_CHECK(fetch_range<chunk_row>(views, view_id::open_cells, key('n').id(test), {},
                                       [&](std::string_view k, chunk_row const& chunk) {
                                           auto const begin =
                                               key_reader(k.substr(17)).u32() * chunk_cells;
                                           for (auto const& r : chunk.running)
                                               out.push_back({begin + r.cell, r.run});
                                           return out.size() < row->running;
                                       }));
    return out;
}

result<std::optional<std::uint32_t>> first_open(reader const& views, uuid const& test)
{
    ASSAY_TRY(auto const queued, next_queued(views, test, 0, 1));
    ASSAY_TRY(auto const running, list_open_runs(views, test));
    std::optional<std::uint32_t> out;
    if (!queued.empty())
        out = queued.front();
    if (!running.empty() && (!out || running.front().cell < *out))
        out = running.front().cell;
    return out;
}

} // namespace assay::projections
