#include "tests/http/loopback.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace assay;
using namespace assay::http;
using namespace assay::test;

namespace {

/// A route whose source gives `given` bytes in two pieces and says that it gives `told`.
route giving(std::string path, std::size_t given, std::uint64_t told)
{
    auto serve = [given, told](request const&) -> result<response> {
        response out{.content_type = "text/plain", .body = std::string()};
        out.length = told;
        out.body = body_source([left = given](std::string& into) mutable -> result<bool> {
            auto const n = (left + 1) / 2;
            into.append(n, 'x');
            left -= n;
            return left > 0;
        });
        return out;
    };
    auto name = path;
    return {.method = method::get,
            .pattern = std::move(path),
            .name = std::move(name),
            .serve = on_io_thread(std::move(serve))};
}

router routes()
{
    router out;
    out.add(giving("/whole", 10, 10));
    out.add(giving("/short", 5, 10));
    return out;
}

} // namespace

TEST_CASE("server: a source of known length has a Content-Length and keeps the connection",
          "[http]")
{
    test_server const server(routes());
    raw_client client(server.port());
    for (int i = 0; i < 2; ++i) {
        REQUIRE(client.send(get("/whole")));
        auto const answer = client.receive();
        CHECK(answer.status == 200);
        CHECK(answer.headers.at("content-length") == "10");
        CHECK_FALSE(answer.headers.contains("transfer-encoding"));
        CHECK(answer.body == std::string(10, 'x'));
    }
    REQUIRE(client.send("HEAD /whole HTTP/1.1\r\nHost: a\r\n\r\n"));
    auto const head = client.receive(true);
    CHECK(head.headers.at("content-length") == "10");
    CHECK(head.body.empty());
}

TEST_CASE("server: a source that gives less than it said has its connection cut", "[http][fault]")
{
    test_server const server(routes());
    raw_client client(server.port());
    REQUIRE(client.send(get("/short")));
    CHECK(client.closed_within());
}
