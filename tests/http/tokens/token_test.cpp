#include "core/base64url.hpp"
#include "http/tokens/token.hpp"
#include "tests/http/tokens/vectors.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::test;
using tokens::algorithm;
using tokens::key;
using tokens::key_set;

namespace {

constexpr std::int64_t noon = 1'800'000'000;

tokens::token_policy const policy{{"https://issuer.example"}, {"assay"}, std::chrono::seconds{60}};

json::object claims()
{
    return {{"iss", "https://issuer.example"},
            {"aud", "assay"},
            {"sub", "somebody"},
            {"exp", noon + 600}};
}

json::object with(std::string_view name, json::value value)
{
    auto out = claims();
    out[name] = std::move(value);
    return out;
}

std::string reason_of(json::object const& from, std::int64_t now = noon)
{
    auto const checked = tokens::check_claims(json::canonical(from), policy, now);
    return checked ? "good" : checked.error().reason;
}

std::string text_of(std::string_view header, std::string_view payload, std::string_view signature)
{
    return to_base64url(header) + "." + to_base64url(payload) + "." + to_base64url(signature);
}

} // namespace

TEST_CASE("tokens: what cannot be read is refused before any key is asked", "[http][tokens]")
{
    auto const [text, reason] = GENERATE(table<std::string, std::string>({
        {"", "token_malformed"},
        {"a.b", "token_malformed"},
        {"a.b.c.d", "token_malformed"},
        {"..", "token_malformed"},
        {text_of("[]", "{}", "x"), "token_malformed"},
        {text_of("{", "{}", "x"), "token_malformed"},
        {text_of(R"({"alg":"HS256","alg":"none"})", "{}", "x"), "token_malformed"},
        {text_of(R"({"alg":"HS256"})", "{}", "x") + "=", "token_malformed"},
        {text_of(R"({"alg":"HS256","crit":["exp"],"exp":1})", "{}", "x"), "token_malformed"},
        {text_of(R"({"alg":"HS256","typ":"dpop+jwt"})", "{}", "x"), "token_malformed"},
        {text_of(R"({"alg":"HS256","kid":7})", "{}", "x"), "token_malformed"},
        {text_of(R"({"alg":7})", "{}", "x"), "token_malformed"},
        {text_of(R"({})", "{}", "x"), "token_algorithm"},
        {text_of(R"({"alg":"none"})", "{}", ""), "token_algorithm"},
        {text_of(R"({"alg":"None"})", "{}", ""), "token_algorithm"},
        {text_of(R"({"alg":"hs256"})", "{}", "x"), "token_algorithm"},
        {text_of(R"({"alg":"HS512"})", "{}", "x"), "token_algorithm"},
        {text_of(R"({"alg":"PS256"})", "{}", "x"), "token_algorithm"},
        {text_of(R"({"alg":"HS256"})", std::string(9000, ' '), "x"), "token_malformed"},
    }));
    INFO(text);
    auto const parsed = tokens::parse_token(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().code == errc::unauthenticated);
    CHECK(parsed.error().reason == reason);
}

TEST_CASE("tokens: a key is used for its own algorithm only", "[http][tokens]")
{
    // The classic confusion: the public key's text as an HMAC secret.
    auto const pair = key::from_jwk(vectors::rs256_key).value();
    auto const shown = json::canonical(pair.public_jwk().value());
    key_set keys;
    REQUIRE(keys.add(pair));
    auto const forged = tokens::mint(key::from_secret(shown, pair.id()).value(), claims()).value();
    auto const parsed = tokens::parse_token(forged).value();
    CHECK(parsed.algorithm == algorithm::hs256);
    CHECK(keys.find(parsed.algorithm, parsed.key_id) == nullptr);
    CHECK_FALSE(pair.verify(parsed.signed_bytes, parsed.signature));
}

