#include "core/json.hpp"
#include "http/providers/mock_server.hpp"
#include "http/providers/openai.hpp"
#include "http/providers/recorded.hpp"
#include "tests/http/loopback.hpp"
#include "tests/http/scripted_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace assay;
using namespace assay::http;
using namespace assay::test;
using namespace std::chrono_literals;

namespace {

/// A recording file that goes away with it.
class recording_file {
public:
    explicit recording_file(std::string const& text)
        : path((std::filesystem::temp_directory_path() /
                fmt::format("assay-recordings-{}-{}.jsonl", ::getpid(), made_++))
                   .string())
    {
        std::ofstream(path) << text;
    }

    ~recording_file() { std::filesystem::remove(path); }

    std::string const path;

private:
    static inline int made_ = 0;
};

std::shared_ptr<recordings const> two_questions()
{
    recording_file const file(
        R"({"question":"1+1?","gpt-4.1":{"solution":"2","usage":{"prompt_tokens":3,"completion_tokens":1}},"b":{"solution":"two"}})"
        "\n\n"
        R"({"question":"caf\u00e9?","b":{"solution":"oui"}})"
        "\n"
        R"({"question":"1+1?","b":{"solution":"ignored: the first line speaks"}})"
        "\n");
    auto loaded = recordings::load(file.path);
    REQUIRE(loaded);
    return std::make_shared<recordings const>(std::move(*loaded));
}

model_request ask(std::string base_url, std::string model, std::string question)
{
    model_request request;
    request.base_url = std::move(base_url);
    request.model = std::move(model);
    request.messages = {{"system", "be brief"}, {"user", std::move(question)}};
    request.timeout = patience;
    return request;
}

model_outcome complete(model_client& client, model_request request)
{
    std::promise<model_outcome> outcome;
    client.complete(std::move(request), [&](auto said) { outcome.set_value(std::move(said)); });
    return outcome.get_future().get();
}

std::unique_ptr<openai_client> make_openai()
{
    auto transport = client::make();
    REQUIRE(transport);
    return std::make_unique<openai_client>(std::move(*transport));
}

std::unique_ptr<mock_server> start_mock(mock_options options = {})
{
    auto started = mock_server::start(std::move(options), two_questions());
    REQUIRE(started);
    return std::move(*started);
}

std::string reply(std::string_view status, std::string_view body, std::string_view more_fields = {})
{
    return fmt::format("HTTP/1.1 {}\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(),
                       more_fields, body);
}

/// What one scripted answer is read as.
model_outcome outcome_of(std::string answer, std::string key = {})
{
    bool const hangs = answer == scripted_server::hang;
    scripted_server const server({{std::move(answer)}});
    auto const provider = make_openai();
    auto request = ask(server.url("/v1/"), "m", "q");
    request.api_key = std::move(key);
    request.timeout = hangs ? 100ms : patience;
    return complete(*provider, std::move(request));
}

} // namespace

TEST_CASE("recordings: answers are found by model and exact question", "[http][providers]")
{
    auto const recorded = two_questions();
    CHECK(recorded->questions() == 2);
    auto const first = recorded->find("gpt-4.1", "1+1?");
    REQUIRE(first);
    CHECK(first->text == "2");
    CHECK(first->input_tokens == 3);
    CHECK(first->output_tokens == 1);
    CHECK(recorded->find("b", "1+1?")->text == "two");
    CHECK_FALSE(recorded->find("b", "1+1?")->input_tokens);
    CHECK(recorded->find("b", "caf\xC3\xA9?")->text == "oui");
    CHECK_FALSE(recorded->find("gpt-4.1", "caf\xC3\xA9?"));
    CHECK_FALSE(recorded->find("b", "1+1? "));

    recording_file const bad("{\"question\":\"a\"}\n[]\n");
    auto const refused = recordings::load(bad.path);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::invalid);
    CHECK(refused.error().detail.find(":2:") != std::string::npos);
    CHECK(recordings::load("/nowhere").error().code == errc::io);
    CHECK_FALSE(recordings::load(recording_file("\n").path));
    recording_file const nested(R"({"in":{"q":"x"},"out":[{"a":1}],"m":"direct"})"
                                "\n");
    auto const elsewhere = recordings::load(nested.path, {.question = "in.q", .answer = "{model}"});
    REQUIRE(elsewhere);
    CHECK(elsewhere->find("m", "x")->text == "direct");
    CHECK_FALSE(elsewhere->find("out", "x"));
}

