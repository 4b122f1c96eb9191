#include "http/client/client.hpp"
#include "http/client/url.hpp"
#include "tests/http/loopback.hpp"
#include "tests/http/scripted_server.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <future>
#include <set>
#include <string>
#include <thread>
#include <vector>

using namespace assay;
using namespace assay::http;
using namespace assay::test;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<client> make_client(client_options options = {})
{
    auto made = client::make(std::move(options));
    REQUIRE(made);
    return std::move(*made);
}

result<inbound_response> call(client& c, outbound_request request)
{
    std::promise<result<inbound_response>> outcome;
    c.send(std::move(request), [&](auto answer) { outcome.set_value(std::move(answer)); });
    return outcome.get_future().get();
}

std::string ok(std::string_view body, std::string_view more_fields = {})
{
    return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{}\r\n{}", body.size(),
                       more_fields, body);
}

/// The error of a call to a server that answers `reply`.
error failure(std::string reply, client_options options = {},
              std::chrono::milliseconds timeout = patience)
{
    scripted_server const server({{std::move(reply)}});
    auto const c = make_client(std::move(options));
    auto const answer = call(*c, {.url = server.url("/secret-path"), .timeout = timeout});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().detail.find("secret") == std::string::npos);
    return answer.error();
}

} // namespace

TEST_CASE("url: absolute http and https URLs are taken apart", "[http][client]")
{
    auto const [text, host, port, target, field] =
        GENERATE(table<std::string, std::string, int, std::string, std::string>({
            {"http://a.example", "a.example", 80, "/", "a.example"},
            {"https://a.example/v1?x=%20", "a.example", 443, "/v1?x=%20", "a.example"},
            {"https://a.example:80?q", "a.example", 80, "/?q", "a.example:80"},
            {"http://[::1]:8080/x", "::1", 8080, "/x", "[::1]:8080"},
        }));
    auto const url = parse_url(text);
    REQUIRE(url);
    CHECK(url->host == host);
    CHECK(url->port == port);
    CHECK(url->target == target);
    CHECK(url->host_field() == field);

    for (auto const* const bad : {"", "a.example", "/v1", "ftp://a", "http://", "http://u:p@a/",
                                  "http://a:99999/", "http://a:0/", "http://a b/"}) {
        INFO(bad);
        CHECK_FALSE(parse_url(bad).has_value());
    }
}

TEST_CASE("client: a call reaches a server and connections are kept", "[http][client]")
{
    std::mutex mutex;
    std::set<std::string> peers;
    router routes;
    routes.add({.method = http::method::post,
                .pattern = "/echo",
                .name = "echo",
                .serve = on_io_thread([&](request const& req) -> result<response> {
                    std::lock_guard const lock(mutex);
                    peers.insert(req.peer);
                    auto answer =
                        text(201, req.body + std::string(req.headers.find("x-mine").value_or("")));
                    answer.headers.emplace_back("X-Back", "yes");
                    return answer;
                })});
    test_server served(std::move(routes));
    auto const c = make_client();
    for (int i = 0; i < 5; ++i) {
        auto const answer = call(*c, {.method = http::method::post,
                                      .url = served.server->url() + "/echo",
                                      .headers = {{"X-Mine", "!"}},
                                      .body = "hello"});
        REQUIRE(answer);
        CHECK(answer->status == 201);
        CHECK(answer->body == "hello!");
        CHECK(answer->headers.find("x-back") == "yes");
    }
    CHECK(peers.size() == 1);
}

TEST_CASE("client: many calls at once, each answered once", "[http][client]")
{
    router routes;
    blocking_pool slow(2);
    routes.add({.pattern = "/n/{n}", .name = "n", .serve = on_pool(slow, [](request const& req) {
                                                      return text(200,
                                                                  std::string(req.path_param("n")));
                                                  })});
    test_server served(std::move(routes));
    auto const c = make_client();
    constexpr int calls = 500;
    std::vector<std::promise<std::string>> answers(calls);
    for (int i = 0; i < calls; ++i)
        c->send({.url = fmt::format("{}/n/{}", served.server->url(), i)}, [&, i](auto answer) {
            answers[static_cast<std::size_t>(i)].set_value(answer ? answer->body
                                                                  : answer.error().detail);
        });
    for (int i = 0; i < calls; ++i)
        REQUIRE(answers[static_cast<std::size_t>(i)].get_future().get() == std::to_string(i));
}

TEST_CASE("client: bodies end by length, by chunks or with the connection", "[http][client]")
{
    scripted_server const server({
        {ok("one"),
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\ntw\r\n1\r\no\r\n0\r\n\r\n",
         "HTTP/1.1 100 Continue\r\n\r\n" + ok("three"), "HTTP/1.1 204 No Content\r\n\r\n",
         "HTTP/1.1 200 OK\r\n\r\nuntil the end"},
    });
    auto const c = make_client();
    for (auto const* const expected : {"one", "two", "three", "", "until the end"}) {
        auto const answer = call(*c, {.url = server.url()});
        REQUIRE(answer);
        CHECK(answer->body == expected);
    }
    CHECK(server.requests().size() == 5);
}

TEST_CASE("client: HEAD has no body, whatever its length says", "[http][client]")
{
    scripted_server const server({{"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", ok("next")}});
    auto const c = make_client();
    auto const head = call(*c, {.method = http::method::head, .url = server.url()});
    REQUIRE(head);
    CHECK(head->body.empty());
    CHECK(call(*c, {.url = server.url()})->body == "next");
}

