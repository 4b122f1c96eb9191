#include "http/runner/conversation.hpp"

#include <chrono>

namespace assay::http {

namespace {

__extension__ typedef __int128 wide; // price times tokens can pass 2^63

} // namespace

conversation::conversation(engine::frozen_agent const& agent, std::vector<spoken> script)
{
    std::string system = agent.system_prompt;
    for (auto const& paragraph : agent.instructions)
        system.append(system.empty() ? "" : "\n\n").append(paragraph);

    std::vector<spoken> pending;
    if (!system.empty())
        pending.push_back({"system", std::move(system), std::nullopt});
    for (std::size_t i = 0; i < script.size(); ++i) {
        bool const asks = script[i].role == "user";
        bool const answered = i + 1 < script.size() && script[i + 1].role == "assistant";
        pending.push_back(std::move(script[i]));
        if (asks && !answered)
            calls_.push_back(std::exchange(pending, {}));
    }
    if (!pending.empty() || calls_.empty())
        calls_.push_back(std::move(pending));
}

std::vector<chat_message> conversation::messages(std::size_t n,
                                                 std::vector<std::string> const& answers) const
{
    std::vector<chat_message> out;
    for (std::size_t i = 0; i <= n; ++i) {
        for (auto const& m : calls_[i])
            out.push_back({m.role, m.text});
        if (i < n)
            out.push_back({"assistant", answers[i]});
    }
    return out;
}

std::optional<call_cost> cost_of(engine::frozen_model const& model, model_reply const& reply)
{
    if (model.prices.empty() || !reply.input_tokens || !reply.output_tokens)
        return std::nullopt;
    call_cost out;
    for (auto const& price : model.prices) {
        std::uint64_t tokens = 0;
        if (price.type == "input_tokens") {
            bool const cached_apart =
                std::any_of(model.prices.begin(), model.prices.end(),
                            [](auto const& p) { return p.type == "cached_input_tokens"; });
            auto const cached = cached_apart ? reply.cached_input_tokens.value_or(0) : 0;
            tokens = *reply.input_tokens - std::min(cached, *reply.input_tokens);
        } else if (price.type == "output_tokens") {
            tokens = *reply.output_tokens;
        } else if (price.type == "cached_input_tokens") {
            tokens = reply.cached_input_tokens.value_or(0);
        } else {
            continue;
        }
        if (!out.currency.empty() && out.currency != price.currency)
            return std::nullopt; // prices in two currencies have no sum
        out.currency = price.currency;
        out.pico +=
            static_cast<std::int64_t>(static_cast<wide>(price.pico_per_unit) * tokens / price.unit);
    }
    if (out.currency.empty())
        return std::nullopt;
    return out;
}

result<judge> judge::make(engine::frozen_config const& config)
{
    judge j;
    if (!config.rubric) {
        ASSAY_TRY(auto exact, grading::parse_grader({{"kind", "exact_match"}}));
        j.groups_.push_back({{}, 1, 1, std::move(exact)});
        return j;
    }
    j.by_rubric_ = true;
    j.total_points_ = config.rubric->total_points;
    j.pass_points_ = config.rubric->pass_points;
    for (auto const& s : config.rubric->standards) {
        if (s.grader.empty())
            continue;
        ASSAY_TRY(auto parsed, grading::parse_grader(s.grader));
        j.groups_.push_back({s.id, s.points, s.pass_points, std::move(parsed)});
    }
    return j;
}

judge::verdict judge::operator()(std::string_view answer,
                                 std::optional<std::string> const& expected) const
{
    if (groups_.empty() || (!by_rubric_ && !expected))
        return {};
    auto const started = std::chrono::steady_clock::now();
    event::grade_recorded grade;
    std::uint64_t micropoints = 0;
    for (auto const& g : groups_) {
        auto const found = grading::grade(
            g.grader, answer, expected ? std::string_view(*expected) : std::string_view{});
        if (!grade.grader.empty())
            grade.grader.push_back('+');
        grade.grader.append(g.grader.version);
        if (!found)
            return {std::nullopt, event::grading_failed{0, g.grader.version, found.error().reason}};
        auto const points = std::uint64_t{found->score_ppm} * g.points;
        micropoints += points;
        if (by_rubric_)
            grade.standards.push_back(
                {g.id, found->score_ppm,
                 points >= std::uint64_t{g.pass_points} * grading::score_max});
    }
    grade.total_points = total_points_;
    grade.pass_points = pass_points_;
    grade.score_ppm =
        total_points_ == 0 ? 0 : static_cast<std::uint32_t>(micropoints / total_points_);
    grade.passed = micropoints >= std::uint64_t{pass_points_} * grading::score_max;
    grade.time_taken_us =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                       std::chrono::steady_clock::now() - started)
                                       .count());
    return {std::move(grade), std::nullopt};
}

} // namespace assay::http
