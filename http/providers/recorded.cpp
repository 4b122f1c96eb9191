#include "http/providers/recorded.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace assay::http {

namespace {

model_outcome look_up(recordings const& recorded, model_request const& request)
{
    auto const began = std::chrono::steady_clock::now();
    auto const question =
        std::find_if(request.messages.rbegin(), request.messages.rend(),
                     [](chat_message const& message) { return message.role == "user"; });
    if (question == request.messages.rend())
        return std::unexpected(model_failure{model_failure_kind::rejected, "no user message"});
    auto const found = recorded.find(request.model, question->content);
    if (!found)
        return std::unexpected(
            model_failure{model_failure_kind::not_recorded,
                          fmt::format("no recorded answer of '{}' to the question with SHA-256 {}",
                                      request.model, sha256(question->content).hex())});
    model_reply reply;
    reply.text = found->text;
    reply.resolved_model = request.model;
    reply.input_tokens = found->input_tokens;
    reply.output_tokens = found->output_tokens;
    reply.latency = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::steady_clock::now() - began);
    return reply;
}

} // namespace

recorded_client::recorded_client(std::shared_ptr<recordings const> recorded, unsigned threads)
    : recorded_(std::move(recorded)), pool_(threads)
{
}

void recorded_client::complete(model_request request,
                               std::move_only_function<void(model_outcome)> done)
{
    pool_.run([this, asked = cancellations_.load(), request = std::move(request),
               done = std::move(done)]() mutable {
        if (asked != cancellations_.load())
            done(std::unexpected(model_failure{model_failure_kind::cancelled, "cancelled"}));
        else
            done(look_up(*recorded_, request));
    });
}

void recorded_client::cancel_all()
{
    cancellations_.fetch_add(1);
}

} // namespace assay::http
