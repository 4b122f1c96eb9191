#pragma once

#include <string>
#include <string_view>

/// Text as the graders compare it. ASCII rules only: Unicode normalisation and case come with a
/// later version.
namespace assay::grading {

/// White space of ASCII: space, tab, line feed, vertical tab, form feed, carriage return.
[[nodiscard]] bool is_space(char c);
[[nodiscard]] bool is_digit(char c);
[[nodiscard]] bool is_letter(char c);

/// `text` without white space at its ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// `text` trimmed, every run of white space inside it one space.
[[nodiscard]] std::string space_folded(std::string_view text);

/// `text` with A-Z as a-z.
[[nodiscard]] std::string lower(std::string_view text);

/// `text` in quotation marks for a comment: at most `bytes_max` bytes of it, cut between code
/// points, "..." where it was cut, control characters as spaces.
[[nodiscard]] std::string quoted(std::string_view text, std::size_t bytes_max = 120);

/// Whether nothing that counts as part of a word stands directly before `at`, or directly after it.
///
/// Parts of words are ASCII letters, digits and the underscore, and the letters of other scripts,
/// but not those that are written without spaces between words (Chinese, Japanese, Thai, Lao,
/// Khmer, Burmese): beside these every place is a border.
[[nodiscard]] bool border_before(std::string_view text, std::size_t at);
[[nodiscard]] bool border_after(std::string_view text, std::size_t at);

} // namespace assay::grading
