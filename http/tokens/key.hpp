#pragma once

#include "core/json.hpp"
#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

/// JSON Web Tokens: keys, signatures and claims (RFC 7515, 7517, 7518, 7519, 8037), over OpenSSL.
///
/// Debian 12 has no library that signs and verifies all four algorithms: libjwt 1.10 and cjose 0.6
/// lack EdDSA, libcpp-jwt lacks key sets.
namespace assay::tokens {

/// How a token is signed. There is no "none", and none can be added by a token.
enum class algorithm : std::uint8_t {
    hs256 = 1, ///< HMAC with SHA-256; who can verify can also sign
    rs256,     ///< RSASSA-PKCS1-v1_5 with SHA-256
    es256,     ///< ECDSA on P-256 with SHA-256
    eddsa,     ///< Ed25519
};

/// "HS256", as the header's `alg` has it.
[[nodiscard]] std::string_view to_string(algorithm alg);

/// The inverse; the names have case (RFC 7515 §4.1.1).
[[nodiscard]] std::optional<algorithm> parse_algorithm(std::string_view name);

/// Shortest secret for HS256 (RFC 7518 §3.2) and smallest modulus for RS256 (§3.3).
constexpr std::size_t secret_bytes_min = 32;
constexpr int rsa_bits_min = 2048;
constexpr int rsa_bits_max = 8192;

/// One key with the one algorithm that it may be used for: what a token's header says chooses among
/// keys, never how a key is used.
///
/// Immutable and cheap to copy. Thread-safe.
class key {
public:
    /// Reads a JSON Web Key: oct, RSA, EC P-256 or OKP Ed25519, with its private part if it is
    /// there.
    ///
    /// @returns errc::invalid for other key types, for keys too small, for points off the curve, and
    ///          for keys that are not for signatures (`use`, `key_ops`) or for another algorithm
    ///          (`alg`). No detail holds key material.
    [[nodiscard]] static result<key> from_jwk(json::object const& jwk);

    /// Reads a PEM file's text: a private or public RSA, P-256 or Ed25519 key.
    ///
    /// @param id  what tokens call it; empty: its thumbprint (RFC 7638)
    /// @returns errc::invalid as above, and for encrypted keys.
    [[nodiscard]] static result<key> from_pem(std::string_view pem, std::string id = {});

    /// A secret for HS256. @returns errc::invalid if it is shorter than `secret_bytes_min`.
    [[nodiscard]] static result<key> from_secret(std::string_view secret, std::string id = {});

    [[nodiscard]] tokens::algorithm algorithm() const { return algorithm_; }

    /// What a header's `kid` says to choose this one; empty: it has no name.
    [[nodiscard]] std::string const& id() const { return id_; }

    /// Whether the private part is there.
    [[nodiscard]] bool can_sign() const { return can_sign_; }

    /// Whether `signature` is this key's over `bytes`. Compares secrets in constant time.
    [[nodiscard]] bool verify(std::string_view bytes, std::string_view signature) const;

    /// The signature as JWS has it (for ES256 r and s, 32 bytes each). errc::invalid without the
    /// private part.
    [[nodiscard]] result<std::string> sign(std::string_view bytes) const;

    /// The public part as a JWK with `kid`, `alg` and `use`. errc::invalid for a secret, which has
    /// no public part.
    [[nodiscard]] result<json::object> public_jwk() const;

    /// Base64url of the SHA-256 of the key's required members (RFC 7638).
    [[nodiscard]] std::string thumbprint() const;

private:
    struct material;

    key(tokens::algorithm alg, std::string id, std::shared_ptr<material const> held, bool can_sign);

    /// The members that make the public key, in the order of RFC 7638.
    [[nodiscard]] json::object public_members() const;

    static result<key> make(std::shared_ptr<material const> held, std::string id, bool can_sign);

    tokens::algorithm algorithm_;
    std::string id_;
    std::shared_ptr<material const> material_;
    bool can_sign_;
};

} // namespace assay::tokens
