#include "tools/table.hpp"

#include "tools/terminal.hpp"

#include <algorithm>
#include <numeric>

namespace assay::tools {

void text_table::add(std::vector<std::string> cells)
{
    for (auto& cell : cells)
        cell = printable(cell);
    cells.resize(columns_.size());
    rows_.push_back(std::move(cells));
}

std::vector<text_table::block> text_table::lay_out(std::size_t width) const
{
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        auto widest = display_width(columns_[i].title);
        for (auto const& row : rows_)
            widest = std::max(widest, display_width(row[i]));
        widths.push_back(std::min(widest, width));
    }
    auto const total = std::accumulate(widths.begin(), widths.end(), std::size_t{0});
    for (std::size_t const gap : {2, 1}) {
        if (total + gap * (columns_.size() - 1) > width)
            continue;
        block all{.columns = {}, .widths = widths, .gap = gap};
        all.columns.resize(columns_.size());
        std::iota(all.columns.begin(), all.columns.end(), std::size_t{0});
        return {all};
    }

    // The first column says whose row it is; it may take half of the line.
    widths[0] = std::min(widths[0], width / 2);
    std::vector<block> blocks;
    std::size_t used = width;
    for (std::size_t i = 1; i < columns_.size(); ++i) {
        auto const fitting = std::min(widths[i], width - widths[0] - 2);
        if (used + 2 + fitting > width) {
            blocks.push_back({.columns = {0}, .widths = {widths[0]}});
            used = widths[0];
        }
        blocks.back().columns.push_back(i);
        blocks.back().widths.push_back(fitting);
        used += 2 + fitting;
    }
    return blocks;
}

void text_table::append_line(block const& b, std::vector<std::string> const& cells,
                             std::string& out) const
{
    std::string line;
    for (std::size_t i = 0; i < b.columns.size(); ++i) {
        auto const cell = shorten(cells[b.columns[i]], b.widths[i]);
        std::string const padding(b.widths[i] - display_width(cell), ' ');
        if (i > 0)
            line.append(b.gap, ' ');
        line += columns_[b.columns[i]].side == align::right ? padding + cell : cell + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
}

std::string text_table::text(std::size_t width) const
{
    std::string out;
    std::vector<std::string> titles;
    for (auto const& c : columns_)
        titles.push_back(c.title);
    for (auto const& b : lay_out(width)) {
        if (!out.empty())
            out += "\n";
        append_line(b, titles, out);
        for (auto const& row : rows_)
            append_line(b, row, out);
    }
    return out;
}

} // namespace assay::tools
