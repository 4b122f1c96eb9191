#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>

/// What a terminal is asked before something is shown on it.
namespace assay::tools {

/// Whether `stream` is a terminal.
[[nodiscard]] bool is_terminal(std::FILE* stream);

/// Columns to write for: of the terminal behind `stream`, else of COLUMNS, else 80; at least 40.
[[nodiscard]] std::size_t terminal_width(std::FILE* stream);

/// Columns that `text`, UTF-8, takes on a terminal: two for East Asian wide characters, none for
/// combining marks.
[[nodiscard]] std::size_t display_width(std::string_view text);

/// `text` cut to `columns`, with a final "…" where something was cut.
[[nodiscard]] std::string shorten(std::string_view text, std::size_t columns);

/// `text` on one line and without control characters, so that no name or answer can steer a
/// terminal.
[[nodiscard]] std::string printable(std::string_view text);

} // namespace assay::tools
