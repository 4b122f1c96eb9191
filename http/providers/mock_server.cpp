#include "http/providers/mock_server.hpp"

#include "core/json.hpp"
#include "http/providers/delay_line.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace assay::http {

namespace {

/// SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014): the n-th
/// draw needs no state, so concurrent requests need no lock.
double draw(std::uint64_t seed, std::uint64_t n)
{
    auto z = seed + (n + 1) * 0x9E3779B97F4A7C15ULL;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z ^= z >> 31;
    return static_cast<double>(z >> 11) * 0x1.0p-53;
}

response error_answer(unsigned status, std::string_view code, std::string_view message)
{
    auto const type = status >= 500   ? "server_error"
                      : status == 429 ? "rate_limit_error"
                                      : "invalid_request_error";
    json::object const body{
        {"error",
         json::object{{"message", message}, {"type", type}, {"param", nullptr}, {"code", code}}}};
    return json_text(status, json::canonical(body));
}

struct question {
    std::string model;
    std::string text;
};

/// `model` and the last user message of a completions request.
result<question> read_question(std::string_view body)
{
    ASSAY_TRY(auto const parsed, json::parse(body));
    auto const* const top = parsed.if_object();
    auto const* const model = top ? top->if_contains("model") : nullptr;
    auto const* const listed = top ? top->if_contains("messages") : nullptr;
    if (!model || !model->is_string() || !listed || !listed->is_array())
        return fail(errc::malformed, "'model' and 'messages' are required");
    question out{.model = std::string(model->get_string()), .text = {}};
    auto const& messages = listed->get_array();
    for (auto it = messages.rbegin(); it != messages.rend(); ++it) {
        auto const* const message = it->if_object();
        auto const* const role = message ? message->if_contains("role") : nullptr;
        auto const* const content = message ? message->if_contains("content") : nullptr;
        if (role && *role == "user" && content && content->is_string()) {
            out.text = content->get_string();
            return out;
        }
    }
    return fail(errc::malformed, "no user message");
}

response completion(question const& asked, recordings::answer const& answer, std::uint64_t n)
{
    json::object body{
        {"id", fmt::format("chatcmpl-mock-{}", n)},
        {"object", "chat.completion"},
        {"created", std::chrono::duration_cast<std::chrono::seconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count()},
        {"model", asked.model},
        {"choices", json::array{json::object{
                        {"index", 0},
                        {"message", json::object{{"role", "assistant"}, {"content", answer.text}}},
                        {"finish_reason", "stop"}}}}};
    if (answer.input_tokens && answer.output_tokens)
        body["usage"] =
            json::object{{"prompt_tokens", *answer.input_tokens},
                         {"completion_tokens", *answer.output_tokens},
                         {"total_tokens", *answer.input_tokens + *answer.output_tokens}};
    return json_text(200, json::canonical(body));
}

/// The same answer with its body cut in the middle; the connection is closed then.
response cut(response whole)
{
    auto half = std::get<std::string>(std::move(whole.body));
    half.resize(half.size() / 2);
    whole.body = [half = std::move(half), sent = false](std::string& out) mutable -> result<bool> {
        if (std::exchange(sent, true))
            return fail(errc::cancelled, "cut on request");
        out += half;
        return true;
    };
    return whole;
}

/// How long a request that hangs holds its connection: longer than any client waits.
constexpr std::chrono::minutes hang_time{10};

} // namespace

struct mock_server::impl {
    /// What the random draw has in mind for a request.
    struct fate {
        enum class kind : std::uint8_t { answer, status, hang, truncate };
        kind what = kind::answer;
        unsigned status = 200;
    };

    struct asked {
        std::uint32_t times = 0;
        std::uint32_t answered = 0;
    };

    impl(mock_options given, std::shared_ptr<recordings const> from)
        : options(std::move(given)), recorded(std::move(from)), delays(options.latency),
          hanging(hang_time)
    {
    }

    result<void> start(std::function<std::string()> tell_stats);
    [[nodiscard]] fate decide(std::uint64_t n) const;
    void serve(request const& req, responder respond);
    void count(question const& q, bool answered);
    void count_outcome(std::string const& outcome);

    mock_options const options;
    std::shared_ptr<recordings const> const recorded;
    metrics numbers;
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> answers{0};
    // Guarded by mutex.
    mutable std::mutex mutex;
    std::unordered_map<digest, asked> questions;
    std::map<std::string, std::uint64_t> outcomes;
    // Destroyed in this order reversed: first the server, then what still waits to answer.
    delay_line delays;
    delay_line hanging;
    blocking_pool pool{1};
    std::unique_ptr<server> served;
};

