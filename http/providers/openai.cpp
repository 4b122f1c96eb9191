#include "http/providers/openai.hpp"

#include "core/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace assay::http {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t detail_bytes_max = 1024;
constexpr milliseconds retry_after_max = std::chrono::hours{24};

/// A member that is an object, or null.
json::object const* object_in(json::object const& parent, std::string_view name)
{
    auto const* const found = parent.if_contains({name.data(), name.size()});
    return found ? found->if_object() : nullptr;
}

/// A member that is a string; "" if it is absent or something else.
std::string text_in(json::object const& parent, std::string_view name)
{
    auto const* const found = parent.if_contains({name.data(), name.size()});
    auto const* const text = found ? found->if_string() : nullptr;
    return text ? std::string(text->data(), text->size()) : std::string();
}

std::optional<std::uint64_t> count_in(json::object const* parent, std::string_view name)
{
    auto const* const found = parent ? parent->if_contains({name.data(), name.size()}) : nullptr;
    if (found && found->is_int64() && found->get_int64() >= 0)
        return static_cast<std::uint64_t>(found->get_int64());
    return std::nullopt;
}

/// The text of `content`: a string, or the text parts of an array, as some hosts send it.
std::string content_text(json::object const& message)
{
    auto const* const content = message.if_contains("content");
    auto const* const parts = content ? content->if_array() : nullptr;
    if (!parts)
        return text_in(message, "content");
    std::string text;
    for (auto const& part : *parts)
        if (auto const* const object = part.if_object())
            text += text_in(*object, "text");
    return text;
}

std::string encode_body(model_request const& request)
{
    json::object body = request.parameters;
    body.erase("stream");
    body["model"] = request.model;
    auto& messages = body["messages"].emplace_array();
    for (auto const& message : request.messages)
        messages.push_back(json::object{{"role", message.role}, {"content", message.content}});
    return json::canonical(body);
}

/// Text from outside, fit for a log: without the key, in ASCII or valid UTF-8, not longer than
/// promised.
std::string safe_detail(std::string text, std::string_view key)
{
    if (!key.empty())
        for (auto at = text.find(key); at != std::string::npos; at = text.find(key, at))
            text.replace(at, key.size(), "[key]");
    if (text.size() > detail_bytes_max) {
        auto end = detail_bytes_max;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
            --end;
        text.resize(end);
    }
    return text;
}

/// Bytes of unknown origin: anything but printable ASCII is shown as '?'.
std::string printable(std::string_view body)
{
    std::string text(body.substr(0, detail_bytes_max));
    std::ranges::replace_if(text, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
    return text;
}

/// What the body of an error says, as far as it has the usual shape.
struct host_error {
    std::string message;
    std::string code;
};

host_error read_error(std::string_view body)
{
    auto const parsed = json::parse(body);
    auto const* const top = parsed ? parsed->if_object() : nullptr;
    auto const* const inner = top ? object_in(*top, "error") : nullptr;
    if (!inner)
        return {printable(body), {}};
    auto code = text_in(*inner, "code");
    if (code.empty())
        code = text_in(*inner, "type");
    return {text_in(*inner, "message"), std::move(code)};
}

model_failure_kind to_kind(unsigned status, std::string_view code)
{
    if (status == 429)
        return code == "insufficient_quota" ? model_failure_kind::rejected
                                            : model_failure_kind::rate_limited;
    if (status == 401 || status == 403)
        return model_failure_kind::unauthorized;
    if (status == 408)
        return model_failure_kind::timeout;
    return status >= 500 ? model_failure_kind::server_error : model_failure_kind::rejected;
}

std::optional<milliseconds> retry_after(header_list const& headers)
{
    if (auto const ms = headers.find("retry-after-ms")) {
        unsigned value = 0;
        if (std::from_chars(ms->data(), ms->data() + ms->size(), value).ec == std::errc())
            return std::min(milliseconds{value}, retry_after_max);
    }
    auto const header = headers.find("retry-after");
    return header ? parse_retry_after(*header, std::chrono::system_clock::now()) : std::nullopt;
}

model_outcome read_failure(inbound_response const& answer, std::string_view key)
{
    auto const said = read_error(answer.body);
    auto detail = safe_detail(said.message, key);
    if (answer.status == 400 && said.code == "content_filter") {
        model_reply refusal;
        refusal.refused = true;
        refusal.finish_reason = "content_filter";
        refusal.text = std::move(detail);
        return refusal;
    }
    return std::unexpected(model_failure{
        .kind = to_kind(answer.status, said.code),
        .detail = fmt::format("{}{}{}: {}", answer.status, said.code.empty() ? "" : " ",
                              safe_detail(said.code, key), detail),
        .http_status = static_cast<int>(answer.status),
        .retry_after = retry_after(answer.headers),
    });
}

model_failure unreadable(std::string why)
{
    return {.kind = model_failure_kind::server_error,
            .detail = "unreadable answer: " + std::move(why),
            .http_status = 200};
}

model_outcome read_reply(std::string_view body, std::string_view key)
{
    auto const parsed = json::parse(body, {.depth_max = 64});
    if (!parsed)
        return std::unexpected(unreadable(parsed.error().detail));
    auto const* const top = parsed->if_object();
    if (!top)
        return std::unexpected(unreadable("not an object"));
    // Some hosts answer 200 and put the error into the body.
    if (auto const* const inside = object_in(*top, "error"))
        return std::unexpected(unreadable(safe_detail(text_in(*inside, "message"), key)));
    auto const* const listed = top->if_contains("choices");
    auto const* const choices = listed ? listed->if_array() : nullptr;
    auto const* const choice =
        choices && !choices->empty() ? choices->front().if_object() : nullptr;
    auto const* const message = choice ? object_in(*choice, "message") : nullptr;
    if (!message)
        return std::unexpected(unreadable("no choice with a message"));

    model_reply reply;
    reply.finish_reason = text_in(*choice, "finish_reason");
    reply.text = content_text(*message);
    auto refusal = text_in(*message, "refusal");
    reply.refused = !refusal.empty() || reply.finish_reason == "content_filter";
    if (reply.text.empty())
        reply.text = std::move(refusal);
    reply.resolved_model = text_in(*top, "model");
    auto const* const usage = object_in(*top, "usage");
    reply.input_tokens = count_in(usage, "prompt_tokens");
    reply.output_tokens = count_in(usage, "completion_tokens");
    reply.cached_input_tokens =
        count_in(usage ? object_in(*usage, "prompt_tokens_details") : nullptr, "cached_tokens");
    return reply;
}

model_failure to_failure(error const& e)
{
    auto kind = model_failure_kind::server_error;
    if (e.code == errc::timeout)
        kind = model_failure_kind::timeout;
    else if (e.code == errc::cancelled)
        kind = model_failure_kind::cancelled;
    else if (e.code == errc::invalid || e.code == errc::too_large)
        kind = model_failure_kind::rejected;
    return {.kind = kind, .detail = e.detail};
}

std::string endpoint(std::string_view base_url)
{
    while (base_url.ends_with('/'))
        base_url.remove_suffix(1);
    return std::string(base_url) + "/chat/completions";
}

} // namespace

