#include "http/api/credentials.hpp"
#include "http/server/router.hpp"
#include "tests/http/loopback.hpp"
#include "tests/http/runner_service.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace assay;
using namespace assay::test;

namespace {

std::string const secret = "a secret of more than thirty-two bytes";

/// Credentials over an engine with one workspace, whose tokens are signed with `secret`.
struct gate {
    service s;
    http::metrics numbers;
    api::identities known{*s.engine};
    api::credentials credentials{known, numbers};

    gate()
    {
        REQUIRE(known.load());
        auto const file = (s.dir.path() / "secret").string();
        std::ofstream(file) << secret << '\n';
        REQUIRE(credentials.take_tokens({.keys = {.secret_file = file},
                                         .policy = {{"issuer"}, {"assay"}, std::chrono::seconds{5}},
                                         .names = {}},
                                        numbers));
    }

    uuid profile(std::string role, std::vector<uuid> departments = {})
    {
        engine::item_draft draft{.name = "somebody"};
        draft.departments = std::move(departments);
        draft.body = {{"role", role}};
        return s.create(item_kind::profile, std::move(draft));
    }

    [[nodiscard]] static std::string token(uuid const& profile, json::object more = {})
    {
        json::object claims{{"iss", "issuer"},
                            {"aud", "assay"},
                            {"sub", profile.text()},
                            {"exp", api::seconds_now() + 600}};
        for (auto const& m : more)
            claims[m.key()] = m.value();
        return tokens::mint(tokens::key::from_secret(secret).value(), claims).value();
    }

    [[nodiscard]] result<std::shared_ptr<http::identity const>>
    send(std::string_view header, std::string_view value, http::route const* route = nullptr)
    {
        http::request req;
        req.peer = "127.0.0.1:4711";
        req.matched = route;
        req.headers.add(header, value);
        return credentials.identify(req);
    }

    [[nodiscard]] result<std::shared_ptr<http::identity const>> bearer(std::string_view value)
    {
        return send("Authorization", "Bearer " + std::string(value));
    }

    [[nodiscard]] std::string outcome(std::string_view value)
    {
        auto const who = bearer(value);
        return who ? "good" : who.error().reason;
    }
};

bool permits(http::identity const& who, std::string artifact, std::string operation)
{
    return who.may({std::move(artifact), std::move(operation)});
}

} // namespace

TEST_CASE("credentials: a token is its profile, with its role and departments", "[http]")
{
    gate g;
    auto const physics = g.s.create(item_kind::department, {.name = "physics"});
    auto const who = g.bearer(g.token(g.profile("instructor", {physics}))).value();
    CHECK(who->workspace == g.s.who.workspace);
    CHECK(permits(*who, "test", "start"));
    CHECK_FALSE(permits(*who, "key", "get"));
    CHECK(api::claims_of(*who).departments == std::vector{physics});
    CHECK(api::claims_of(*who).expires_at);
    auto const administrator = g.bearer(g.token(g.profile("administrator", {physics}))).value();
    CHECK_FALSE(api::claims_of(*administrator).departments);
    CHECK(permits(*administrator, "instance", "admin"));
}

TEST_CASE("credentials: a token's claims narrow rights and never widen them", "[http]")
{
    gate g;
    auto const physics = g.s.create(item_kind::department, {.name = "physics"});
    auto const maths = g.s.create(item_kind::department, {.name = "maths"});
    auto const teacher = g.profile("instructor", {physics});
    auto const narrowed = [&](json::object claims) {
        return g.bearer(g.token(teacher, std::move(claims))).value();
    };

    auto const reader = narrowed({{"role", "learner"}});
    CHECK(permits(*reader, "test", "get"));
    CHECK_FALSE(permits(*reader, "test", "start"));
    CHECK(api::claims_of(*reader).role == "learner");
    auto const risen = narrowed({{"role", json::array{"administrator", "offline_access"}}});
    CHECK(permits(*risen, "test", "start"));
    CHECK_FALSE(permits(*risen, "key", "get"));
    CHECK_FALSE(permits(*risen, "instance", "admin"));
    CHECK(api::claims_of(*risen).role == "instructor");
    for (auto const& unknown : {json::value(json::array{}), json::value("nobody")})
        CHECK_FALSE(permits(*narrowed({{"role", unknown}}), "test", "get"));

    auto const departments = [&](json::array given) {
        return api::claims_of(*narrowed({{"departments", std::move(given)}})).departments;
    };
    CHECK(departments({physics.text(), maths.text()}) == std::vector{physics});
    CHECK(departments({maths.text()}) == std::vector<uuid>());
    auto const everywhere =
        g.bearer(g.token(g.profile("administrator"), {{"departments", maths.text()}})).value();
    CHECK(api::claims_of(*everywhere).departments == std::vector{maths});
    // Whoever may make keys or profiles could make himself one without the token's limits.
    CHECK(permits(*everywhere, "test", "start"));
    CHECK(permits(*everywhere, "profile", "get"));
    CHECK_FALSE(permits(*everywhere, "profile", "create"));
    CHECK_FALSE(permits(*everywhere, "api_key", "create"));
    CHECK_FALSE(permits(*everywhere, "instance", "admin"));
}

