#include "core/json.hpp"
#include "tests/http/loopback.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

using namespace assay;
using namespace assay::http;
using namespace assay::test;
using namespace std::chrono_literals;

namespace {

/// Says back what it was asked.
result<response> echo(request const& req)
{
    return json_text(200, json::canonical(json::object{
                              {"id", req.path_param("id")},
                              {"path", req.path},
                              {"q", req.query_param("q").value_or("-")},
                              {"body", req.body},
                              {"request_id", req.request_id},
                          }));
}

route make(http::method m, std::string pattern, function serve)
{
    auto name = std::string(to_string(m)) + pattern;
    return {.method = m,
            .pattern = std::move(pattern),
            .name = std::move(name),
            .serve = on_io_thread(std::move(serve))};
}

router echo_routes()
{
    router routes;
    routes.add(make(method::get, "/echo/{id}", echo));
    routes.add(make(method::post, "/echo/{id}", echo));
    routes.add(make(method::get, "/echo/fixed", [](auto const&) { return text(200, "fixed"); }));
    auto small = make(method::post, "/small", echo);
    small.body_bytes_max = 16;
    routes.add(std::move(small));
    return routes;
}

std::string member(raw_response const& answer, char const* name)
{
    auto const parsed = json::parse(answer.body);
    if (!parsed || !parsed->is_object() || !parsed->as_object().contains(name))
        return "<no " + std::string(name) + ">";
    auto const& found = parsed->as_object().at(name);
    return found.is_string() ? std::string(found.as_string()) : json::canonical(found);
}

} // namespace

TEST_CASE("server: a request reaches its route with path, query and body decoded", "[http]")
{
    test_server served(echo_routes());
    raw_client client(served.port());
    REQUIRE(client.send(post("/echo/a%20b%2Fc?q=x+y%26z", "hello")));
    auto const answer = client.receive();
    CHECK(answer.status == 200);
    CHECK(answer.headers.at("content-type") == "application/json");
    CHECK(answer.headers.contains("date"));
    CHECK(member(answer, "id") == "a b/c");
    CHECK(member(answer, "q") == "x y&z");
    CHECK(member(answer, "body") == "hello");

    REQUIRE(client.send(get("/echo/fixed")));
    CHECK(client.receive().body == "fixed");
    REQUIRE(client.send(get("http://elsewhere/echo/%66ixed?x")));
    CHECK(client.receive().body == "fixed");
}

TEST_CASE("server: unknown paths and methods are told apart", "[http]")
{
    test_server served(echo_routes());
    raw_client client(served.port());
    REQUIRE(client.send(get("/nothing")));
    auto answer = client.receive();
    CHECK(answer.status == 404);
    CHECK(answer.headers.at("content-type") == "application/problem+json");
    CHECK(member(answer, "code") == "unknown_path");
    CHECK(member(answer, "status") == "404");

    REQUIRE(client.send("DELETE /echo/1 HTTP/1.1\r\nHost: a\r\n\r\n"));
    answer = client.receive();
    CHECK(answer.status == 405);
    CHECK(answer.headers.at("allow") == "GET, HEAD, POST");
}

TEST_CASE("server: pipelined requests are answered in order", "[http]")
{
    router routes;
    blocking_pool slow(2);
    routes.add({.pattern = "/wait/{ms}",
                .name = "wait",
                .serve = on_pool(slow, [](request const& req) {
                    std::this_thread::sleep_for(1ms * std::stoi(std::string(req.path_param("ms"))));
                    return text(200, std::string(req.path_param("ms")));
                })});
    test_server served(std::move(routes));
    raw_client client(served.port());
    REQUIRE(client.send(get("/wait/40") + get("/wait/1") + get("/wait/20") + get("/wait/0")));
    for (auto const* const expected : {"40", "1", "20", "0"})
        CHECK(client.receive().body == expected);
}

