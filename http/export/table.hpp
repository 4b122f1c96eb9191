#pragma once

#include "core/json.hpp"
#include "core/result.hpp"
#include "http/export/zip_writer.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::exporting {

/// A row's values, one for each column; null: there is none.
using row = std::vector<json::value>;
using row_visitor = std::function<result<void>(row const&)>;

/// Rows of one shape, read as they are written.
struct table {
    std::string_view name;
    std::vector<std::string_view> columns;
    /// Calls the visitor with each row, in an order that follows from the log alone. Called once
    /// for each form.
    std::function<result<void>(row_visitor const&)> rows;
};

/// Adds `name.csv` (RFC 4180, with a header) and `name.jsonl` (an object a line) to the archive.
///
/// @returns how many rows there were.
[[nodiscard]] result<std::uint64_t> write_table(zip_writer& to, table const& from);

} // namespace assay::exporting