TEST_CASE("credentials: a token for nobody is none", "[http]")
{
    gate g;
    auto const member = g.profile("learner");
    CHECK(g.outcome(g.token(member)) == "good");
    CHECK(g.outcome(g.token(member, {{"workspace", g.s.who.workspace.text()}})) == "good");
    CHECK(g.outcome(g.token(member, {{"workspace", member.text()}})) == "token_profile");
    CHECK(g.outcome(g.token(g.s.who.workspace)) == "token_profile");
    CHECK(g.outcome(g.token(member, {{"sub", "somebody"}})) == "token_profile");
    CHECK(g.outcome(g.token(member, {{"workspace", 1}})) == "token_malformed");
    CHECK(g.outcome(g.token(member, {{"role", json::object{}}})) == "token_malformed");
    CHECK(g.outcome(g.token(member, {{"departments", "physics"}})) == "token_malformed");
    CHECK(g.outcome(g.token(member, {{"exp", api::seconds_now() - 10}})) == "token_expired");

    auto off = g.s.engine->prepare_update(
        g.s.who, item_kind::profile,
        {.id = member, .name = "somebody", .active = false, .body = {{"role", "learner"}}});
    REQUIRE(off);
    auto const token = g.token(member);
    CHECK(g.outcome(token) == "good");
    REQUIRE(g.s.engine->give_and_wait(std::move(*off)));
    CHECK(g.outcome(token) == "token_profile");
}

TEST_CASE("credentials: an identity stands while its key, its profile and its rights do", "[http]")
{
    gate g;
    auto const update = [&](uuid const& id, bool active, std::string role) {
        auto p = g.s.engine->prepare_update(
            g.s.who, item_kind::profile,
            {.id = id, .name = "renamed", .active = active, .body = {{"role", role}}});
        REQUIRE(p);
        REQUIRE(g.s.engine->give_and_wait(std::move(*p)));
    };
    auto const member = g.profile("learner");
    auto const made = g.s.engine->create_api_key(g.s.who, member, "key").value();
    auto const by_key = g.bearer(made.secret).value();
    auto const by_token = g.bearer(g.token(member)).value();
    update(member, true, "learner");
    CHECK(by_key->stands());
    CHECK(by_token->stands());
    auto revoke =
        g.s.engine->prepare(g.s.who, "api_key.revoke", command::revoke_api_key{made.id, "test"});
    REQUIRE(revoke);
    REQUIRE(g.s.engine->give_and_wait(std::move(*revoke)));
    CHECK_FALSE(by_key->stands());
    CHECK(by_token->stands());
    update(member, true, "auditor");
    CHECK_FALSE(by_token->stands());
    auto const again = g.bearer(g.token(member)).value();
    CHECK(again->stands());
    update(member, false, "auditor");
    CHECK_FALSE(again->stands());
    // Within the leeway of five seconds a token that has ended is still taken, and then no more.
    auto const late = g.bearer(g.token(g.s.who.profile, {{"exp", api::seconds_now() - 3}})).value();
    CHECK(eventually([&] { return !late->stands(); }));
}

TEST_CASE("credentials: keys and tokens come in their headers, a cookie only where it may",
          "[http]")
{
    gate g;
    auto const key = g.s.engine->create_api_key(g.s.who, g.s.who.profile, "key").value().secret;
    auto const token = g.token(g.s.who.profile);
    CHECK(g.bearer(key));
    CHECK(g.bearer("  " + token));
    CHECK(g.send("authorization", "bEARER " + key));
    CHECK(g.send("X-Api-Key", key));
    CHECK(g.send("X-Api-Key", token).error().reason == "api_key_unknown");
    CHECK(g.send("Authorization", "Bearer ").error().reason == "api_key_missing");
    CHECK(g.send("Authorization", "Basic " + key).error().reason == "api_key_missing");

    http::route const takes{.pattern = {}, .name = {}, .token_cookie = true};
    http::route const other;
    CHECK(g.send("Cookie", "auth=" + token, &takes));
    CHECK(g.send("Cookie", "a=b; auth=" + token + "; c", &takes));
    CHECK(g.send("Cookie", "auth=" + token, &other).error().reason == "api_key_missing");
    CHECK(g.send("Cookie", "xauth=" + token, &takes).error().reason == "api_key_missing");
    CHECK(g.send("Cookie", "auth=" + key, &takes).error().reason == "token_malformed");
}

TEST_CASE("credentials: what is sent is counted, and guessing is slowed down", "[http]")
{
    gate g;
    auto const good = g.token(g.s.who.profile);
    CHECK(g.outcome(good) == "good");
    std::string last;
    for (int i = 0; i < 400 && last != "too_many_bad_credentials"; ++i)
        last = g.outcome(i % 2 == 0 ? "assay_guess" : "a.guess.too");
    CHECK(last == "too_many_bad_credentials");
    CHECK(g.bearer("assay_guess").error().retry_after_ms);
    CHECK(g.outcome(good) == "good");
    auto const text = g.numbers.text();
    CHECK(text.find(R"(assay_identity_checks_total{credential="token",outcome="accepted"} 2)") !=
          std::string::npos);
    CHECK(text.find(R"(assay_identity_checks_total{credential="api_key",outcome="refused"} 1)") !=
          std::string::npos);
}

TEST_CASE("credentials: without keys for them, no token is taken", "[http]")
{
    service s;
    http::metrics numbers;
    api::identities known(*s.engine);
    REQUIRE(known.load());
    api::credentials only_keys(known, numbers);
    http::request req;
    req.headers.add("Authorization", "Bearer " + gate::token(s.who.profile));
    CHECK(only_keys.identify(req).error().reason == "token_unsupported");
}
