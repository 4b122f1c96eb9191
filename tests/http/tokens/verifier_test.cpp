#include "core/base64url.hpp"
#include "http/tokens/verifier.hpp"
#include "tests/events/fixture.hpp"
#include "tests/http/loopback.hpp"
#include "tests/http/tokens/vectors.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace assay;
using namespace assay::test;
using tokens::key;

namespace {

constexpr std::int64_t noon = 1'800'000'000;

key key_named(json::object jwk, std::string_view id)
{
    jwk["kid"] = id;
    return key::from_jwk(jwk).value();
}

std::string token_of(key const& with, std::int64_t expires = noon + 600)
{
    return tokens::mint(with,
                        {{"iss", "issuer"}, {"aud", "assay"}, {"sub", "me"}, {"exp", expires}})
        .value();
}

/// A verifier of the keys in a file that a test may change.
struct checked {
    temporary_directory dir;
    std::string const file = (dir.path() / "keys.json").string();
    http::metrics numbers;
    std::unique_ptr<tokens::verifier> verifier;

    explicit checked(std::vector<key> const& keys)
    {
        write(keys);
        verifier = std::make_unique<tokens::verifier>(
            tokens::key_source::open({.key_set = file}, numbers).value(),
            tokens::token_policy{{"issuer"}, {"assay"}, std::chrono::seconds{60}});
    }

    void write(std::vector<key> const& keys) const
    {
        json::array list;
        for (auto const& k : keys)
            list.push_back(k.public_jwk().value());
        std::ofstream(file) << json::canonical(json::object{{"keys", std::move(list)}});
    }

    [[nodiscard]] std::string outcome(std::string_view token, std::int64_t now = noon) const
    {
        auto const seen = verifier->check(token, now);
        if (!seen)
            CHECK(seen.error().code == errc::unauthenticated);
        return seen ? "good" : seen.error().reason;
    }
};

} // namespace

TEST_CASE("verifier: a token is good by one known key's signature alone", "[http][tokens]")
{
    auto const rsa = key_named(vectors::rs256_key, "r");
    auto const ec = key_named(vectors::es256_key, "e");
    auto const ed = key_named(vectors::eddsa_key, "d");
    checked const c({rsa, ec, ed});
    for (auto const& k : {rsa, ec, ed}) {
        auto const good = token_of(k);
        CHECK(c.outcome(good) == "good");
        CHECK(c.verifier->check(good, noon).value()->subject == "me");
        auto const other = token_of(k, noon + 601);
        // One token's claims under another's signature.
        auto const forged = other.substr(0, other.rfind('.')) + good.substr(good.rfind('.'));
        CHECK(c.outcome(forged) == "token_signature");
        CHECK(c.outcome(good.substr(0, good.rfind('.') + 1)) == "token_signature");
    }
    CHECK(c.outcome(token_of(key_named(vectors::eddsa_key, "e"))) == "token_key");
    CHECK(c.outcome(token_of(key_named(vectors::eddsa_key, "x"))) == "token_key");
    // The public key, which everybody knows, as the secret of an HMAC.
    auto const shown = json::canonical(rsa.public_jwk().value());
    CHECK(c.outcome(token_of(key::from_secret(shown, "r").value())) == "token_key");
    auto const none =
        to_base64url(R"({"alg":"none"})") + token_of(ed).substr(token_of(ed).find('.'));
    CHECK(c.outcome(none) == "token_algorithm");
}

TEST_CASE("verifier: a token that was good ends with its time and with its key", "[http][tokens]")
{
    auto const ed = key_named(vectors::eddsa_key, "d");
    auto const ec = key_named(vectors::es256_key, "e");
    checked const c({ed});
    auto const token = token_of(ed);
    CHECK(c.outcome(token) == "good");
    CHECK(c.outcome(token, noon + 659) == "good");
    CHECK(c.outcome(token, noon + 660) == "token_expired");
    CHECK(c.outcome(token) == "good");

    c.write({ec});
    c.verifier->reload();
    CHECK(eventually([&] { return c.outcome(token_of(ec)) == "good"; }));
    CHECK(c.outcome(token) == "token_key");
}
