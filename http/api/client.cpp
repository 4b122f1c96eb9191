#include "http/api/client.hpp"

#include "core/json.hpp"
#include "http/server/problem.hpp"
#include "http/server/sse.hpp"

#include <fmt/format.h>

#include <charconv>
#include <condition_variable>
#include <mutex>

namespace assay::api {

namespace {

errc code_of(unsigned status)
{
    switch (status) {
    case 400:
    case 405:
    case 415: return errc::malformed;
    case 401: return errc::unauthenticated;
    case 403: return errc::forbidden;
    case 404: return errc::not_found;
    case 409: return errc::conflict;
    case 410: return errc::gone;
    case 413: return errc::too_large;
    case 422: return errc::invalid;
    case 429: return errc::rate_limited;
    case 503: return errc::unavailable;
    case 504: return errc::timeout;
    default: return errc::internal;
    }
}

std::string text_of(boost::json::value const& v)
{
    return v.is_string() ? std::string(v.get_string()) : boost::json::serialize(v);
}

/// One line for people, also of the array of fields that a 422 brings.
std::string detail_of(boost::json::value const& detail, std::vector<field_problem>& fields)
{
    if (!detail.is_array())
        return text_of(detail);
    std::string out;
    for (auto const& entry : detail.get_array()) {
        auto const* const o = entry.if_object();
        if (!o || !o->contains("loc") || !o->at("loc").is_array() || !o->contains("msg"))
            continue;
        field_problem f;
        for (auto const& step : o->at("loc").get_array())
            f.loc.push_back(text_of(step));
        f.msg = text_of(o->at("msg"));
        if (auto const* const type = o->if_contains("type"))
            f.type = text_of(*type);
        out += fmt::format("{}{}: {}", out.empty() ? "" : "; ", fmt::join(f.loc, "."), f.msg);
        fields.push_back(std::move(f));
    }
    return out;
}

/// What happens on the I/O thread of a server happens on the caller's here: it waits.
class waiting_reply {
public:
    http::responder responder()
    {
        return http::responder([state = state_](result<http::response> answer) {
            std::lock_guard const lock(state->mutex);
            state->answer = std::move(answer);
            state->there.notify_all();
        });
    }

    result<http::response> wait()
    {
        std::unique_lock lock(state_->mutex);
        state_->there.wait(lock, [&] { return state_->answer.has_value(); });
        return std::move(*state_->answer);
    }

private:
    struct shared {
        std::mutex mutex;
        std::condition_variable there;
        std::optional<result<http::response>> answer;
    };

