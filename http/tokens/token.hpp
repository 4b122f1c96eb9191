#pragma once

#include "http/tokens/key_set.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::tokens {

/// Longer tokens are refused unread.
constexpr std::size_t token_bytes_max = 8 * 1024;

/// A token taken apart; nothing of it has been believed yet.
struct parsed_token {
    tokens::algorithm algorithm{};
    std::optional<std::string> key_id{};
    std::string_view signed_bytes{}; ///< header and payload as sent; refers to the text
    std::string signature{};
    std::string payload{}; ///< decoded
};

/// Takes the compact form apart (RFC 7515 §7.1).
///
/// Refuses the algorithm "none" and every other that is not ours, critical extensions (`crit`; we
/// know none), and types that are no access tokens. Keys and links to keys in the header (`jwk`,
/// `jku`, `x5c` ...) are not looked at.
///
/// @returns errc::unauthenticated, reason token_malformed or token_algorithm.
[[nodiscard]] result<parsed_token> parse_token(std::string_view text);

/// Whether a text looks like a token rather than an API key: two dots, which no API key has.
[[nodiscard]] bool looks_like_token(std::string_view text);

/// What a token must say besides being signed.
struct token_policy {
    std::vector<std::string> issuers{};   ///< `iss` must be one of them
    std::vector<std::string> audiences{}; ///< `aud` must hold one of them
    std::chrono::seconds leeway{60};      ///< by how much clocks may differ, both ways
};

/// Claims that were signed by a known key and that hold now.
struct token_claims {
    std::string issuer;
    std::string subject;
    std::int64_t expires_at = 0; ///< seconds since 1970, leeway included
    json::object all;            ///< every member of the payload
};

/// The claims of a payload whose signature has been checked (RFC 7519 §4.1).
///
/// `iss`, `sub`, `aud` and `exp` are required; `nbf` and `iat` count when they are there.
///
/// @param now seconds since 1970
/// @returns errc::unauthenticated, reason token_malformed, token_issuer, token_audience,
///          token_expired or token_not_yet_valid. No detail repeats what the token says.
[[nodiscard]] result<token_claims> check_claims(std::string_view payload,
                                                token_policy const& policy, std::int64_t now);

/// A signed token of these claims.
[[nodiscard]] result<std::string> mint(key const& with, json::object const& claims);

} // namespace assay::tokens