TEST_CASE("recorded: plays answers back without inventing anything", "[http][providers]")
{
    recorded_client provider(two_questions());
    auto const said = complete(provider, ask("", "b", "1+1?"));
    REQUIRE(said);
    CHECK(said->text == "two");
    CHECK(said->resolved_model == "b");
    CHECK_FALSE(said->input_tokens);
    CHECK_FALSE(said->output_tokens);
    CHECK_FALSE(said->refused);

    auto const unknown = complete(provider, ask("", "b", "why?"));
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().kind == model_failure_kind::not_recorded);
    model_request no_user;
    no_user.messages = {{"system", "x"}};
    CHECK(complete(provider, no_user).error().kind == model_failure_kind::rejected);
}

TEST_CASE("recorded: every call is answered once, also after cancel_all", "[http][providers]")
{
    std::atomic<int> answered{0};
    std::atomic<int> cancelled{0};
    {
        recorded_client provider(two_questions(), 2);
        for (int i = 0; i < 1000; ++i) {
            provider.complete(ask("", "b", "1+1?"),
                              [&](auto said) { ++(said ? answered : cancelled); });
            if (i == 500)
                provider.cancel_all();
        }
    }
    CHECK(answered + cancelled == 1000);
    CHECK(answered >= 499);
}

TEST_CASE("openai: a call against the mock, over real HTTP", "[http][providers]")
{
    auto const mock = start_mock();
    auto const provider = make_openai();
    auto said = complete(*provider, ask(mock->base_url(), "gpt-4.1", "1+1?"));
    REQUIRE(said);
    CHECK(said->text == "2");
    CHECK(said->finish_reason == "stop");
    CHECK(said->resolved_model == "gpt-4.1");
    CHECK(said->input_tokens == 3);
    CHECK(said->output_tokens == 1);
    CHECK_FALSE(said->provider_request_id.empty());
    CHECK(said->latency > 0us);

    said = complete(*provider, ask(mock->base_url() + "/", "b", "caf\xC3\xA9?"));
    REQUIRE(said);
    CHECK(said->text == "oui");
    CHECK_FALSE(said->input_tokens);

    auto const unknown = complete(*provider, ask(mock->base_url(), "b", "why?"));
    REQUIRE_FALSE(unknown);
    CHECK(unknown.error().kind == model_failure_kind::rejected);
    CHECK(unknown.error().http_status == 404);

    auto const counted = mock->stats();
    CHECK(counted.requests == 3);
    CHECK(counted.answered == 2);
    CHECK(counted.distinct_questions == 3);
    CHECK(counted.repeated_questions == 0);
}

TEST_CASE("openai: the request has the wire format's shape", "[http][providers]")
{
    scripted_server const server(
        {{reply("200 OK", R"({"choices":[{"message":{"content":"x"}}]})")}});
    auto const provider = make_openai();
    auto request = ask(server.url("/v1"), "m", "q");
    request.api_key = "sk-1";
    request.parameters = {
        {"temperature", 0.5}, {"max_tokens", 10}, {"stream", true}, {"model", "other"}};
    REQUIRE(complete(*provider, std::move(request)));
    auto const sent = server.requests().at(0);
    CHECK(sent.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
    CHECK(sent.find("Authorization: Bearer sk-1\r\n") != std::string::npos);
    CHECK(
        sent.substr(sent.find("\r\n\r\n") + 4) ==
        R"({"max_tokens":10,"messages":[{"content":"be brief","role":"system"},{"content":"q","role":"user"}],"model":"m","temperature":0.5})");
}

TEST_CASE("openai: usage, refusals and odd shapes are read as they are said", "[http][providers]")
{
    auto said = outcome_of(reply(
        "200 OK",
        R"({"model":"m-2","choices":[{"finish_reason":"length","message":{"content":"x"}}],)"
        R"("usage":{"prompt_tokens":9,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":8}}})",
        "x-request-id: r1\r\n"));
    REQUIRE(said);
    CHECK(said->resolved_model == "m-2");
    CHECK(said->finish_reason == "length");
    CHECK(said->cached_input_tokens == 8);
    CHECK(said->provider_request_id == "r1");
    CHECK_FALSE(said->refused);

    said = outcome_of(
        reply("200 OK", R"({"choices":[{"message":{"content":null,"refusal":"I cannot"}}]})"));
    REQUIRE(said);
    CHECK(said->refused);
    CHECK(said->text == "I cannot");
    CHECK_FALSE(said->input_tokens);
    CHECK(
        outcome_of(
            reply(
                "200 OK",
                R"({"choices":[{"finish_reason":"content_filter","message":{"content":"par"}}]})"))
            ->refused);
    CHECK(outcome_of(
              reply("400 Bad Request", R"({"error":{"code":"content_filter","message":"policy"}})"))
              ->refused);
    CHECK(
        outcome_of(
            reply(
                "200 OK",
                R"({"choices":[{"message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}}]})"))
            ->text == "ab");
}

