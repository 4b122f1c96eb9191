#include "http/tokens/key.hpp"

#include "core/base64url.hpp"
#include "core/hash.hpp"
#include "http/tokens/key_reader.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <utility>

namespace assay::tokens {

namespace {

constexpr std::size_t p256_bytes = 32;

constexpr std::array<std::pair<std::string_view, algorithm>, 4> names{{
    {"HS256", algorithm::hs256},
    {"RS256", algorithm::rs256},
    {"ES256", algorithm::es256},
    {"EdDSA", algorithm::eddsa},
}};

std::unexpected<error> no_key(std::string detail)
{
    return fail(errc::invalid, std::move(detail), "bad_key");
}

unsigned char const* raw(std::string_view bytes)
{
    return reinterpret_cast<unsigned char const*>(bytes.data());
}

unsigned char* raw(std::string& bytes)
{
    return reinterpret_cast<unsigned char*>(bytes.data());
}

/// r and s side by side (RFC 7518 §3.4) as OpenSSL wants them: DER. Empty if they are none.
std::string to_der(std::string_view signature)
{
    if (signature.size() != 2 * p256_bytes)
        return {};
    auto* const r = BN_bin2bn(raw(signature), p256_bytes, nullptr);
    auto* const s = BN_bin2bn(raw(signature) + p256_bytes, p256_bytes, nullptr);
    openssl::signature const both(ECDSA_SIG_new());
    ECDSA_SIG_set0(both.get(), r, s);
    std::string der(static_cast<std::size_t>(std::max(0, i2d_ECDSA_SIG(both.get(), nullptr))), 0);
    auto* out = raw(der);
    i2d_ECDSA_SIG(both.get(), &out);
    return der;
}

std::string from_der(std::string_view der)
{
    auto const* in = raw(der);
    openssl::signature const both(d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size())));
    std::string out(2 * p256_bytes, 0);
    if (!both || BN_bn2binpad(ECDSA_SIG_get0_r(both.get()), raw(out), p256_bytes) < 0 ||
        BN_bn2binpad(ECDSA_SIG_get0_s(both.get()), raw(out) + p256_bytes, p256_bytes) < 0)
        return {};
    return out;
}

/// The algorithm that a key of this type is for; an error says what is wrong with it.
result<algorithm> algorithm_of(EVP_PKEY const* key)
{
    switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA: {
        auto const bits = EVP_PKEY_get_bits(key);
        if (bits < rsa_bits_min || bits > rsa_bits_max)
            return no_key(fmt::format("an RSA key must have {} to {} bits, this one has {}",
                                      rsa_bits_min, rsa_bits_max, bits));
        return algorithm::rs256;
    }
    case EVP_PKEY_EC: {
        std::array<char, 64> group{};
        EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(),
                                       nullptr);
        if (std::string_view(group.data()) != "prime256v1")
            return no_key("of the EC curves only P-256 is known");
        return algorithm::es256;
    }
    case EVP_PKEY_ED25519: return algorithm::eddsa;
    default: return no_key("the key is none of RSA, P-256, Ed25519");
    }
}

std::string number_of(EVP_PKEY const* key, char const* name, std::size_t bytes)
{
    BIGNUM* held = nullptr;
    EVP_PKEY_get_bn_param(key, name, &held);
    openssl::number const n(held);
    std::string out(std::max(bytes, static_cast<std::size_t>(n ? BN_num_bytes(n.get()) : 0)), 0);
    if (n)
        BN_bn2binpad(n.get(), raw(out), static_cast<int>(out.size()));
    return to_base64url(out);
}

/// What a JWK says it is for must be signatures with `alg`.
result<void> check_purpose(json::object const& jwk, algorithm alg)
{
    auto const* const use = jwk.if_contains("use");
    if (use && (!use->is_string() || use->get_string() != "sig"))
        return no_key("the key is not for signatures");
    if (auto const* const ops = jwk.if_contains("key_ops")) {
        auto const named = [&](std::string_view operation) {
            return std::ranges::find(ops->get_array(), json::value(operation)) !=
                   ops->get_array().end();
        };
        if (!ops->is_array() || (!named("verify") && !named("sign")))
            return no_key("the key is not for signatures");
    }
    auto const* const named = jwk.if_contains("alg");
    if (named && (!named->is_string() || named->get_string() != to_string(alg)))
        return no_key(fmt::format("the key is for another algorithm than {}", to_string(alg)));
    return {};
}

} // namespace

struct key::material {
    std::string secret; ///< of HS256
    openssl::pkey pair; ///< of all others

    material(std::string s, openssl::pkey p) : secret(std::move(s)), pair(std::move(p)) {}

    material(material const&) = delete;

    ~material() { OPENSSL_cleanse(secret.data(), secret.size()); }
};

std::string_view to_string(algorithm alg)
{
    return std::ranges::find(names, alg, &std::pair<std::string_view, algorithm>::second)->first;
}

std::optional<algorithm> parse_algorithm(std::string_view name)
{
    auto const found =
        std::ranges::find(names, name, &std::pair<std::string_view, algorithm>::first);
    return found == names.end() ? std::nullopt : std::optional(found->second);
}

key::key(tokens::algorithm alg, std::string id, std::shared_ptr<material const> held, bool can_sign)
    : algorithm_(alg), id_(std::move(id)), material_(std::move(held)), can_sign_(can_sign)
{
}

