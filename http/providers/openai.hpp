#pragma once

#include "core/model_client.hpp"
#include "http/client/client.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace assay::http {

/// Speaks the chat-completions wire format, which OpenAI, most hosts and local servers share: POST
/// {base_url}/chat/completions with a bearer key.
///
/// `model_request::parameters` are further members of the body; `model`, `messages` and `stream`
/// among them are not taken. The key appears in no failure and no log, also if the host repeats it.
///
/// How answers are read:
///  - 200 with a choice: a reply; `refused` if the message has a refusal or finish_reason is
///    content_filter, and for a 400 whose error code is content_filter (so some hosts say it);
///  - 429 rate_limited, but rejected if the code is insufficient_quota, as waiting does not help
///    then;
///  - 401 and 403 unauthorized; 408 timeout; 5xx, broken connections and answers that cannot be
///    read server_error; anything else rejected. `retry_after` comes from retry-after-ms or
///    Retry-After (seconds, or a date).
class openai_client final : public model_client {
public:
    explicit openai_client(std::unique_ptr<client> transport) : transport_(std::move(transport)) {}

    void complete(model_request request,
                  std::move_only_function<void(model_outcome)> done) override;

    void cancel_all() override { transport_->cancel_all(); }

private:
    std::unique_ptr<client> transport_;
};

/// How long a host asks to wait (RFC 9110 §10.2.3); at most a day, nothing if it cannot be read.
/// @param now what a date is counted from.
[[nodiscard]] std::optional<std::chrono::milliseconds>
parse_retry_after(std::string_view value, std::chrono::system_clock::time_point now);

} // namespace assay::http
