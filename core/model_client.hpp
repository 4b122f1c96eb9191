#pragma once

#include "core/result.hpp"

#include <boost/json.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace assay {

/// One turn of a conversation as providers understand it.
struct chat_message {
    std::string role;    ///< "system", "user" or "assistant"
    std::string content; ///< UTF-8 text
};

/// Everything a provider needs for one call. Nothing here is a secret but `api_key`, which implementations never log.
struct model_request {
    std::string base_url; ///< e.g. "http://127.0.0.1:8080/v1"; empty for the recorded provider
    std::string model;    ///< the name the provider knows the model by
    std::string api_key;  ///< empty: no Authorization header is sent
    std::vector<chat_message> messages; ///< in order; at least one
    boost::json::object
        parameters; ///< further members of the wire request (temperature, max_tokens, seed ...)
    std::chrono::milliseconds timeout{
        std::chrono::minutes{2}}; ///< for the whole call, connection included
};

/// A model's answer. What the provider did not say stays empty; it is never guessed.
struct model_reply {
    std::string text;
    std::string
        finish_reason; ///< "stop", "length", "content_filter" ... as the provider says; may be empty
    bool refused =
        false; ///< the model or its host declined to answer (a refusal or a content filter)
    std::string resolved_model;      ///< the model that the provider says has answered
    std::string provider_request_id; ///< for the provider's support
    std::optional<std::uint64_t> input_tokens;
    std::optional<std::uint64_t> output_tokens;
    std::optional<std::uint64_t> cached_input_tokens;
    std::chrono::microseconds
        latency{}; ///< of the successful attempt alone: no queueing, no back-off
};

/// Why a call gave no answer. Decides what the runner does next.
enum class model_failure_kind : std::uint8_t {
    rate_limited = 1, ///< 429: wait, shrink concurrency, try again
    server_error,     ///< 5xx, a broken connection, an answer cut short: try again
    timeout,          ///< no complete answer in time: try again
    rejected,         ///< 4xx other than 429: trying again cannot help
    unauthorized,     ///< 401 or 403: the key is not good
    cancelled,        ///< the caller asked to stop
    not_recorded,     ///< the recorded provider has no answer to this question
};

struct model_failure {
    model_failure_kind kind;
    std::string detail;  ///< for people; no secret, at most 1 KiB of the body
    int http_status = 0; ///< 0 when none came
    std::optional<std::chrono::milliseconds> retry_after{}; ///< what the provider asked for
};

using model_outcome = std::expected<model_reply, model_failure>;

/// Port to a model's host. One implementation a wire format (http/providers).
///
/// Thread-safe. `done` is called exactly once, from a thread of the implementation's choosing, also after
/// `cancel_all`; never from inside `complete`.
class model_client {
public:
    virtual ~model_client() = default;

    /// Makes one attempt; retrying is the caller's business.
    virtual void complete(model_request request,
                          std::move_only_function<void(model_outcome)> done) = 0;

    /// Ends the calls in flight with `cancelled` as soon as may be.
    virtual void cancel_all() = 0;
};

} // namespace assay