result<key> key::make(std::shared_ptr<material const> held, std::string id, bool can_sign)
{
    ASSAY_TRY(auto const alg, algorithm_of(held->pair.get()));
    return key(alg, std::move(id), std::move(held), can_sign);
}

result<key> key::from_secret(std::string_view secret, std::string id)
{
    if (secret.size() < secret_bytes_min)
        return no_key(fmt::format("a secret must have at least {} bytes", secret_bytes_min));
    return key(algorithm::hs256, std::move(id),
               std::make_shared<material const>(std::string(secret), nullptr), true);
}

result<key> key::from_jwk(json::object const& jwk)
{
    ASSAY_TRY(auto const type, text_member(jwk, "kty"));
    std::string id;
    if (jwk.contains("kid")) {
        ASSAY_TRY(id, text_member(jwk, "kid"));
    }
    if (type == "oct") {
        ASSAY_CHECK(check_purpose(jwk, algorithm::hs256));
        ASSAY_TRY(auto secret, bytes_member(jwk, "k"));
        auto made = from_secret(secret, std::move(id));
        OPENSSL_cleanse(secret.data(), secret.size());
        return made;
    }
    ASSAY_TRY(auto pair, read_jwk(jwk));
    ASSAY_TRY(auto out, make(std::make_shared<material const>(std::string(), std::move(pair)),
                             std::move(id), jwk.contains("d")));
    ASSAY_CHECK(check_purpose(jwk, out.algorithm_));
    return out;
}

result<key> key::from_pem(std::string_view pem, std::string id)
{
    ASSAY_TRY(auto pair, read_pem(pem));
    bool const can_sign = pem.find("PRIVATE KEY-----") != std::string_view::npos;
    ASSAY_TRY(auto out, make(std::make_shared<material const>(std::string(), std::move(pair)),
                             std::move(id), can_sign));
    if (out.id_.empty())
        out.id_ = out.thumbprint();
    return out;
}

bool key::verify(std::string_view bytes, std::string_view signature) const
{
    if (algorithm_ == algorithm::hs256)
        return equal_secrets(hmac_sha256(material_->secret, bytes).raw(), signature);
    auto const der = algorithm_ == algorithm::es256 ? to_der(signature) : std::string();
    if (algorithm_ == algorithm::es256 && der.empty())
        return false;
    auto const given = algorithm_ == algorithm::es256 ? std::string_view(der) : signature;
    // Ed25519 hashes by itself (RFC 8032 §5.1).
    auto const* const hash = algorithm_ == algorithm::eddsa ? nullptr : EVP_sha256();
    openssl::digest_context const context(EVP_MD_CTX_new());
    return EVP_DigestVerifyInit(context.get(), nullptr, hash, nullptr, material_->pair.get()) ==
               1 &&
           EVP_DigestVerify(context.get(), raw(given), given.size(), raw(bytes), bytes.size()) == 1;
}

result<std::string> key::sign(std::string_view bytes) const
{
    if (!can_sign_)
        return no_key("the private part of the key is not there");
    if (algorithm_ == algorithm::hs256)
        return std::string(hmac_sha256(material_->secret, bytes).raw());
    auto const* const hash = algorithm_ == algorithm::eddsa ? nullptr : EVP_sha256();
    openssl::digest_context const context(EVP_MD_CTX_new());
    std::size_t size = 0;
    std::string out;
    bool good =
        EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, material_->pair.get()) == 1 &&
        EVP_DigestSign(context.get(), nullptr, &size, raw(bytes), bytes.size()) == 1;
    out.resize(size);
    good = good && EVP_DigestSign(context.get(), raw(out), &size, raw(bytes), bytes.size()) == 1;
    out.resize(size);
    if (good && algorithm_ == algorithm::es256)
        out = from_der(out);
    if (!good || out.empty())
        return fail(errc::internal, "the key does not sign");
    return out;
}

json::object key::public_members() const
{
    auto const* const pair = material_->pair.get();
    switch (algorithm_) {
    case algorithm::hs256: return {};
    case algorithm::rs256:
        return {{"kty", "RSA"},
                {"n", number_of(pair, OSSL_PKEY_PARAM_RSA_N, 0)},
                {"e", number_of(pair, OSSL_PKEY_PARAM_RSA_E, 0)}};
    case algorithm::es256:
        return {{"kty", "EC"},
                {"crv", "P-256"},
                {"x", number_of(pair, OSSL_PKEY_PARAM_EC_PUB_X, p256_bytes)},
                {"y", number_of(pair, OSSL_PKEY_PARAM_EC_PUB_Y, p256_bytes)}};
    case algorithm::eddsa: {
        std::string x(p256_bytes, 0);
        auto size = x.size();
        EVP_PKEY_get_raw_public_key(pair, raw(x), &size);
        return {{"kty", "OKP"}, {"crv", "Ed25519"}, {"x", to_base64url(x)}};
    }
    }
    std::unreachable();
}

result<json::object> key::public_jwk() const
{
    if (algorithm_ == algorithm::hs256)
        return no_key("a secret has no public part");
    auto out = public_members();
    out["kid"] = id_.empty() ? thumbprint() : id_;
    out["alg"] = to_string(algorithm_);
    out["use"] = "sig";
    return out;
}

std::string key::thumbprint() const
{
    auto const members = public_members();
    return members.empty() ? std::string() : to_base64url(sha256(json::canonical(members)).raw());
}

} // namespace assay::tokens