TEST_CASE("client: a kept connection that was closed is replaced, once", "[http][client]")
{
    SECTION("closed while it was idle")
    {
        scripted_server const server({{ok("a")}, {ok("b")}});
        auto const c = make_client();
        CHECK(call(*c, {.url = server.url()})->body == "a");
        std::this_thread::sleep_for(20ms);
        CHECK(call(*c, {.url = server.url()})->body == "b");
        CHECK(server.requests().size() == 2);
    }
    SECTION("closed by the next request")
    {
        scripted_server const server({{ok("a"), ""}, {ok("b")}});
        auto const c = make_client();
        CHECK(call(*c, {.url = server.url()})->body == "a");
        CHECK(call(*c, {.url = server.url()})->body == "b");
        CHECK(server.requests().size() == 3);
    }
    SECTION("but a new connection is not")
    {
        scripted_server const server({{""}, {ok("never")}});
        auto const c = make_client();
        auto const answer = call(*c, {.url = server.url()});
        REQUIRE_FALSE(answer);
        CHECK(answer.error().code == errc::io);
        CHECK(server.requests().size() == 1);
    }
    SECTION("nor is one that has begun to answer")
    {
        scripted_server const server({{ok("a"), "HTTP/1.1 2"}, {ok("never")}});
        auto const c = make_client();
        CHECK(call(*c, {.url = server.url()})->body == "a");
        CHECK_FALSE(call(*c, {.url = server.url()}));
        CHECK(server.requests().size() == 2);
    }
    SECTION("Connection: close is obeyed")
    {
        scripted_server const server({{ok("a", "Connection: close\r\n"), ok("never")}, {ok("b")}});
        auto const c = make_client();
        CHECK(call(*c, {.url = server.url()})->body == "a");
        CHECK(call(*c, {.url = server.url()})->body == "b");
    }
}

TEST_CASE("client: each way to fail has its code", "[http][client]")
{
    CHECK(failure("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").code == errc::io);
    CHECK(failure("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab").code == errc::io);
    CHECK(failure("SSH-2.0-OpenSSH\r\n\r\n").code == errc::malformed);
    CHECK(failure(scripted_server::hang, {}, 100ms).code == errc::timeout);
    CHECK(failure(ok(std::string(100, 'x')), {.response_bytes_max = 99}).code == errc::too_large);
    CHECK(failure("HTTP/1.1 200 OK\r\nX: " + std::string(70000, 'x') + "\r\n\r\n").code ==
          errc::too_large);

    auto const c = make_client();
    CHECK(call(*c, {.url = "nonsense"}).error().code == errc::invalid);
    CHECK(call(*c, {.url = "http://127.0.0.1/", .headers = {{"X", "a\r\nY: b"}}}).error().code ==
          errc::invalid);
    std::uint16_t closed_port = 0;
    {
        scripted_server const gone({});
        closed_port = gone.port();
    }
    CHECK(call(*c, {.url = fmt::format("http://127.0.0.1:{}/", closed_port)}).error().code ==
          errc::io);
}

TEST_CASE("client: the deadline holds for an answer that trickles", "[http][client]")
{
    router routes;
    routes.add({.pattern = "/trickle",
                .name = "trickle",
                .serve = on_io_thread([](request const&) {
                    return response{.body = body_source([](std::string& out) -> result<bool> {
                                        std::this_thread::sleep_for(10ms);
                                        out += "x";
                                        return true;
                                    })};
                })});
    test_server served(std::move(routes));
    auto const c = make_client();
    auto const began = std::chrono::steady_clock::now();
    auto const answer = call(*c, {.url = served.server->url() + "/trickle", .timeout = 100ms});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == errc::timeout);
    CHECK(std::chrono::steady_clock::now() - began < patience);
}

TEST_CASE("client: cancel_all and destruction end what is in flight", "[http][client]")
{
    scripted_server const server({{scripted_server::hang}, {scripted_server::hang}});
    auto c = make_client();
    std::promise<errc> first;
    std::promise<errc> second;
    c->send({.url = server.url()}, [&](auto answer) { first.set_value(answer.error().code); });
    REQUIRE(eventually([&] { return server.requests().size() == 1; }));
    c->cancel_all();
    CHECK(first.get_future().get() == errc::cancelled);
    c->send({.url = server.url()}, [&](auto answer) { second.set_value(answer.error().code); });
    c.reset();
    CHECK(second.get_future().get() == errc::cancelled);
}

TEST_CASE("client: TLS is verified", "[http][client]")
{
    certificate const trusted;
    certificate const other;
    scripted_server const server({{ok("a"), ok("b")}, {ok("c")}, {ok("d")}}, &trusted);
    auto const localhost = fmt::format("https://localhost:{}/", server.port());
    {
        auto const c = make_client({.ca_file = trusted.cert_file});
        CHECK(call(*c, {.url = server.url()})->body == "a");
        CHECK(call(*c, {.url = server.url()})->body == "b"); // on the same connection
    }
    {
        auto const c = make_client({.ca_file = trusted.cert_file});
        auto const answer = call(*c, {.url = localhost});
        REQUIRE(answer);
        CHECK(answer->body == "c");
    }
    {
        auto const c = make_client({.ca_file = other.cert_file});
        auto const answer = call(*c, {.url = server.url()});
        REQUIRE_FALSE(answer);
        CHECK(answer.error().code == errc::io);
        CHECK(answer.error().detail.find("certificate") != std::string::npos);
    }
    CHECK_FALSE(client::make({.ca_file = "/nowhere.pem"}));
}

TEST_CASE("client: a certificate for another name is refused", "[http][client]")
{
    certificate const elsewhere("DNS:elsewhere.example");
    scripted_server const server({{ok("never")}}, &elsewhere);
    auto const c = make_client({.ca_file = elsewhere.cert_file});
    auto const answer = call(*c, {.url = server.url()});
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == errc::io);
    CHECK(answer.error().detail.find("certificate") != std::string::npos);
    CHECK(server.requests().empty());
}