std::optional<milliseconds> parse_retry_after(std::string_view value,
                                              std::chrono::system_clock::time_point now)
{
    double seconds = 0;
    auto const* const end = value.data() + value.size();
    if (auto const read = std::from_chars(value.data(), end, seconds, std::chars_format::fixed);
        read.ec == std::errc() && read.ptr == end && seconds >= 0)
        return std::min(milliseconds{static_cast<std::int64_t>(std::min(seconds, 1e6) * 1000)},
                        retry_after_max);

    // IMF-fixdate (RFC 9110 §5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT".
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::string const text(value);
    std::array<char, 4> name{};
    int day = 0;
    int year = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    if (std::sscanf(text.c_str(), "%*3c, %2d %3c %4d %2d:%2d:%2d GMT", &day, name.data(), &year,
                    &hour, &minute, &second) != 6)
        return std::nullopt;
    auto const month = std::ranges::find(months, std::string_view(name.data()));
    std::chrono::year_month_day const date{
        std::chrono::year{year},
        std::chrono::month{static_cast<unsigned>(month - months.begin()) + 1},
        std::chrono::day{static_cast<unsigned>(day)}};
    if (month == months.end() || !date.ok())
        return std::nullopt;
    auto const at = std::chrono::sys_days{date} + std::chrono::hours{hour} +
                    std::chrono::minutes{minute} + std::chrono::seconds{second};
    return std::clamp(std::chrono::duration_cast<milliseconds>(at - now), milliseconds{0},
                      retry_after_max);
}

void openai_client::complete(model_request request,
                             std::move_only_function<void(model_outcome)> done)
{
    outbound_request call{
        .method = method::post,
        .url = endpoint(request.base_url),
        .headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}},
        .body = encode_body(request),
        .timeout = request.timeout};
    if (!request.api_key.empty())
        call.headers.emplace_back("Authorization", "Bearer " + request.api_key);

    auto const began = std::chrono::steady_clock::now();
    transport_->send(std::move(call), [began, key = std::move(request.api_key),
                                       done = std::move(done)](auto answer) mutable {
        if (!answer)
            return done(std::unexpected(to_failure(answer.error())));
        auto outcome =
            answer->status == 200 ? read_reply(answer->body, key) : read_failure(*answer, key);
        if (outcome) {
            outcome->provider_request_id = answer->headers.find("x-request-id").value_or("");
            outcome->latency = std::chrono::duration_cast<std::chrono::microseconds>(
                std::chrono::steady_clock::now() - began);
        }
        done(std::move(outcome));
    });
}

} // namespace assay::http