TEST_CASE("tokens: the header chooses among keys by id and algorithm", "[http][tokens]")
{
    auto named = [](json::object jwk, std::string_view id) {
        jwk["kid"] = id;
        return key::from_jwk(jwk).value();
    };
    key_set keys;
    REQUIRE(keys.add(named(vectors::rs256_key, "a")));
    REQUIRE(keys.add(named(vectors::es256_key, "a")));
    REQUIRE(keys.add(named(vectors::es256_key, "b")));
    CHECK_FALSE(keys.add(named(vectors::es256_key, "b")));
    CHECK(keys.find(algorithm::es256, "b")->id() == "b");
    CHECK(keys.find(algorithm::rs256, "b") == nullptr);
    CHECK(keys.find(algorithm::eddsa, "a") == nullptr);
    CHECK(keys.find(algorithm::rs256, {})->id() == "a");
    CHECK(keys.find(algorithm::es256, {}) == nullptr); // which of the two?
    REQUIRE(keys.add(key::from_jwk(vectors::hs256_key).value()));
    CHECK(keys.find(algorithm::hs256, "whatever")->id().empty());
}

TEST_CASE("key sets: foreign keys are passed over, secrets only count in files", "[http][tokens]")
{
    auto const document = json::canonical(
        json::object{{"keys", json::array{vectors::hs256_key, vectors::eddsa_key,
                                          json::object{{"kty", "EC"}, {"crv", "P-521"}},
                                          json::object{{"kty", "AKP"}, {"alg", "ML-DSA-44"}}}}});
    auto const remote = key_set::read(document, false).value();
    CHECK(remote.size() == 1);
    CHECK(remote.skipped() == 3);
    CHECK(key_set::read(document, true).value().size() == 2);
    for (auto const* const bad :
         {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[1]})", R"({"keys":[],"keys":[]})"})
        CHECK(key_set::read(bad, true).error().code == errc::invalid);
}

TEST_CASE("claims: each must be what the policy wants", "[http][tokens]")
{
    auto const [given, reason] = GENERATE(table<json::object, std::string>({
        {claims(), "good"},
        {with("aud", json::array{"other", "assay"}), "good"},
        {with("nbf", noon + 59), "good"},
        {with("nbf", noon + 61), "token_not_yet_valid"},
        {with("iat", noon + 61), "token_not_yet_valid"},
        {with("exp", noon - 59), "good"},
        {with("exp", noon - 59.5), "good"},
        {with("exp", noon - 60), "token_expired"},
        {with("exp", 0), "token_expired"},
        {with("exp", -1), "token_malformed"},
        {with("exp", "2030-01-01"), "token_malformed"},
        {with("exp", 1e300), "token_malformed"},
        {with("exp", nullptr), "token_malformed"},
        {with("nbf", true), "token_malformed"},
        {with("iss", "https://issuer.example/"), "token_issuer"},
        {with("iss", json::array{"https://issuer.example"}), "token_malformed"},
        {with("aud", "Assay"), "token_audience"},
        {with("aud", json::array{}), "token_audience"},
        {with("aud", nullptr), "token_audience"},
        {with("sub", ""), "token_malformed"},
        {with("sub", 7), "token_malformed"},
    }));
    INFO(json::canonical(given));
    CHECK(reason_of(given) == reason);
    for (auto const* const needed : {"iss", "aud", "sub", "exp"}) {
        auto lacking = claims();
        lacking.erase(needed);
        CHECK(reason_of(lacking) != "good");
    }
    CHECK(reason_of(claims(), noon + 659) == "good");
    CHECK(reason_of(claims(), noon + 660) == "token_expired");
}

TEST_CASE("claims: no refusal repeats what a token says", "[http][tokens]")
{
    for (auto const* const name : {"iss", "aud", "sub"}) {
        auto const refused =
            tokens::check_claims(json::canonical(with(name, 4711)), policy, noon).error();
        CHECK(refused.detail.find("4711") == std::string::npos);
    }
}
