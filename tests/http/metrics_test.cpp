#include "http/server/metrics.hpp"
#include "tests/http/loopback.hpp"

#include <catch2/catch.hpp>

#include <array>
#include <limits>
#include <string>

using namespace assay;
using namespace assay::http;
using namespace assay::test;

TEST_CASE("metrics: the text is what Prometheus reads", "[http][metrics]")
{
    metrics numbers;
    numbers.make_counter("c_total", "Things\nwith \\ in it.", {{"a", "q\"\\\n"}}).add(3);
    CHECK(&numbers.make_counter("c_total", "", {{"a", "x"}}) ==
          &numbers.make_counter("c_total", "", {{"a", "x"}}));
    numbers.make_gauge("g", "Gauge.").set(0.5);
    numbers.make_gauge("g", "Gauge.").add(-1);
    static constexpr std::array bounds{0.1, 1.0};
    auto& h = numbers.make_histogram("h", "Histogram.", bounds, {{"r", "x"}});
    h.observe(0.1);
    h.observe(0.5);
    h.observe(7);
    CHECK(numbers.text() == "# HELP c_total Things\\nwith \\\\ in it.\n"
                            "# TYPE c_total counter\n"
                            "c_total{a=\"q\\\"\\\\\\n\"} 3\n"
                            "c_total{a=\"x\"} 0\n"
                            "# HELP g Gauge.\n"
                            "# TYPE g gauge\n"
                            "g -0.5\n"
                            "# HELP h Histogram.\n"
                            "# TYPE h histogram\n"
                            "h_bucket{r=\"x\",le=\"0.1\"} 1\n"
                            "h_bucket{r=\"x\",le=\"1\"} 2\n"
                            "h_bucket{r=\"x\",le=\"+Inf\"} 3\n"
                            "h_sum{r=\"x\"} 7.6\n"
                            "h_count{r=\"x\"} 3\n");
}

TEST_CASE("metrics: callbacks report until their token goes", "[http][metrics]")
{
    metrics numbers;
    auto token = numbers.report("lag", "Behind.", metrics::kind::gauge, [] {
        return std::vector<metrics::sample>{
            {{{"view", "a"}}, 2}, {{{"view", "b"}}, std::numeric_limits<double>::infinity()}};
    });
    CHECK(numbers.text() ==
          "# HELP lag Behind.\n# TYPE lag gauge\nlag{view=\"a\"} 2\nlag{view=\"b\"} +Inf\n");
    token.reset();
    CHECK(numbers.text().empty());
}

TEST_CASE("metrics: requests are counted by route, method and status", "[http][metrics]")
{
    router routes;
    routes.add({.pattern = "/a/{id}", .name = "a.get", .serve = on_io_thread([](request const&) {
                                                           return text(200, "x");
                                                       })});
    test_server served(std::move(routes));
    raw_client client(served.port());
    for (auto const* const path : {"/a/1", "/a/2", "/nothing/secret"}) {
        REQUIRE(client.send(get(path)));
        (void)client.receive();
    }
    // Counted after the answer is out: one more round trip makes sure.
    REQUIRE(client.send(get("/a/3")));
    (void)client.receive();
    REQUIRE(eventually([&] {
        return served.numbers.text().find(
                   R"(assay_http_requests_total{route="a.get",method="GET",status="200"} 3)") !=
               std::string::npos;
    }));
    auto const all = served.numbers.text();
    CHECK(all.find(R"(assay_http_requests_total{route="none",method="GET",status="404"} 1)") !=
          std::string::npos);
    CHECK(all.find(R"(assay_http_request_duration_seconds_count{route="a.get",method="GET"} 3)") !=
          std::string::npos);
    CHECK(all.find("assay_http_connections 1\n") != std::string::npos);
    CHECK(all.find("assay_http_requests_in_flight 0\n") != std::string::npos);
    CHECK(all.find("secret") == std::string::npos);
}
