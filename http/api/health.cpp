#include "http/api/routes.hpp"

#include <algorithm>

namespace assay::api {

namespace {

http::response alive(http::request const&)
{
    return http::json_text(200, R"({"status":"ok"})");
}

/// 503 while a view is being built; says which serve already. A disk that is nearly full takes no
/// writes, but reads go on: that is told, and is ready.
http::response ready(services const& s)
{
    auto const states = s.engine.views().states();
    auto const serving =
        std::ranges::count_if(states, [](auto const& v) { return v.generation.has_value(); });
    bool const whole = serving == static_cast<std::ptrdiff_t>(states.size());
    std::string body;
    json_writer w(body);
    w.begin_object()
        .member("status", whole ? "ready" : "rebuilding")
        .member("writable", !s.engine.pipeline().disk().low())
        .member("views_serving", serving)
        .member("views_total", states.size())
        .name("missing")
        .begin_array();
    for (auto const& v : states)
        if (!v.generation)
            w.value(v.name);
    w.end_array().member("position", s.engine.log().next_position()).end_object();
    auto answer = http::json_text(whole ? 200 : 503, std::move(body));
    if (!whole)
        answer.headers.emplace_back("Retry-After", "1");
    return answer;
}

} // namespace

void add_health(http::router& to, services const& s, bool open_metrics)
{
    to.add({.method = http::method::get,
            .pattern = "/healthz",
            .name = "healthz",
            .always = true,
            .serve = http::on_io_thread(alive)});
    to.add({.method = http::method::get,
            .pattern = "/readyz",
            .name = "readyz",
            .always = true,
            .serve = http::on_io_thread([s](http::request const&) { return ready(s); })});
    http::route metrics{
        .method = http::method::get,
        .pattern = "/metrics",
        .name = "metrics",
        .always = true,
        .serve = http::on_pool(s.pool, [&numbers = s.numbers](http::request const&) {
            return http::text(200, numbers.text(), std::string(http::metrics::text_type));
        })};
    if (!open_metrics)
        metrics.permission = http::permission{"instance", "metrics"};
    to.add(std::move(metrics));
}

} // namespace assay::api