TEST_CASE("openai: each failure has its kind", "[http][providers]")
{
    auto const [answer, kind, status] = GENERATE(table<std::string, model_failure_kind, int>({
        {reply("429 Too Many Requests", R"({"error":{"message":"slow"}})"),
         model_failure_kind::rate_limited, 429},
        {reply("429 Too Many Requests", R"({"error":{"code":"insufficient_quota"}})"),
         model_failure_kind::rejected, 429},
        {reply("500 Internal Server Error", "oops"), model_failure_kind::server_error, 500},
        {reply("503 Service Unavailable", ""), model_failure_kind::server_error, 503},
        {reply("401 Unauthorized", "{}"), model_failure_kind::unauthorized, 401},
        {reply("403 Forbidden", "{}"), model_failure_kind::unauthorized, 403},
        {reply("408 Request Timeout", "{}"), model_failure_kind::timeout, 408},
        {reply("404 Not Found", "{}"), model_failure_kind::rejected, 404},
        {reply("302 Found", "", "Location: http://elsewhere/\r\n"), model_failure_kind::rejected,
         302},
        {reply("200 OK", "not json"), model_failure_kind::server_error, 200},
        {reply("200 OK", R"({"choices":[]})"), model_failure_kind::server_error, 200},
        {reply("200 OK", R"({"error":{"message":"upstream"}})"), model_failure_kind::server_error,
         200},
        {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"choices\"",
         model_failure_kind::server_error, 0},
        {scripted_server::hang, model_failure_kind::timeout, 0},
        {"", model_failure_kind::server_error, 0},
    }));
    INFO(answer);
    auto const said = outcome_of(answer);
    REQUIRE_FALSE(said);
    CHECK(said.error().kind == kind);
    CHECK(said.error().http_status == status);
}

