#pragma once

#include "core/hash.hpp"
#include "core/result.hpp"

#include <boost/json.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace assay::http {

/// Where a recording file keeps what. Paths are member names joined by dots; "{model}" stands for
/// the model's name, which may itself hold dots.
struct recording_fields {
    std::string question = "question";
    std::string answer = "{model}.solution";
};

/// Answers that models once gave, found by the exact text of the question. Immutable, so free to
/// share.
///
/// The file is JSON Lines: an object a line with the question and every model's answer. If the
/// member beside the answer named `usage` is an object, its `prompt_tokens` and `completion_tokens`
/// are the answer's; nothing is counted or guessed otherwise. Of two lines with the same question
/// the first one speaks.
class recordings {
public:
    /// Reads all of `file` into memory.
    /// @returns errc::io if it cannot be read, errc::invalid with the line's number if a line is no
    ///          object or has no question, or if the file has no line.
    [[nodiscard]] static result<recordings> load(std::filesystem::path const& file,
                                                 recording_fields const& fields = {});

    struct answer {
        std::string_view text; ///< lives as long as the recordings
        std::optional<std::uint64_t> input_tokens;
        std::optional<std::uint64_t> output_tokens;
    };

    /// @returns nothing if that model has no answer to exactly that question.
    [[nodiscard]] std::optional<answer> find(std::string_view model,
                                             std::string_view question) const;

    /// Distinct questions.
    [[nodiscard]] std::size_t questions() const { return by_question_.size(); }

private:
    result<void> add(std::string_view line, std::string_view question_field);

    std::vector<std::string> answer_path_;
    std::unordered_map<digest, boost::json::object> by_question_;
};

} // namespace assay::http
