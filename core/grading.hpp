#pragma once

#include "core/json.hpp"
#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

/// Graders: pure functions of (answer, expected answer, configuration).
///
/// Whatever a model answers, also a hostile mebibyte, costs time linear in its length, stays inside
/// and comes back as a grade or a grader_error. What each kind reads and how it decides stands at
/// its configuration in core/grading/*.hpp.
namespace assay::grading {

enum class grader_kind : std::uint8_t {
    exact_match =
        1, ///< the answer is the expected text, but for case and white space if so configured
    keyword_match, ///< the answer holds all (or any) of the keywords
    regex,         ///< the answer matches a pattern, or what a group captured is the expected text
    numeric,       ///< the final number of the answer is the expected number
    json_schema,   ///< the answer is JSON and valid under a schema
};

/// The word of a kind in configuration, e.g. "exact_match".
[[nodiscard]] std::string_view name(grader_kind kind);

/// A score of 1'000'000 is the maximum.
inline constexpr std::uint32_t score_max = 1'000'000;

/// What a grader found.
struct graded {
    std::uint32_t score_ppm; ///< millionths of the maximum, 0 .. score_max
    bool passed;
    std::string comment; ///< for people; may quote the answer, so it is sealed like one; at most 1
                         ///< KiB, empty when there is nothing to say
};

/// Why there is no grade: counted apart, never as a score of 0.
struct grader_error {
    std::string reason; ///< stable word: "expected_invalid", "too_expensive" or "internal"
    std::string detail; ///< for people; may quote the expected answer, at most 1 KiB
};

using grade_outcome = std::expected<graded, grader_error>;

/// A configured grader as one kind implements it. Immutable, so any thread may call it at any time.
class rules {
public:
    virtual ~rules() = default;
    [[nodiscard]] virtual grade_outcome grade(std::string_view answer,
                                              std::string_view expected) const = 0;
};

/// A grader ready to use. Cheap to copy; copies share what was compiled.
struct grader {
    grader_kind kind;
    std::string version; ///< e.g. "numeric/1": changes whenever an answer could be graded otherwise
                         ///< than before
    json::object
        config; ///< what was configured with every default written out; parses to an equal grader
    std::shared_ptr<rules const> compiled;
};

/// Reads a grader's configuration, e.g. {"kind": "numeric", "markers": ["####"]}.
///
/// @returns errc::invalid with one field_problem for each member that is unknown, missing or not
/// allowed (`loc` is the path
///          inside `config`), and with all of them named in `detail`.
[[nodiscard]] result<grader> parse_grader(json::object const& config);

/// Grades one answer. Never throws.
///
/// @param expected  the scenario's expected answer; kinds whose configuration says it all ignore
/// it.
/// @returns a grader_error if `expected` is of no use to this kind ("expected_invalid"), or if
/// answer, pattern or schema
///          together exceed the limit of work ("too_expensive").
[[nodiscard]] grade_outcome grade(grader const& g, std::string_view answer,
                                  std::string_view expected);

} // namespace assay::grading