TEST_CASE("openai: Retry-After in seconds, milliseconds or as a date", "[http][providers]")
{
    auto const after = [](std::string_view field) {
        return outcome_of(reply("429 Too Many Requests", "{}", field)).error().retry_after;
    };
    CHECK(after("Retry-After: 2\r\n") == 2000ms);
    CHECK(after("retry-after-ms: 150\r\nRetry-After: 1\r\n") == 150ms);
    CHECK_FALSE(after(""));

    using namespace std::chrono;
    auto const now = sys_days{1994y / November / 6} + 8h + 49min;
    CHECK(parse_retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now) == 37s);
    CHECK(parse_retry_after("Sun, 06 Nov 1994 08:48:37 GMT", now) == 0s);
    CHECK(parse_retry_after("1.5", now) == 1500ms);
    CHECK(parse_retry_after("999999999999", now) == 24h);
    for (auto const* const bad :
         {"", "-1", "soon", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 99 Nov 1994 08:49:37 GMT"})
        CHECK_FALSE(parse_retry_after(bad, now));
}

TEST_CASE("openai: the key is in no failure, and details are short", "[http][providers]")
{
    auto const said = outcome_of(
        reply("401 Unauthorized",
              R"({"error":{"message":"bad key sk-secret, really sk-secret","code":"sk-secret"}})"),
        "sk-secret");
    REQUIRE_FALSE(said);
    CHECK(said.error().detail.find("sk-secret") == std::string::npos);
    CHECK(said.error().detail.find("[key]") != std::string::npos);

    auto const multibyte = outcome_of(reply(
        "500 Oops", json::canonical(json::object{{"error", json::object{{"message", "x" + [] {
                                                                             std::string text;
                                                                             for (int i = 0;
                                                                                  i < 2000; ++i)
                                                                                 text += "\xC3\xA9";
                                                                             return text;
                                                                         }()}}}})));
    REQUIRE_FALSE(multibyte);
    CHECK(multibyte.error().detail.size() < 1100);
    CHECK(json::parse(json::canonical(json::value(multibyte.error().detail))));
    auto const binary = outcome_of(reply("500 Oops", std::string(3000, '\xff')));
    CHECK(binary.error().detail.size() < 1100);
    CHECK(json::parse(json::canonical(json::value(binary.error().detail))));
}

TEST_CASE("mock: latency holds nobody up", "[http][providers]")
{
    std::vector<std::promise<model_outcome>> outcomes(100); // outlives the provider's thread
    auto const mock = start_mock({.latency = 50ms});
    auto const provider = make_openai();
    auto const began = std::chrono::steady_clock::now();
    for (auto& each : outcomes)
        provider->complete(ask(mock->base_url(), "b", "1+1?"),
                           [&](auto said) { each.set_value(std::move(said)); });
    for (auto& each : outcomes)
        CHECK(each.get_future().get()->latency >= 50ms);
    CHECK(std::chrono::steady_clock::now() - began < 100 * 50ms); // one after the other
    CHECK(mock->stats().repeated_questions == 1);
    CHECK(mock->stats().answered_twice == 1);
}

TEST_CASE("mock: misbehaves as often as asked, the same way for the same seed", "[http][providers]")
{
    constexpr std::size_t calls = 300;
    std::map<model_failure_kind, int> failed;
    auto const outcomes_of = [&](std::uint64_t seed) {
        // What the provider's thread touches stands before the provider, and so outlives it.
        std::vector<std::promise<model_outcome>> outcomes(calls);
        std::atomic<std::size_t> ended{0};
        auto const mock = start_mock({.statuses = {{429, 0.1}, {500, 0.1}},
                                      .retry_after = 3s,
                                      .hang = 0.05,
                                      .truncate = 0.1,
                                      .seed = seed});
        auto const provider = make_openai();
        for (auto& each : outcomes)
            provider->complete(ask(mock->base_url(), "b", "1+1?"), [&](auto said) {
                each.set_value(std::move(said));
                ++ended;
            });
        json::object counted;
        REQUIRE(eventually([&] {
            counted = json::parse(mock->stats_json())->at("outcomes").as_object();
            auto const* const hanging = counted.if_contains("hang");
            return ended + (hanging ? hanging->to_number<std::size_t>() : 0) == calls;
        }));
        provider->cancel_all();
        for (auto& each : outcomes) {
            auto const said = each.get_future().get();
            if (!said)
                ++failed[said.error().kind];
            if (!said && said.error().http_status == 429)
                CHECK(said.error().retry_after == 3s);
        }
        return counted;
    };
    auto const once = outcomes_of(7);
    CHECK(once == outcomes_of(7));
    CHECK_FALSE(once == outcomes_of(8));
    // Some standard deviations around the shares of 300.
    CHECK(std::abs(once.at("429").as_int64() - 30) < 20);
    CHECK(std::abs(once.at("500").as_int64() - 30) < 20);
    CHECK(std::abs(once.at("truncate").as_int64() - 30) < 20);
    CHECK(std::abs(once.at("hang").as_int64() - 15) < 14);
    CHECK(failed[model_failure_kind::rate_limited] > 30);
    CHECK(failed[model_failure_kind::server_error] > 60); // 500 and truncated
    CHECK(failed[model_failure_kind::cancelled] > 3);     // hung until then
}

TEST_CASE("mock: says what it was asked, and refuses what it cannot do", "[http][providers]")
{
    auto const mock = start_mock();
    raw_client client(static_cast<std::uint16_t>(std::stoi(mock->base_url().substr(17))));
    REQUIRE(client.send(post("/v1/chat/completions", "{}") +
                        post("/v1/chat/completions",
                             R"({"model":"b","messages":[{"role":"user","content":"no"}]})")));
    CHECK(client.receive().status == 400);
    auto const unknown = client.receive();
    CHECK(unknown.status == 404);
    CHECK(unknown.body.find(R"("code":"not_recorded")") != std::string::npos);
    REQUIRE(client.send(get("/stats") + get("/healthz")));
    CHECK(
        client.receive().body ==
        R"({"answered":0,"answered_twice":0,"distinct_questions":1,"outcomes":{"400":1,"404":1},"repeated_questions":0,"requests":2})");
    CHECK(client.receive().status == 200);

    CHECK(
        mock_server::start({.statuses = {{429, 0.6}}, .hang = 0.6}, two_questions()).error().code ==
        errc::invalid);
    CHECK(mock_server::start({.statuses = {{200, 0.6}}}, two_questions()).error().code ==
          errc::invalid);
    CHECK(mock_server::start({.hang = -0.1}, two_questions()).error().code == errc::invalid);
}

TEST_CASE("openai: cancel_all ends calls in flight", "[http][providers]")
{
    std::promise<model_outcome> outcome;
    auto const mock = start_mock({.hang = 1});
    auto const provider = make_openai();
    auto request = ask(mock->base_url(), "b", "1+1?");
    request.timeout = 1min;
    provider->complete(std::move(request), [&](auto said) { outcome.set_value(std::move(said)); });
    REQUIRE(eventually([&] { return mock->stats().requests == 1; }));
    provider->cancel_all();
    CHECK(outcome.get_future().get().error().kind == model_failure_kind::cancelled);
}
