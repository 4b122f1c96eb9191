#include "core/json.hpp"
#include "http/api/client.hpp"
#include "tools/bench/load.hpp"
#include "tools/bench/served.hpp"

#include <fmt/format.h>

namespace assay::tools::bench {

namespace {

constexpr std::uint64_t requests = 30'000;

result<load_result> load_of(served const& s, std::string const& path, uuid const& test)
{
    auto const wire =
        post_request(path, s.api_key, fmt::format(R"({{"test_id":"{}"}})", test.text()));
    auto r =
        run_load({.port = s.server->port(), .requests = requests, .request = [&](std::uint64_t) {
                      return wire;
                  }});
    if (r && r->refused > 0)
        return fail(errc::internal, fmt::format("{} of {} requests to {} were refused", r->refused,
                                                requests, path));
    return r;
}

} // namespace

figures measure_queries()
{
    ASSAY_TRY(auto bench, workbench::open());
    ASSAY_TRY(auto eval, make_plain_eval(*bench, 4, 4)); // 16 cells
    ASSAY_TRY(auto test, bench->start({.eval = eval, .drive = drive::manual}));
    json::value prebuilt;
    ASSAY_TRY(
        auto s, served::start(std::move(bench), [&](http::router& to, api::services const& with) {
            api::add_test_get(to, with);
            http::route floor;
            floor.method = http::method::post;
            floor.pattern = "/floor";
            floor.name = "floor";
            floor.permission = http::permission{"test", "get"};
            floor.serve =
                http::on_pool(with.pool, [&](http::request const& r) -> result<http::response> {
                    ASSAY_CHECK(json::parse(r.body));
                    return http::json_text(200, boost::json::serialize(prebuilt));
                });
            to.add(std::move(floor));
        }));
    http::router in_process;
    api::add_test_get(in_process, *s->services);
    api::local_client local(in_process, s->keys->find(s->api_key));
    ASSAY_TRY(prebuilt, local.call("POST", "/test/get", json::object{{"test_id", test.text()}}));
    ASSAY_TRY(auto get, load_of(*s, "/test/get", test));
    ASSAY_TRY(auto floor, load_of(*s, "/floor", test));
    auto const ratio = get.per_second() / floor.per_second();
    s->server->drain(std::chrono::seconds(1));
    std::vector<figure> out;
    out.push_back({fmt::format("POST /test/get of a 16-cell test ({} bytes), 64 clients",
                               boost::json::serialize(prebuilt).size()),
                   fmt::format("{:.0f}/s, p50 {:.2f} ms, p99 {:.2f} ms", get.per_second(),
                               get.p50_ms, get.p99_ms),
                   fmt::format("same server, prebuilt object {:.0f}/s", floor.per_second()), ratio,
                   ">= 0.5x", ratio >= 0.5});
    return out;
}

} // namespace assay::tools::bench