result<void> mock_server::impl::start(std::function<std::string()> tell_stats)
{
    double sum = options.hang + options.truncate;
    bool negative = options.hang < 0 || options.truncate < 0;
    for (auto const& [status, share] : options.statuses) {
        if (status < 400 || status > 599)
            return fail(errc::invalid, fmt::format("{} is not an error status", status));
        sum += share;
        negative = negative || share < 0;
    }
    if (negative || sum > 1)
        return fail(errc::invalid, "shares must be between 0 and 1, together too");

    router routes;
    routes.add(
        {.method = method::post,
         .pattern = "/v1/chat/completions",
         .name = "chat.completions",
         .body_bytes_max = 16 << 20,
         .serve = [this](request req, responder respond) { serve(req, std::move(respond)); }});
    routes.add({.pattern = "/healthz",
                .name = "healthz",
                .always = true,
                .serve = on_io_thread(
                    [](request const&) { return json_text(200, R"({"status":"ok"})"); })});
    routes.add({.pattern = "/stats",
                .name = "stats",
                .always = true,
                .serve = on_io_thread([tell = std::move(tell_stats)](request const&) {
                    return json_text(200, tell());
                })});
    ASSAY_TRY(served, server::start({.address = options.address,
                                     .port = options.port,
                                     .connections_max = options.connections_max,
                                     .in_flight_max = options.connections_max},
                                    std::move(routes), pool, numbers));
    return {};
}

mock_server::impl::fate mock_server::impl::decide(std::uint64_t n) const
{
    auto u = draw(options.seed, n);
    for (auto const& [status, share] : options.statuses) {
        if (u < share)
            return {fate::kind::status, status};
        u -= share;
    }
    if (u < options.hang)
        return {fate::kind::hang};
    u -= options.hang;
    if (u < options.truncate)
        return {fate::kind::truncate};
    return {};
}

void mock_server::impl::serve(request const& req, responder respond)
{
    auto const n = requests.fetch_add(1);
    auto const f = decide(n);
    auto const asked_for = read_question(req.body);
    auto const found = asked_for ? recorded->find(asked_for->model, asked_for->text) : std::nullopt;
    if (asked_for)
        count(*asked_for, found && f.what == fate::kind::answer);
    if (f.what == fate::kind::hang) {
        count_outcome("hang");
        hanging.put([held = std::move(respond)] {});
        return;
    }

    response answer;
    if (f.what == fate::kind::status) {
        answer = error_answer(f.status, f.status == 429 ? "rate_limit_exceeded" : "mock_failure",
                              "misbehaving on request");
        if (options.retry_after.count() > 0 && (f.status == 429 || f.status == 503))
            answer.headers.emplace_back(
                "Retry-After", fmt::format("{}", (options.retry_after.count() + 999) / 1000));
    } else if (!asked_for) {
        answer = error_answer(400, "invalid_request", asked_for.error().detail);
    } else if (!found) {
        answer =
            error_answer(404, "not_recorded", "no recorded answer of that model to that question");
    } else {
        answer = completion(*asked_for, *found, n);
        if (f.what == fate::kind::truncate)
            answer = cut(std::move(answer));
    }
    count_outcome(f.what == fate::kind::truncate ? "truncate" : fmt::format("{}", answer.status));
    if (options.latency.count() == 0)
        return respond(std::move(answer));
    delays.put([respond = std::move(respond), answer = std::move(answer)]() mutable {
        respond(std::move(answer));
    });
}

void mock_server::impl::count(question const& q, bool answered)
{
    auto const key = sha256(q.model, std::string_view("\0", 1), q.text);
    if (answered)
        answers.fetch_add(1);
    std::lock_guard const lock(mutex);
    auto& counted = questions[key];
    ++counted.times;
    counted.answered += answered ? 1 : 0;
}

void mock_server::impl::count_outcome(std::string const& outcome)
{
    std::lock_guard const lock(mutex);
    ++outcomes[outcome];
}

mock_server::mock_server(std::unique_ptr<impl> made) : impl_(std::move(made)) {}

mock_server::~mock_server() = default;

result<std::unique_ptr<mock_server>> mock_server::start(mock_options options,
                                                        std::shared_ptr<recordings const> recorded)
{
    std::unique_ptr<mock_server> made(
        new mock_server(std::make_unique<impl>(std::move(options), std::move(recorded))));
    ASSAY_CHECK(made->impl_->start([mock = made.get()] { return mock->stats_json(); }));
    return made;
}

std::string mock_server::base_url() const
{
    return impl_->served->url() + "/v1";
}

mock_server::tally mock_server::stats() const
{
    tally out{.requests = impl_->requests.load(), .answered = impl_->answers.load()};
    std::lock_guard const lock(impl_->mutex);
    out.distinct_questions = impl_->questions.size();
    for (auto const& [unused, counted] : impl_->questions) {
        out.repeated_questions += counted.times > 1 ? 1 : 0;
        out.answered_twice += counted.answered > 1 ? 1 : 0;
    }
    return out;
}

std::string mock_server::stats_json() const
{
    auto const counted = stats();
    json::object outcomes;
    {
        std::lock_guard const lock(impl_->mutex);
        for (auto const& [outcome, n] : impl_->outcomes)
            outcomes[outcome] = n;
    }
    return json::canonical(json::object{{"requests", counted.requests},
                                        {"answered", counted.answered},
                                        {"outcomes", std::move(outcomes)},
                                        {"distinct_questions", counted.distinct_questions},
                                        {"repeated_questions", counted.repeated_questions},
                                        {"answered_twice", counted.answered_twice}});
}

} // namespace assay::http
