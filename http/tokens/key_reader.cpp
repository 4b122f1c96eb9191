#include "http/tokens/key_reader.hpp"

#include "core/base64url.hpp"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>

#include <array>
#include <limits>
#include <vector>

namespace assay::tokens {

namespace {

constexpr std::size_t p256_bytes = 32;
constexpr std::size_t ed25519_bytes = 32;

std::unexpected<error> no_key(std::string detail)
{
    return fail(errc::invalid, std::move(detail), "bad_key");
}

/// A key's numbers while they are put together; OpenSSL refers to them until it has the key.
class pieces {
public:
    pieces() : builder_(OSSL_PARAM_BLD_new()) {}

    result<void> number(char const* name, json::object const& jwk, std::string_view member)
    {
        ASSAY_TRY(auto bytes, bytes_member(jwk, member));
        numbers_.emplace_back(BN_bin2bn(reinterpret_cast<unsigned char const*>(bytes.data()),
                                        static_cast<int>(bytes.size()), nullptr));
        OPENSSL_cleanse(bytes.data(), bytes.size());
        OSSL_PARAM_BLD_push_BN(builder_.get(), name, numbers_.back().get());
        return {};
    }

    void text(char const* name, char const* value)
    {
        OSSL_PARAM_BLD_push_utf8_string(builder_.get(), name, value, 0);
    }

    void bytes(char const* name, std::string_view value)
    {
        OSSL_PARAM_BLD_push_octet_string(builder_.get(), name, value.data(), value.size());
    }

    /// @param type "RSA" or "EC"
    result<openssl::pkey> key(char const* type, bool pair) const
    {
        openssl::parameters const all(OSSL_PARAM_BLD_to_param(builder_.get()));
        openssl::pkey_context const context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
        EVP_PKEY* made = nullptr;
        if (!all || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
            EVP_PKEY_fromdata(context.get(), &made, pair ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                              all.get()) != 1)
            return no_key(fmt::format("the members make no {} key", type));
        openssl::pkey out(made);
        openssl::pkey_context const check(EVP_PKEY_CTX_new_from_pkey(nullptr, made, nullptr));
        if (!check || EVP_PKEY_public_check(check.get()) != 1)
            return no_key(fmt::format("the {} key does not check out", type));
        return out;
    }

private:
    openssl::builder builder_;
    std::vector<openssl::number> numbers_;
};

result<openssl::pkey> read_rsa(json::object const& jwk)
{
    pieces p;
    ASSAY_CHECK(p.number(OSSL_PKEY_PARAM_RSA_N, jwk, "n"));
    ASSAY_CHECK(p.number(OSSL_PKEY_PARAM_RSA_E, jwk, "e"));
    bool const pair = jwk.contains("d");
    if (pair)
        ASSAY_CHECK(p.number(OSSL_PKEY_PARAM_RSA_D, jwk, "d"));
    if (pair && jwk.contains("p"))
        for (auto const& [name, member] : {std::pair{OSSL_PKEY_PARAM_RSA_FACTOR1, "p"},
                                           {OSSL_PKEY_PARAM_RSA_FACTOR2, "q"},
                                           {OSSL_PKEY_PARAM_RSA_EXPONENT1, "dp"},
                                           {OSSL_PKEY_PARAM_RSA_EXPONENT2, "dq"},
                                           {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, "qi"}})
            ASSAY_CHECK(p.number(name, jwk, member));
    return p.key("RSA", pair);
}

result<openssl::pkey> read_ec(json::object const& jwk)
{
    ASSAY_TRY(auto const curve, text_member(jwk, "crv"));
    if (curve != "P-256")
        return no_key("of the EC curves only P-256 is known");
    ASSAY_TRY(auto const x, bytes_member(jwk, "x"));
    ASSAY_TRY(auto const y, bytes_member(jwk, "y"));
    if (x.size() != p256_bytes || y.size() != p256_bytes)
        return no_key("x and y must have 32 bytes each"); // RFC 7518 §6.2.1.2
    pieces p;
    p.text(OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1");
    auto const point = "\x04" + x + y; // uncompressed (SEC 1 §2.3.3)
    p.bytes(OSSL_PKEY_PARAM_PUB_KEY, point);
    bool const pair = jwk.contains("d");
    if (pair)
        ASSAY_CHECK(p.number(OSSL_PKEY_PARAM_PRIV_KEY, jwk, "d"));
    return p.key("EC", pair);
}

result<openssl::pkey> read_okp(json::object const& jwk)
{
    ASSAY_TRY(auto const curve, text_member(jwk, "crv"));
    if (curve != "Ed25519")
        return no_key("of the OKP curves only Ed25519 is known");
    ASSAY_TRY(auto const x, bytes_member(jwk, "x"));
    if (x.size() != ed25519_bytes)
        return no_key("x must have 32 bytes");
    auto const* const in = reinterpret_cast<unsigned char const*>(x.data());
    openssl::pkey shown(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, in, x.size()));
    if (!shown)
        return no_key("x is no Ed25519 key");
    if (!jwk.contains("d"))
        return shown;
    ASSAY_TRY(auto d, bytes_member(jwk, "d"));
    openssl::pkey pair(EVP_PKEY_new_raw_private_key(
        EVP_PKEY_ED25519, nullptr, reinterpret_cast<unsigned char const*>(d.data()), d.size()));
    OPENSSL_cleanse(d.data(), d.size());
    if (!pair || EVP_PKEY_eq(pair.get(), shown.get()) != 1)
        return no_key("d and x are not of one Ed25519 key");
    return pair;
}

/// Without it OpenSSL would ask on the terminal.
int no_password(char*, int, int, void*)
{
    return -1;
}

} // namespace

result<std::string_view> text_member(json::object const& jwk, std::string_view name)
{
    auto const* const v = jwk.if_contains(name);
    if (!v || !v->is_string())
        return no_key(fmt::format("a string {} is required", name));
    return std::string_view(v->get_string());
}

result<std::string> bytes_member(json::object const& jwk, std::string_view name)
{
    ASSAY_TRY(auto const text, text_member(jwk, name));
    auto bytes = from_base64url(text);
    if (!bytes || bytes->empty() || bytes->size() > std::numeric_limits<std::uint16_t>::max())
        return no_key(fmt::format("{} must be base64url", name));
    return std::move(*bytes);
}

result<openssl::pkey> read_jwk(json::object const& jwk)
{
    ASSAY_TRY(auto const type, text_member(jwk, "kty"));
    if (type == "RSA")
        return read_rsa(jwk);
    if (type == "EC")
        return read_ec(jwk);
    if (type == "OKP")
        return read_okp(jwk);
    return no_key("the key type is none of oct, RSA, EC, OKP");
}

result<openssl::pkey> read_pem(std::string_view pem)
{
    openssl::memory const in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
    openssl::pkey out(pem.find("PRIVATE KEY-----") != std::string_view::npos
                          ? PEM_read_bio_PrivateKey(in.get(), nullptr, no_password, nullptr)
                          : PEM_read_bio_PUBKEY(in.get(), nullptr, no_password, nullptr));
    if (!out)
        return no_key("not a PEM key, or an encrypted one");
    return out;
}

} // namespace assay::tokens
