#pragma once

#include "core/grading.hpp"
#include "core/grading/config_reader.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

/// The five kinds. Each function reads its own members from `config`, notes what is wrong there,
/// and returns the compiled grader, which is of no use if anything was noted.
namespace assay::grading {

/// Passes when the answer is the expected text.
///
/// Before they are compared both have white space at their ends removed and every run of it inside
/// made one space.
///
/// - `space`: "fold" (default, as said), "trim" (only the ends) or "keep" (byte for byte)
/// - `ignore_case`: ASCII letters count the same in either case; default false
[[nodiscard]] std::shared_ptr<rules const> make_exact_match(config_reader& config);

/// Scores the share of keywords that the answer holds, as whole words.
///
/// - `keywords`: a list, or one string with `|` or `;` between them; without it the expected text
/// is read as such a string.
///   White space around a keyword does not count, and inside it any run matches any run. At most
///   200 of 1 KiB each.
/// - `match`: "all" (default; passes when none is missing) or "any" (passes, with the full score,
/// when one is there)
/// - `ignore_case`: default true, ASCII letters
/// - `whole_words`: default true; borders of words as `border_before` has them, asked for only
/// where the keyword's own
///   end is part of a word
[[nodiscard]] std::shared_ptr<rules const> make_keyword_match(config_reader& config);

/// Passes when a pattern in RE2 syntax (no backreferences, no lookaround) is found in the answer,
/// in time linear in the answer.
///
/// - `pattern`: without it the expected text is the pattern
/// - `full_match`: the pattern must span the whole answer, white space at its ends aside; default
/// false
/// - `ignore_case`: default false
/// - `group`: number of a capturing group; then the first match's group must be the expected text
/// under the rules of
///   exact_match (`ignore_case` counts there too). Only with `pattern`.
[[nodiscard]] std::shared_ptr<rules const> make_regex(config_reader& config);

/// Passes when the final number of the answer is the expected number, exactly, by decimal
/// arithmetic without rounding.
///
/// The final number is the first one after the last marker, or, where no marker stands in the text,
/// the last one of all. The expected text is read in the same way.
///
/// A number is digits with an optional sign (also U+2212), commas between groups of three, decimals
/// and exponent; zeros that change nothing, currency and percent signs, units and a full stop after
/// it do not count. 3/4 and 1 3/4 are read as fractions. A minus directly after a word, digit or
/// closing bracket joins (5-3, 2024-05-06) and is no sign. Number words, LaTeX and decimal commas
/// are not read, and "50 %" is 50.
///
/// - `markers`: default ["A:", "####"]; case counts, and a marker that begins with a letter must
/// begin a word
/// - `absolute_tolerance`, `relative_tolerance`: decimals, as strings or numbers, default 0; passes
/// within the larger of
///   the first and the second times the expected number
[[nodiscard]] std::shared_ptr<rules const> make_numeric(config_reader& config);

/// Passes when the answer is one JSON text, valid under a schema (core/grading/schema.hpp says what
/// is read).
///
/// - `schema`: an object, or true or false
/// - `fenced`: an answer that is one Markdown code fence is taken without it; default false
[[nodiscard]] std::shared_ptr<rules const> make_json_schema(config_reader& config);

/// A full score.
[[nodiscard]] graded pass(std::string comment = {});

/// A score of 0.
[[nodiscard]] graded miss(std::string comment);

[[nodiscard]] std::unexpected<grader_error> cannot_grade(std::string reason, std::string detail);

} // namespace assay::grading
