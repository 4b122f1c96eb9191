#include "http/tokens/key.hpp"
#include "http/tokens/token.hpp"
#include "tests/http/tokens/vectors.hpp"

#include <catch2/catch.hpp>

#include <array>

using namespace assay;
using namespace assay::test;
using tokens::algorithm;
using tokens::key;

namespace {

json::object with(json::object from, std::string_view name, json::value value)
{
    from[name] = std::move(value);
    return from;
}

json::object without(json::object from, std::string_view name)
{
    from.erase(name);
    return from;
}

} // namespace

TEST_CASE("token keys: the RFCs' examples verify, and nothing else does", "[http][tokens]")
{
    auto const [jwk, token, alg] = GENERATE(table<json::object, std::string, algorithm>({
        {vectors::hs256_key, vectors::hs256_token, algorithm::hs256},
        {vectors::rs256_key, vectors::rs256_token, algorithm::rs256},
        {vectors::es256_key, vectors::es256_token, algorithm::es256},
        {vectors::eddsa_key, vectors::eddsa_token, algorithm::eddsa},
    }));
    INFO(token);
    auto const k = key::from_jwk(jwk).value();
    auto const parsed = tokens::parse_token(token).value();
    CHECK(k.algorithm() == alg);
    CHECK(parsed.algorithm == alg);
    CHECK(k.verify(parsed.signed_bytes, parsed.signature));
    CHECK_FALSE(k.verify(std::string(parsed.signed_bytes) + "x", parsed.signature));
    CHECK_FALSE(k.verify(parsed.signed_bytes, ""));
    CHECK_FALSE(k.verify(parsed.signed_bytes, parsed.signature + "x"));
    for (std::size_t i = 0; i < parsed.signature.size(); ++i) {
        auto bent = parsed.signature;
        bent[i] = static_cast<char>(bent[i] ^ 1);
        CHECK_FALSE(k.verify(parsed.signed_bytes, bent));
    }
    // The deterministic ones sign as the RFC did, and every one verifies what it signed.
    auto const own = k.sign(parsed.signed_bytes).value();
    CHECK(k.verify(parsed.signed_bytes, own));
    if (alg != algorithm::es256)
        CHECK(own == parsed.signature);
    if (alg == algorithm::hs256) {
        CHECK_FALSE(k.public_jwk());
    } else {
        auto const shown = k.public_jwk().value();
        CHECK_FALSE(shown.contains("d"));
        auto const reader = key::from_jwk(shown).value();
        CHECK(reader.verify(parsed.signed_bytes, own));
        CHECK_FALSE(reader.can_sign());
        CHECK_FALSE(reader.sign("x"));
    }
}

TEST_CASE("token keys: r and s that are zero or too large sign nothing", "[http][tokens]")
{
    auto const k = key::from_jwk(vectors::es256_key).value();
    CHECK_FALSE(k.verify("x", std::string(64, 0)));
    CHECK_FALSE(k.verify("x", std::string(64, '\xff')));
    CHECK_FALSE(k.verify("x", std::string(63, 1)));
}

TEST_CASE("token keys: thumbprints are those of RFC 7638 and RFC 8037", "[http][tokens]")
{
    CHECK(key::from_jwk(vectors::thumbprint_key).value().thumbprint() == vectors::thumbprint);
    CHECK(key::from_jwk(vectors::eddsa_key).value().thumbprint() == vectors::eddsa_thumbprint);
}

TEST_CASE("token keys: what is no good key is refused without saying it", "[http][tokens]")
{
    auto const& ec = vectors::es256_key;
    auto const& rsa = vectors::rs256_key;
    json::value const small(std::string_view("_AAAAAAAAAAAAAAAAAAAAA")); // far too few bits
    json::value const zeros(std::string_view("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    for (auto const& jwk :
         {json::object{},
          with(ec, "kty", "XX"),
          with(ec, "crv", "P-384"),
          without(ec, "y"),
          with(ec, "x", "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEE"), // off the curve
          with(ec, "x", "f83O"),
          with(ec, "x", 7),
          with(ec, "x", "f83O=="),
          with(ec, "use", "enc"),
          with(ec, "alg", "ES384"),
          with(ec, "alg", "HS256"),
          with(rsa, "alg", "PS256"),
          with(rsa, "alg", "HS256"),
          with(rsa, "n", small),
          without(rsa, "e"),
          with(rsa, "key_ops", json::array{"encrypt"}),
          with(rsa, "key_ops", "verify"),
          with(rsa, "kid", 1),
          with(vectors::eddsa_key, "crv", "X25519"),
          with(vectors::eddsa_key, "d", zeros),
          with(vectors::hs256_key, "k", "c2hvcnQ"),
          with(vectors::hs256_key, "alg", "RS256")}) {
        INFO(json::canonical(jwk));
        auto const refused = key::from_jwk(jwk);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().code == errc::invalid);
        CHECK(refused.error().detail.find("AyM1") == std::string::npos);
    }
}

TEST_CASE("token keys: PEM files are read, encrypted ones and other curves are not",
          "[http][tokens]")
{
    // openssl genpkey -algorithm ED25519; -algorithm EC -pkeyopt ec_paramgen_curve:P-384
    constexpr auto ed25519 = "-----BEGIN PRIVATE KEY-----\n"
                             "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
                             "-----END PRIVATE KEY-----\n";
    auto const k = key::from_pem(ed25519).value();
    CHECK(k.can_sign());
    CHECK(k.id() == vectors::eddsa_thumbprint); // the RFC's own key
    CHECK(key::from_pem(ed25519, "mine").value().id() == "mine");
    CHECK(key::from_pem("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGb\n"
                        "-----END ENCRYPTED PRIVATE KEY-----\n")
              .error()
              .code == errc::invalid);
    CHECK(key::from_pem("not a key").error().code == errc::invalid);
    CHECK(key::from_pem("").error().code == errc::invalid);
    CHECK(key::from_secret(std::string(31, 'x')).error().code == errc::invalid);
}