TEST_CASE("server: HEAD has the head of GET and no body", "[http]")
{
    test_server served(echo_routes());
    raw_client client(served.port());
    REQUIRE(client.send("HEAD /echo/fixed HTTP/1.1\r\nHost: a\r\n\r\n" + get("/echo/fixed")));
    auto const head = client.receive(true);
    CHECK(head.status == 200);
    CHECK(head.headers.at("content-length") == "5");
    CHECK(client.receive().body == "fixed");
}

TEST_CASE("server: keep-alive as the version and the client say", "[http]")
{
    test_server served(echo_routes());
    {
        raw_client client(served.port());
        REQUIRE(client.send(get("/echo/fixed", "Connection: close\r\n")));
        CHECK(client.receive().headers.at("connection") == "close");
        CHECK(client.closed_within());
    }
    {
        raw_client client(served.port());
        REQUIRE(client.send("GET /echo/fixed HTTP/1.0\r\n\r\n"));
        CHECK(client.receive().status == 200);
        CHECK(client.closed_within());
    }
    {
        raw_client client(served.port());
        REQUIRE(client.send("GET /echo/fixed HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
        CHECK(client.receive().headers.at("connection") == "keep-alive");
        CHECK_FALSE(client.closed_within(50ms));
    }
}

TEST_CASE("server: what is no request is refused and the connection closed", "[http]")
{
    test_server served(echo_routes());
    auto const [bytes, status] = GENERATE(table<std::string, int>({
        {"nonsense\r\n\r\n", 400},
        {"GET /echo/fixed HTTP/3.0\r\nHost: a\r\n\r\n", 400},
        {"GET  /echo/fixed HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /echo/fixed HTTP/1.1\r\n\r\n", 400},                       // no Host
        {"GET /echo/fixed HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400}, // two
        {"GET /echo/fixed HTTP/1.1\r\nHost : a\r\n\r\n", 400},           // space before the colon
        {"POST /echo/1 HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400},
        {"POST /echo/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n12",
         400},
        {"POST /echo/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: "
         "chunked\r\n\r\n0\r\n\r\n",
         400},
        {"POST /echo/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
         400},
        {"POST /echo/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\nabc", 400},
        {"POST /echo/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"GET /echo/1?a=%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
        {"GET /echo/fixed HTTP/1.1\r\nHost: a\r\nExpect: wonders\r\n\r\n", 417},
        {"GET /" + std::string(17000, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 431},
        {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(17000, 'a') + "\r\n\r\n", 431},
    }));
    INFO(bytes.substr(0, 200));
    raw_client client(served.port());
    REQUIRE(client.send(bytes));
    auto const answer = client.receive();
    CHECK(answer.status == status);
    CHECK(member(answer, "status") == std::to_string(status));
    if (bytes.find("%zz") == std::string::npos)
        CHECK(client.closed_within());
}

TEST_CASE("server: many small fields count together against the limit", "[http]")
{
    test_server served(echo_routes());
    raw_client client(served.port());
    std::string fields;
    for (int i = 0; i < 90; ++i)
        fields += fmt::format("X-{}: {}\r\n", i, std::string(200, 'v'));
    client.send(get("/echo/fixed", fields));
    CHECK(client.receive().status == 431);
}

TEST_CASE("server: a body beyond the route's limit is 413, announced or chunked", "[http]")
{
    test_server served(echo_routes());
    SECTION("within the limit")
    {
        raw_client client(served.port());
        REQUIRE(client.send(post("/small", "0123456789abcdef")));
        CHECK(client.receive().status == 200);
    }
    SECTION("announced")
    {
        raw_client client(served.port());
        REQUIRE(client.send(post("/small", "0123456789abcdef!")));
        CHECK(client.receive().status == 413);
        // Small enough to be read and dropped: the connection stays.
        REQUIRE(client.send(get("/echo/fixed")));
        CHECK(client.receive().status == 200);
    }
    SECTION("announced and large: refused before it is sent")
    {
        raw_client client(served.port());
        REQUIRE(
            client.send("POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\nabc"));
        CHECK(client.receive().status == 413);
        CHECK(client.closed_within());
    }
    SECTION("chunked")
    {
        raw_client client(served.port());
        REQUIRE(client.send("POST /small HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "8\r\n01234567\r\n9\r\n012345678\r\n0\r\n\r\n"));
        CHECK(client.receive().status == 413);
    }
}

TEST_CASE("server: chunked bodies are put together", "[http]")
{
    test_server served(echo_routes());
    raw_client client(served.port());
    REQUIRE(client.send(
        "POST /echo/1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab"));
    std::this_thread::sleep_for(5ms);
    REQUIRE(client.send("c\r\n2;ext=1\r\nde\r\n0\r\nTrailer: x\r\n\r\n" + get("/echo/fixed")));
    CHECK(member(client.receive(), "body") == "abcde");
    CHECK(client.receive().body == "fixed");
}

TEST_CASE("server: Expect: 100-continue is answered before the body is read", "[http]")
{
    test_server served(echo_routes());
    raw_client client(served.port());
    REQUIRE(client.send(
        "POST /echo/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"));
    CHECK(client.receive().status == 100);
    REQUIRE(client.send("abc"));
    CHECK(member(client.receive(), "body") == "abc");

    REQUIRE(client.send(
        "POST /small HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\nExpect: 100-continue\r\n\r\n"));
    CHECK(client.receive().status == 413);
}

TEST_CASE("server: the client's request id is used when it is fit to be", "[http]")
{
    test_server served(echo_routes());
    raw_client client(served.port());
    REQUIRE(client.send(get("/echo/1", "X-Request-Id: mine-1\r\n")));
    auto answer = client.receive();
    CHECK(answer.headers.at("x-request-id") == "mine-1");
    CHECK(member(answer, "request_id") == "mine-1");

    auto const unfit = GENERATE(as<std::string>{}, "", "a b", std::string(129, 'x'), "\xC3\xA4");
    REQUIRE(client.send(get("/echo/1", "X-Request-Id: " + unfit + "\r\n")));
    answer = client.receive();
    CHECK(answer.headers.at("x-request-id").size() == 16);
    CHECK(answer.headers.at("x-request-id") == member(answer, "request_id"));
}

TEST_CASE("server: slow heads and bodies end at their deadline", "[http]")
{
    // Only the deadline that a section is about is short, so that no other can come first.
    server_options options;

    SECTION("a head sent byte by byte")
    {
        options.head_timeout = 1s; // it also bounds how long the first byte may take
        test_server served(echo_routes(), options);
        raw_client client(served.port());
        std::string const field = "GET /echo/fixed HTTP/1.1\r\nX-Slow: ";
        REQUIRE(client.send(field));
        while (!client.readable_within(5ms))
            if (!client.send("z"))
                break;
        CHECK(client.receive().status == 408);
        CHECK(client.closed_within());
    }
    SECTION("a body that does not come")
    {
        options.body_timeout = 100ms;
        test_server served(echo_routes(), options);
        raw_client client(served.port());
        REQUIRE(client.send("POST /echo/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc"));
        CHECK(client.receive().status == 408);
    }
    SECTION("a connection that says nothing")
    {
        options.head_timeout = 100ms;
        test_server served(echo_routes(), options);
        raw_client client(served.port());
        CHECK(client.closed_within());
    }
    SECTION("an idle connection")
    {
        options.idle_timeout = 100ms;
        test_server served(echo_routes(), options);
        raw_client client(served.port());
        REQUIRE(client.send(get("/echo/fixed")));
        CHECK(client.receive().status == 200);
        CHECK(client.closed_within());
    }
}

TEST_CASE("server: a client that does not take its answer is cut", "[http]")
{
    server_options options;
    options.write_timeout = 100ms;
    router routes;
    routes.add(make(method::get, "/large",
                    [](auto const&) { return text(200, std::string(64 << 20, 'x')); }));
    test_server served(std::move(routes), options);
    raw_client client(served.port(), true);
    REQUIRE(client.send(get("/large")));
    CHECK(eventually([&] {
        return served.numbers.text().find("assay_http_connections 0") != std::string::npos;
    }));
}

TEST_CASE("server: connections beyond the limit get 503", "[http]")
{
    server_options options;
    options.connections_max = 2;
    test_server served(echo_routes(), options);
    raw_client a(served.port());
    raw_client b(served.port());
    REQUIRE(a.send(get("/echo/fixed")));
    REQUIRE(b.send(get("/echo/fixed")));
    CHECK(a.receive().status == 200);
    CHECK(b.receive().status == 200);
    {
        raw_client c(served.port());
        CHECK(c.receive().status == 503);
        CHECK(c.closed_within());
    }
    REQUIRE(a.send(get("/echo/fixed", "Connection: close\r\n")));
    CHECK(a.receive().status == 200);
    CHECK(a.closed_within());
    CHECK(eventually([&] {
        raw_client d(served.port());
        return d.send(get("/echo/fixed")) && d.receive().status == 200;
    }));
}

TEST_CASE("server: requests beyond in_flight_max get 503, health checks do not", "[http]")
{
    server_options options;
    options.in_flight_max = 1;
    std::vector<responder> waiting;
    std::mutex mutex;
    router routes = echo_routes();
    routes.add({.pattern = "/hold", .name = "hold", .serve = [&](request, responder respond) {
                    std::lock_guard const lock(mutex);
                    waiting.push_back(std::move(respond));
                }});
    auto health = make(method::get, "/healthz", [](auto const&) { return text(200, "ok"); });
    health.always = true;
    routes.add(std::move(health));
    test_server served(std::move(routes), options);
    raw_client first(served.port());
    REQUIRE(first.send(get("/hold")));
    REQUIRE(eventually([&] {
        std::lock_guard const lock(mutex);
        return waiting.size() == 1;
    }));
    raw_client second(served.port());
    REQUIRE(second.send(get("/echo/fixed") + get("/healthz")));
    auto const refused = second.receive();
    CHECK(refused.status == 503);
    CHECK(refused.headers.at("retry-after") == "1");
    CHECK(member(refused, "code") == "overloaded");
    CHECK(second.receive().body == "ok");

    // From a thread that is not the connection's.
    waiting.front()(text(200, "late"));
    CHECK(first.receive().body == "late");
    REQUIRE(second.send(get("/echo/fixed")));
    CHECK(second.receive().status == 200);
}

TEST_CASE("server: errors become problems, in the type that the route documents", "[http]")
{
    router routes;
    auto documented = make(method::post, "/documented", [](auto const&) -> result<response> {
        return fail(error{.code = errc::invalid,
                          .detail = "bad",
                          .fields = {{{"body", "test_id"}, "must be a UUID", "uuid_parsing"}}});
    });
    documented.documented_errors = true;
    routes.add(std::move(documented));
    routes.add(make(method::get, "/limited", [](auto const&) -> result<response> {
        return fail(error{.code = errc::rate_limited,
                          .detail = "slow down",
                          .reason = "tokens",
                          .retry_after_ms = 1500});
    }));
    routes.add(make(method::get, "/throws",
                    [](auto const&) -> result<response> { throw std::runtime_error("boom"); }));
    routes.add({.pattern = "/raw-throw", .name = "raw", .serve = [](request, responder) {
                    throw std::runtime_error("boom");
                }});
    routes.add({.pattern = "/dropped", .name = "dropped", .serve = [](request, responder) {}});
    test_server served(std::move(routes));
    raw_client client(served.port());

    REQUIRE(client.send(post("/documented", "{}")));
    auto answer = client.receive();
    CHECK(answer.status == 422);
    CHECK(answer.headers.at("content-type") == "application/json");
    CHECK(member(answer, "detail") ==
          R"([{"loc":["body","test_id"],"msg":"must be a UUID","type":"uuid_parsing"}])");
    CHECK(member(answer, "title") == "Unprocessable Entity");
    CHECK(member(answer, "code") == "invalid");

    REQUIRE(client.send(get("/limited")));
    answer = client.receive();
    CHECK(answer.status == 429);
    CHECK(answer.headers.at("retry-after") == "2");
    CHECK(answer.headers.at("content-type") == "application/problem+json");
    CHECK(member(answer, "code") == "tokens");
    CHECK(member(answer, "detail") == "slow down");

    for (auto const* const path : {"/throws", "/raw-throw", "/dropped"}) {
        REQUIRE(client.send(get(path)));
        CHECK(client.receive().status == 500);
    }
}

TEST_CASE("server: identity and permission are asked before the body is read", "[http]")
{
    server_options options;
    options.identify = [](request const& req) -> result<std::shared_ptr<identity const>> {
        auto const key = req.headers.find("x-api-key");
        if (!key || *key != "good")
            return fail(errc::unauthenticated, "no key");
        return std::make_shared<identity const>(identity{
            .name = "ana", .may = [](permission const& p) { return p.operation == "get"; }});
    };
    router routes;
    auto const guarded = [&](std::string pattern, std::string operation) {
        auto r = make(method::post, std::move(pattern),
                      [](request const& req) { return text(200, req.caller->name); });
        r.permission = permission{"test", std::move(operation)};
        routes.add(std::move(r));
    };
    guarded("/get", "get");
    guarded("/start", "start");
    test_server served(std::move(routes), options);
    raw_client client(served.port());
    REQUIRE(client.send(post("/get", "{}")));
    auto answer = client.receive();
    CHECK(answer.status == 401);
    CHECK(answer.headers.contains("www-authenticate"));
    REQUIRE(client.send(post("/get", "{}", "X-Api-Key: good\r\n")));
    CHECK(client.receive().body == "ana");
    REQUIRE(client.send(post("/start", "{}", "X-Api-Key: good\r\n")));
    CHECK(client.receive().status == 403);
    REQUIRE(client.send("POST /get HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n"));
    CHECK(client.receive().status == 401);
    CHECK(client.closed_within());
}

TEST_CASE("server: streamed bodies arrive whole, or visibly cut", "[http]")
{
    router routes;
    routes.add(make(method::get, "/stream/{parts}", [](request const& req) -> result<response> {
        auto const parts = std::stoi(std::string(req.path_param("parts")));
        return response{.body =
                            body_source([i = 0, parts](std::string& out) mutable -> result<bool> {
                                if (parts < 0 && i == 2)
                                    return fail(errc::io, "disk gone");
                                if (parts == 0)
                                    return false;
                                out += fmt::format("{};", i++);
                                return i != parts;
                            })};
    }));
    test_server served(std::move(routes));
    {
        raw_client client(served.port());
        REQUIRE(client.send(get("/stream/3") + get("/stream/0") + get("/stream/1000")));
        auto const answer = client.receive();
        CHECK(answer.headers.at("transfer-encoding") == "chunked");
        CHECK(answer.body == "0;1;2;");
        CHECK(client.receive().body.empty());
        CHECK(client.receive().body.size() == 10 * 2 + 90 * 3 + 900 * 4);
        REQUIRE(client.send(get("/stream/-1")));
        CHECK(client.receive().body == "0;1;");
        CHECK(client.closed_within());
    }
    {
        raw_client client(served.port());
        REQUIRE(client.send("GET /stream/3 HTTP/1.0\r\n\r\n"));
        CHECK(client.receive_until("0;1;2;").find("chunked") == std::string::npos);
        CHECK(client.closed_within());
    }
    {
        raw_client client(served.port());
        REQUIRE(client.send("HEAD /stream/3 HTTP/1.1\r\nHost: a\r\n\r\n" + get("/stream/1")));
        CHECK(client.receive(true).status == 200);
        CHECK(client.receive().body == "0;");
    }
}

TEST_CASE("server: draining finishes what is in flight and closes what is idle", "[http]")
{
    std::promise<responder> held;
    router routes = echo_routes();
    routes.add({.pattern = "/hold", .name = "hold", .serve = [&](request, responder respond) {
                    held.set_value(std::move(respond));
                }});
    test_server served(std::move(routes));
    raw_client idle(served.port());
    REQUIRE(idle.send(get("/echo/fixed")));
    REQUIRE(idle.receive().status == 200);
    raw_client busy(served.port());
    REQUIRE(busy.send(get("/hold")));
    auto respond = held.get_future().get();

    SECTION("within the grace")
    {
        auto drained = std::async(std::launch::async, [&] { served.server->drain(patience); });
        CHECK(idle.closed_within());
        CHECK_THROWS(raw_client(served.port()));
        CHECK(drained.wait_for(20ms) == std::future_status::timeout);
        respond(text(200, "done"));
        auto const answer = busy.receive();
        CHECK(answer.body == "done");
        CHECK(answer.headers.at("connection") == "close");
        CHECK(drained.wait_for(patience) == std::future_status::ready);
    }
    SECTION("beyond it")
    {
        auto const began = std::chrono::steady_clock::now();
        served.server->drain(50ms);
        CHECK(std::chrono::steady_clock::now() - began < patience);
        CHECK(busy.closed_within());
        respond(text(200, "too late")); // harmless, also after the server has gone
        served.server.reset();
    }
}

TEST_CASE("server: an answer being written when draining begins is finished, then closed", "[http]")
{
    constexpr std::size_t bytes = 8 << 20;
    router routes;
    routes.add(make(method::get, "/large",
                    [](auto const&) { return text(200, std::string(bytes, 'x')); }));
    test_server served(std::move(routes));
    raw_client client(served.port(), true);
    REQUIRE(client.send(get("/large")));
    REQUIRE_FALSE(client.receive_until("HTTP/1.1 200 OK").empty());
    std::this_thread::sleep_for(30ms); // the socket's buffer is full now
    auto drained = std::async(std::launch::async, [&] { served.server->drain(patience); });
    std::this_thread::sleep_for(30ms);
    CHECK_FALSE(client.receive_until(std::string(bytes, 'x')).empty());
    CHECK(drained.wait_for(patience) == std::future_status::ready);
    CHECK(client.closed_within());
}

TEST_CASE("server: a responder may outlive the server", "[http]")
{
    std::promise<responder> held;
    router routes;
    routes.add({.pattern = "/hold", .name = "hold", .serve = [&](request, responder respond) {
                    held.set_value(std::move(respond));
                }});
    test_server served(std::move(routes));
    raw_client busy(served.port());
    REQUIRE(busy.send(get("/hold")));
    auto respond = held.get_future().get();
    served.server.reset();
    respond(text(200, "nobody"));
    CHECK(busy.closed_within());
}

TEST_CASE("server: many connections on several I/O threads", "[http]")
{
    server_options options;
    options.io_threads = 2;
    test_server served(echo_routes(), options);
    std::vector<std::unique_ptr<raw_client>> clients;
    for (int i = 0; i < 300; ++i)
        clients.push_back(std::make_unique<raw_client>(served.port()));
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < clients.size(); ++i)
            REQUIRE(clients[i]->send(post("/echo/" + std::to_string(i), "x")));
        for (std::size_t i = 0; i < clients.size(); ++i)
            REQUIRE(member(clients[i]->receive(), "id") == std::to_string(i));
    }
}

TEST_CASE("server: an address in use or no address is an error", "[http]")
{
    test_server served(echo_routes());
    blocking_pool pool(1);
    metrics numbers;
    auto const taken = server::start({.port = served.port()}, echo_routes(), pool, numbers);
    REQUIRE_FALSE(taken);
    CHECK(taken.error().code == errc::io);
    auto const bad = server::start({.address = "localhost"}, echo_routes(), pool, numbers);
    REQUIRE_FALSE(bad);
    CHECK(bad.error().code == errc::invalid);
}
