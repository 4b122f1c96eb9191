#include "tools/bench/served.hpp"

namespace assay::tools::bench {

result<std::unique_ptr<served>>
served::start(std::unique_ptr<workbench> bench,
              std::function<void(http::router&, api::services const&)> const& add)
{
    auto s = std::make_unique<served>();
    s->bench = std::move(bench);
    auto& e = *s->bench->engine;
    ASSAY_TRY(auto key, e.create_api_key(s->bench->who, s->bench->who.profile, "bench"));
    s->api_key = std::move(key.secret);
    s->keys = std::make_unique<api::identities>(e);
    s->credentials = std::make_unique<api::credentials>(*s->keys, s->numbers);
    ASSAY_CHECK(s->keys->load());
    s->states = std::make_unique<api::snapshots>([&e] { return e.read(); });
    s->services = std::make_unique<api::services>(
        api::services{e, s->pool, s->numbers, *s->keys, *s->states});
    http::router routes;
    add(routes, *s->services);
    http::server_options options;
    options.identify = [&c = *s->credentials](http::request const& r) { return c.identify(r); };
    ASSAY_TRY(s->server,
              http::server::start(std::move(options), std::move(routes), s->pool, s->numbers));
    return s;
}

} // namespace assay::tools::bench
