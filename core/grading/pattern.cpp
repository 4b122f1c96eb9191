#include "core/grading/pattern.hpp"

#include <cstddef>
#include <cstdint>

namespace assay::grading {

namespace {

constexpr std::size_t pattern_bytes_max = 4'096;
constexpr int program_max = 10'000;
constexpr std::uint64_t steps_max = 4'000'000'000;

} // namespace

result<std::shared_ptr<re2::RE2 const>> compile_pattern(std::string_view pattern, bool ignore_case)
{
    if (pattern.size() > pattern_bytes_max)
        return fail(errc::invalid, "the pattern is longer than 4096 bytes");
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(!ignore_case);
    auto compiled =
        std::make_shared<re2::RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
    if (!compiled->ok())
        return fail(errc::invalid, "the pattern is not valid: " + compiled->error());
    if (compiled->ProgramSize() > program_max)
        return fail(errc::invalid, "the pattern is too large once its repetitions are written out");
    return compiled;
}

bool affordable(re2::RE2 const& pattern, std::string_view text)
{
    return static_cast<std::uint64_t>(pattern.ProgramSize()) * text.size() <= steps_max;
}

} // namespace assay::grading
