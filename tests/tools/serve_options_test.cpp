#include "tests/events/fixture.hpp"
#include "tools/serve.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace assay;
using tools::serve_options;

namespace {

serve_options usable()
{
    serve_options out;
    out.data_dir = "data";
    return out;
}

serve_options with_tokens()
{
    auto out = usable();
    out.tokens.keys = "keys.json";
    out.tokens.issuers = {"issuer"};
    out.tokens.audiences = {"assay"};
    return out;
}

} // namespace

TEST_CASE("server options: tokens need keys, an issuer, an audience and sane times", "[tools]")
{
    CHECK(tools::check(usable()));
    CHECK(tools::check(with_tokens()));
    auto const refused = [](auto change) {
        auto o = with_tokens();
        change(o.tokens);
        return !tools::check(o);
    };
    CHECK(refused([](auto& t) { t.keys.clear(); }));
    CHECK(refused([](auto& t) { t.issuers.clear(); }));
    CHECK(refused([](auto& t) { t.audiences.clear(); }));
    CHECK(refused([](auto& t) { t.leeway_seconds = 601; }));
    CHECK(refused([](auto& t) { t.refresh_seconds = 9; }));
    CHECK_FALSE(refused([](auto& t) { t.leeway_seconds = 0; }));
}

TEST_CASE("server options: another address than loopback needs TLS or --insecure", "[tools]")
{
    auto o = usable();
    o.listen = "0.0.0.0:8321";
    CHECK_FALSE(tools::check(o));
    o.tls.certificate = "cert.pem";
    CHECK_FALSE(tools::check(o));
    o.tls.key = "key.pem";
    CHECK(tools::check(o));
    o.admin_listen = "[::]:9000"; // it has no TLS
    CHECK_FALSE(tools::check(o));
    o.admin_listen = "[::1]:9000";
    CHECK(tools::check(o));
    o.tls = {};
    CHECK_FALSE(tools::check(o));
    o.insecure = true;
    CHECK(tools::check(o));
}

TEST_CASE("server options: a file says what the flags say", "[tools]")
{
    test::temporary_directory const dir;
    auto const file = dir.path() / "assayd.yaml";
    std::ofstream(file) << "data: /srv/assay\n"
                           "token_keys: https://issuer.example/keys\n"
                           "token_issuers: [a, b]\n"
                           "token_audiences: [assay]\n"
                           "token_leeway: 5\n"
                           "token_claim_roles: groups\n";
    serve_options o;
    REQUIRE(tools::read_config(file, o));
    CHECK(o.data_dir == "/srv/assay");
    CHECK(o.tokens.keys == "https://issuer.example/keys");
    CHECK(o.tokens.issuers == std::vector<std::string>{"a", "b"});
    CHECK(o.tokens.leeway_seconds == 5);
    CHECK(o.tokens.refresh_seconds == 300);
    CHECK(o.tokens.claims.roles == "groups");
    CHECK(o.tokens.claims.profile == "sub");

    std::ofstream(file) << "token_issuer: a\n";
    CHECK(tools::read_config(file, o).error().detail.find("token_issuer is unknown") !=
          std::string::npos);
    std::ofstream(file) << "token_leeway: soon\n";
    CHECK_FALSE(tools::read_config(file, o));
}
