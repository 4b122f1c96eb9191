#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace assay::tools {

enum class align { left, right };

/// A table for people: columns as wide as what stands in them.
///
/// Too wide for the terminal, it first closes the gaps between columns, then goes on below with the
/// columns that are left, the first one repeated (as R prints a data frame).
class text_table {
public:
    struct column {
        std::string title;
        align side = align::left;
    };

    explicit text_table(std::vector<column> columns) : columns_(std::move(columns)) {}

    /// Adds a row; cells that are missing stay empty. What could steer a terminal is taken out.
    void add(std::vector<std::string> cells);

    [[nodiscard]] bool empty() const { return rows_.empty(); }

    /// The table as text, every line with a line feed and none wider than `width`.
    [[nodiscard]] std::string text(std::size_t width) const;

private:
    struct block {
        std::vector<std::size_t> columns;
        std::vector<std::size_t> widths;
        std::size_t gap = 2;
    };

    [[nodiscard]] std::vector<block> lay_out(std::size_t width) const;
    void append_line(block const& b, std::vector<std::string> const& cells, std::string& out) const;

    std::vector<column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

} // namespace assay::tools
