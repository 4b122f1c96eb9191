#include "projections/cells_rows.hpp"
#include "projections/open_cells.hpp"

namespace assay::projections {

namespace {

using namespace cells_rows;

std::unexpected<error> no_cell()
{
    return fail(errc::not_found, "there is no such invocation", "invocation_not_found");
}

/// The cells of one test in the order of their list.
class cell_list {
public:
    cell_list(test_row const& test, test_counts const& counts)
        : test_(test), size_(test.size()), grid_(size_.cells()), added_(counts.added)
    {
        to_state(counts, state_);
    }

    [[nodiscard]] std::uint64_t total() const { return grid_ + added_; }

    [[nodiscard]] std::uint32_t cell_at_position(std::uint64_t position) const
    {
        return position < grid_ ? static_cast<std::uint32_t>(position)
                                : static_cast<std::uint32_t>(added_cells_from + (position - grid_));
    }

    [[nodiscard]] bool has(std::uint32_t cell) const
    {
        return cell >= added_cells_from ? cell - added_cells_from < added_ : cell < grid_;
    }

    /// @param stored  none: nothing has happened to it
    [[nodiscard]] cell_view make(std::uint32_t cell, std::optional<cell_row> stored) const
    {
        cell_view v;
        v.cell = cell;
        v.invocation = grid_id::make(test_.id, grid_kind::invocation, cell);
        v.touched = stored.has_value();
        if (stored)
            v.row = std::move(*stored);
        if (cell >= added_cells_from) {
            v.position = grid_ + (cell - added_cells_from);
            v.place = {v.row.own.added_model, v.row.own.added_scenario, v.row.own.added_agent, 0};
            v.created_at = v.row.touched_at;
        } else {
            v.position = cell;
            v.place = place_of(size_, cell);
            v.created_at = test_.started_at;
        }
        v.status = effective_status(state_, v.row.own);
        return v;
    }

private:
    test_row const& test_;
    grid_size const size_;
    std::uint64_t const grid_;
    std::uint64_t const added_;
    test_state state_;
};

/// Appends the cells [first, last] with their rows; absent rows are implied.
result<void> append_range(reader const& views, test_row const& test, cell_list const& list,
                          std::uint32_t first, std::uint32_t last, std::vector<cell_view>& out)
{
    auto next = std::uint64_t{first};
    ASSAY_CHECK(fetch_range<cell_row>(
        views, view_id::cells, key('c').id(test.id), cell_key(test.id, first),
        [&](std::string_view k, cell_row row) {
            auto const cell = key_reader(k.substr(17)).u32();
            if (cell > last)
                return false;
            for (; next < cell; ++next)
                out.push_back(list.make(static_cast<std::uint32_t>(next), {}));
            out.push_back(list.make(cell, std::move(row)));
            ++next;
            return next <= last;
        }));
    for (; next <= last; ++next)
        out.push_back(list.make(static_cast<std::uint32_t>(next), {}));
    return {};
}

} // namespace

result<test_counts> get_test_counts(reader const& views, uuid const& test)
{
    ASSAY_TRY(auto row, fetch<test_counts>(views, view_id::cells, counts_key(test)));
    if (!row)
        return fail(errc::not_found, "there is no such test", "test_not_found");
    return *row;
}

result<cell_page> list_cells(reader const& views, test_row const& test, page const& page)
{
    ASSAY_TRY(auto const counts, get_test_counts(views, test.id));
    cell_list const list(test, counts);
    cell_page out;
    out.total = list.total();
    auto const end = std::min(out.total, page.offset + std::min(page.limit, out.total));
    auto const grid = test.size().cells();
    if (page.offset >= end)
        return out;
    out.cells.reserve(end - page.offset);
    if (page.offset < grid)
        ASSAY_CHECK(append_range(views, test, list, list.cell_at_position(page.offset),
                                 list.cell_at_position(std::min(end, grid) - 1), out.cells));
    if (end > grid)
        ASSAY_CHECK(append_range(views, test, list,
                                 list.cell_at_position(std::max(page.offset, grid)),
                                 list.cell_at_position(end - 1), out.cells));
    return out;
}

result<cell_view> get_cell(reader const& views, test_row const& test, std::uint32_t cell)
{
    ASSAY_TRY(auto const counts, get_test_counts(views, test.id));
    cell_list const list(test, counts);
    if (!list.has(cell))
        return no_cell();
    ASSAY_TRY(auto row, fetch<cell_row>(views, view_id::cells, cell_key(test.id, cell)));
    return list.make(cell, std::move(row));
}

result<cell_of_test> get_invocation(reader const& views, uuid const& workspace,
                                    uuid const& invocation)
{
    auto const id = grid_id::read(invocation, grid_kind::invocation);
    if (!id || id->ordinal != 0)
        return no_cell();
    auto test = get_test(views, workspace, id->test);
    if (!test && test.error().code == errc::not_found)
        return no_cell();
    if (!test)
        return std::unexpected(std::move(test.error()));
    ASSAY_TRY(auto cell, get_cell(views, *test, id->cell));
    return cell_of_test{std::move(*test), std::move(cell)};
}

result<std::optional<cell_view>> first_open_cell(reader const& views, test_row const& test)
{
    ASSAY_TRY(auto const open, first_open(views, test.id));
    if (!open)
        return std::optional<cell_view>{};
    ASSAY_TRY(auto cell, get_cell(views, test, *open));
    return std::optional<cell_view>(std::move(cell));
}

} // namespace assay::projections