    std::shared_ptr<shared> state_ = std::make_shared<shared>();
};

http::method method_of(std::string_view name)
{
    using http::method;
    for (auto const m : {method::get, method::head, method::post, method::put, method::patch,
                         method::del, method::options})
        if (name == http::to_string(m))
            return m;
    return method::other;
}

http::request request_of(std::string_view method, std::string_view path)
{
    http::request req;
    req.method = method_of(method);
    req.target = path;
    auto const mark = path.find('?');
    req.path = path.substr(0, mark);
    req.peer = "local";
    if (mark != std::string_view::npos)
        if (auto pairs = http::parse_query(path.substr(mark + 1)))
            req.query = std::move(*pairs);
    return req;
}

result<std::string> body_of(http::response& answer)
{
    if (auto* const whole = std::get_if<std::string>(&answer.body))
        return std::move(*whole);
    auto* const source = std::get_if<http::body_source>(&answer.body);
    if (!source)
        return fail(errc::internal, "an event stream where an answer was expected");
    std::string out;
    for (;;) {
        ASSAY_TRY(auto more, (*source)(out));
        if (!more)
            return out;
    }
}

std::string_view header_of(http::response const& answer, std::string_view name)
{
    for (auto const& [key, value] : answer.headers)
        if (key == name)
            return value;
    return {};
}

} // namespace

error error_of(unsigned status, std::string_view body, std::string_view retry_after)
{
    error e{code_of(status), fmt::format("the server answered {}", status)};
    if (auto const parsed = json::parse(body); parsed && parsed->is_object()) {
        auto const& o = parsed->get_object();
        if (auto const* const code = o.if_contains("code"); code && code->is_string())
            e.reason = text_of(*code);
        if (auto const* const detail = o.if_contains("detail"))
            e.detail = detail_of(*detail, e.fields);
    }
    std::uint32_t seconds = 0;
    auto const end = retry_after.data() + retry_after.size();
    if (!retry_after.empty() && std::from_chars(retry_after.data(), end, seconds).ptr == end)
        e.retry_after_ms = seconds * 1000;
    return e;
}

void event_reader::line(std::string_view text)
{
    auto const colon = text.find(':');
    auto const name = text.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view() : text.substr(colon + 1);
    if (value.starts_with(' '))
        value.remove_prefix(1);
    if (name == "id")
        id_ = value;
    else if (name == "data")
        data_.append(value).push_back('\n');
}

bool event_reader::end_of_event(std::function<bool(stream_event const&)> const& on_event)
{
    if (data_.empty())
        return true;
    data_.pop_back(); // the break after the last line
    stream_event event{id_, nullptr};
    auto parsed = json::parse(data_);
    event.data = parsed ? std::move(*parsed) : boost::json::value(data_);
    data_.clear();
    return on_event(event);
}

bool event_reader::take(std::string_view bytes,
                        std::function<bool(stream_event const&)> const& on_event)
{
    rest_.append(bytes);
    std::size_t from = 0;
    bool wanted = true;
    while (wanted) {
        auto const end = rest_.find('\n', from);
        if (end == std::string::npos)
            break;
        auto text = std::string_view(rest_).substr(from, end - from);
        from = end + 1;
        if (text.ends_with('\r'))
            text.remove_suffix(1);
        if (text.empty())
            wanted = end_of_event(on_event);
        else
            line(text);
    }
    rest_.erase(0, from);
    return wanted;
}

http::response local_client::send(http::request req) const
{
    auto match = routes_.find(req.method, req.path);
    if (!match.found)
        return match.allow.empty()
                   ? http::problem(error{errc::not_found, "no such path", "unknown_path"}, false)
                   : http::problem(405, "method_not_allowed", "this path does not take that method",
                                   false);
    auto const& route = *match.found;
    req.path_params = std::move(match.params);
    req.matched = match.found;
    if (req.body.size() > route.body_bytes_max)
        return http::problem(
            error{errc::too_large, fmt::format("the body is larger than the {} bytes that this "
                                               "operation takes",
                                               route.body_bytes_max)},
            route.documented_errors);
    if (route.permission) {
        if (!caller_)
            return http::problem(error{errc::unauthenticated, "an identity is required"},
                                 route.documented_errors);
        if (!caller_->may(*route.permission))
            return http::problem(error{errc::forbidden, "this identity may not do that"},
                                 route.documented_errors);
        req.caller = caller_;
    }
    waiting_reply reply;
    route.serve(std::move(req), reply.responder());
    auto answer = reply.wait();
    return answer ? std::move(*answer) : http::problem(answer.error(), route.documented_errors);
}

result<boost::json::value> local_client::call(std::string_view method, std::string_view path,
                                              boost::json::value const& body,
                                              std::string_view idempotency_key)
{
    auto req = request_of(method, path);
    if (!body.is_null()) {
        req.headers.add("Content-Type", "application/json");
        req.body = boost::json::serialize(body);
    }
    if (!idempotency_key.empty())
        req.headers.add("Idempotency-Key", idempotency_key);
    auto answer = send(std::move(req));
    ASSAY_TRY(auto text, body_of(answer));
    if (answer.status >= 400)
        return fail(error_of(answer.status, text, header_of(answer, "Retry-After")));
    if (text.empty())
        return boost::json::value(nullptr);
    if (!answer.content_type.starts_with("application/json"))
        return boost::json::value(boost::json::string(text));
    return json::parse_stored(text);
}

result<void> local_client::stream(std::string_view path, std::string_view last_event_id,
                                  std::function<bool(stream_event const&)> const& on_event)
{
    auto req = request_of("GET", path);
    if (!last_event_id.empty())
        req.headers.add("Last-Event-ID", last_event_id);
    auto answer = send(std::move(req));
    auto const* const held = std::get_if<std::shared_ptr<http::sse_stream>>(&answer.body);
    if (!held) {
        ASSAY_TRY(auto text, body_of(answer));
        return fail(error_of(answer.status, text, header_of(answer, "Retry-After")));
    }

    struct bell {
        std::mutex mutex;
        std::condition_variable rung;
        bool ringing = false;
    };

    auto const news = std::make_shared<bell>();
    auto const events = *held;
    events->attach([news] {
        std::lock_guard const lock(news->mutex);
        news->ringing = true;
        news->rung.notify_all();
    });
    event_reader reader;
    for (;;) {
        auto const taken = events->take();
        if (!reader.take(taken.bytes, on_event))
            break;
        if (taken.dropped) {
            events->detach();
            return fail(errc::io, "the stream was cut: its reader was too slow");
        }
        if (taken.closed)
            break;
        std::unique_lock lock(news->mutex);
        news->rung.wait(lock, [&] { return std::exchange(news->ringing, false); });
    }
    events->detach();
    return {};
}

} // namespace assay::api
