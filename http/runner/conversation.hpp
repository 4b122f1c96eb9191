#pragma once

#include "core/domain/event.hpp"
#include "core/grading.hpp"
#include "core/model_client.hpp"
#include "core/result.hpp"
#include "http/engine/frozen_config.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// What is said to a model and how its answer is judged, without any I/O.
namespace assay::http {

/// A message with its text, and the reference under which the text is recorded.
struct spoken {
    std::string role;
    std::string text;
    std::optional<content> ref; ///< none yet: to be sealed when it is recorded
};

/// The turns of one cell. Each message of the user that no scripted answer follows is a call; what is said before it
/// goes along. A scenario of one message is one call.
class conversation {
public:
    /// @param script  the scenario's messages; the system message is made of the agent's prompt and instructions
    conversation(engine::frozen_agent const& agent, std::vector<spoken> script);

    /// How many calls there are, at least one.
    [[nodiscard]] std::size_t calls() const { return calls_.size(); }

    /// Messages that call `n` adds to what was said before it.
    [[nodiscard]] std::vector<spoken> const& added_by(std::size_t n) const { return calls_[n]; }

    /// Everything said up to and including call `n`, with the answers of the calls before.
    [[nodiscard]] std::vector<chat_message> messages(std::size_t n,
                                                     std::vector<std::string> const& answers) const;

private:
    std::vector<std::vector<spoken>> calls_;
};

/// Cost of a call in 10^-12 of the currency; none if tokens or prices are not known.
struct call_cost {
    std::int64_t pico = 0;
    std::string currency;
};

[[nodiscard]] std::optional<call_cost> cost_of(engine::frozen_model const& model,
                                               model_reply const& reply);

/// A rubric's graders, ready to use; or the one that an expected answer implies.
class judge {
public:
    /// @returns errc::invalid if a grader does not parse; a start has checked that before.
    [[nodiscard]] static result<judge> make(engine::frozen_config const& config);

    /// Grades an answer: a grade, a failure of a grader, or neither when a person has to.
    struct verdict {
        std::optional<event::grade_recorded> grade;
        std::optional<event::grading_failed> failed;
    };

    [[nodiscard]] verdict operator()(std::string_view answer,
                                     std::optional<std::string> const& expected) const;

private:
    struct group {
        uuid id;
        std::uint32_t points = 1;
        std::uint32_t pass_points = 1;
        grading::grader grader;
    };

    std::vector<group> groups_;
    bool by_rubric_ = false;
    std::uint32_t total_points_ = 1;
    std::uint32_t pass_points_ = 1;
};

} // namespace assay::http
