#pragma once

#include "core/result.hpp"

#include <re2/re2.h>

#include <memory>
#include <string_view>

namespace assay::grading {

/// Compiles a pattern in RE2 syntax, unless it is longer than 4 KiB or compiles to more than 10,000
/// instructions.
///
/// @returns errc::invalid with what is wrong, in RE2's words.
[[nodiscard]] result<std::shared_ptr<re2::RE2 const>> compile_pattern(std::string_view pattern,
                                                                      bool ignore_case);

/// Whether matching `text` stays inside the limit of work. RE2 never backtracks, but where its
/// automaton outgrows its memory a byte costs time in proportion to the pattern: 4 billion steps
/// are some 15 s on one core.
[[nodiscard]] bool affordable(re2::RE2 const& pattern, std::string_view text);

} // namespace assay::grading
