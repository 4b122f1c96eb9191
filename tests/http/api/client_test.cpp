#include "core/json.hpp"
#include "http/api/client.hpp"
#include "http/server/sse.hpp"

#include <catch2/catch.hpp>

#include <memory>
#include <string>
#include <vector>

using namespace assay;

namespace {

http::route a_route(std::string path, http::handler serve)
{
    return {.method = http::method::post,
            .pattern = path,
            .name = path,
            .permission = http::permission{"test", "do"},
            .body_bytes_max = 64,
            .documented_errors = true,
            .serve = std::move(serve)};
}

/// Routes that answer, refuse, send in pieces, and stream.
http::router some_routes()
{
    http::router to;
    to.add(
        a_route("/echo", http::on_io_thread([](http::request const& req) -> result<http::response> {
                    auto out = http::json_text(200, req.body);
                    if (auto const key = req.headers.find("Idempotency-Key"))
                        out = http::json_text(200, "\"" + std::string(*key) + "\"");
                    return out;
                })));
    to.add(
        a_route("/refuse", http::on_io_thread([](http::request const&) -> result<http::response> {
                    error e{errc::invalid, "no", "validation_error"};
                    e.fields.push_back({{"body", "name"}, "too short", "string_too_short"});
                    return std::unexpected(e);
                })));
    to.add(a_route(
        "/pieces", http::on_io_thread([](http::request const&) -> result<http::response> {
            http::response out;
            out.body = http::body_source([left = 3](std::string& into) mutable -> result<bool> {
                into += left == 3 ? "[" : std::to_string(left) + (left > 1 ? "," : "]");
                return --left > 0;
            });
            return out;
        })));
    auto stream = a_route(
        "/stream", http::on_io_thread([](http::request const& req) -> result<http::response> {
            auto const events = std::make_shared<http::sse_stream>();
            for (auto const id : {"1", "2", "3"})
                if (id > req.last_event_id().value_or("0"))
                    events->push({.id = id, .name = {}, .data = R"({"n": 1})"});
            events->close();
            http::response out{.content_type = "text/event-stream", .body = {}};
            out.body = events;
            return out;
        }));
    stream.method = http::method::get;
    to.add(std::move(stream));
    return to;
}

std::shared_ptr<http::identity const> somebody(bool allowed)
{
    auto out = std::make_shared<http::identity>();
    out->may = [allowed](http::permission const&) { return allowed; };
    return out;
}

} // namespace

TEST_CASE("local client: calls go through the route's own limits and rights", "[http][api]")
{
    auto const routes = some_routes();
    api::local_client client(routes, somebody(true));
    json::value const body = json::object{{"a", 1}};
    CHECK(client.call("POST", "/echo", body).value() == body);
    CHECK(client.call("POST", "/echo", body, "a key").value() == json::value("a key"));
    CHECK(client.call("POST", "/nothing", body).error().code == errc::not_found);
    CHECK(client.call("GET", "/echo").error().reason == "method_not_allowed");
    json::value const large = json::object{{"a", std::string(100, 'x')}};
    CHECK(client.call("POST", "/echo", large).error().code == errc::too_large);

    api::local_client weak(routes, somebody(false));
    CHECK(weak.call("POST", "/echo", body).error().code == errc::forbidden);
    api::local_client nobody(routes, nullptr);
    CHECK(nobody.call("POST", "/echo", body).error().code == errc::unauthenticated);
}

TEST_CASE("local client: a refusal comes back with its reason and fields", "[http][api]")
{
    auto const routes = some_routes();
    api::local_client client(routes, somebody(true));
    auto const refused = client.call("POST", "/refuse", json::object{});
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::invalid);
    CHECK(refused.error().reason == "validation_error");
    REQUIRE(refused.error().fields.size() == 1);
    CHECK(refused.error().fields[0].loc == std::vector<std::string>{"body", "name"});
    CHECK(refused.error().detail == "body.name: too short");
}

TEST_CASE("local client: an answer in pieces comes whole", "[http][api]")
{
    auto const routes = some_routes();
    api::local_client client(routes, somebody(true));
    CHECK(client.call("POST", "/pieces", json::object{}).value() == json::value(json::array{2, 1}));
}

TEST_CASE("local client: streams give their events and resume", "[http][api]")
{
    auto const routes = some_routes();
    api::local_client client(routes, somebody(true));
    std::vector<std::string> seen;
    auto const note = [&](api::stream_event const& e) {
        seen.push_back(e.id);
        return true;
    };
    CHECK(client.stream("/stream", {}, note));
    CHECK(client.stream("/stream", "2", note));
    CHECK(seen == std::vector<std::string>{"1", "2", "3", "3"});
    CHECK(client.stream("/stream?x=1", {}, [](api::stream_event const&) { return false; }));
    CHECK(client.stream("/nothing", {}, note).error().code == errc::not_found);
}

TEST_CASE("event reader: pieces of any size give the same events", "[http][api]")
{
    std::string const wire =
        ": keep-alive\n\nid: 7.0\ndata: {\"a\":\ndata: 1}\n\nid: 8.1\r\ndata: [2]\r\n\r\n";
    auto const piece = GENERATE(1U, 2U, 3U, 7U, 100U);
    INFO("pieces of " << piece);
    api::event_reader reader;
    std::vector<std::string> seen;
    for (std::size_t at = 0; at < wire.size(); at += piece)
        reader.take(std::string_view(wire).substr(at, piece), [&](api::stream_event const& e) {
            seen.push_back(e.id + " " + boost::json::serialize(e.data));
            return true;
        });
    CHECK(seen == std::vector<std::string>{"7.0 {\"a\":1}", "8.1 [2]"});
}

TEST_CASE("event reader: the lines of a text arrive as they were sent", "[http][api]")
{
    auto const text = GENERATE("", "a", "a\nb", "\na", "a\n", "\n\n", "a\n\nb");
    api::event_reader reader;
    std::vector<std::string> seen;
    reader.take(http::encode({.id = "1", .data = text}), [&](api::stream_event const& e) {
        seen.emplace_back(e.data.as_string());
        return true;
    });
    CHECK(seen == std::vector<std::string>{text});
}

TEST_CASE("problems: an answer's status says the code, whatever its body", "[http][api]")
{
    CHECK(api::error_of(503, "<html>", "2").code == errc::unavailable);
    CHECK(api::error_of(503, "<html>", "2").retry_after_ms == 2000U);
    CHECK(api::error_of(409, R"({"code": "test_completed", "detail": "done"})").reason ==
          "test_completed");
    CHECK(api::error_of(418, "").code == errc::internal);
}
