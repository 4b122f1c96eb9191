#pragma once

#include "core/json.hpp"
#include "core/result.hpp"
#include "http/tokens/openssl.hpp"

#include <string_view>

/// Keys from their texts. Private to http/tokens.
namespace assay::tokens {

/// The RSA, P-256 or Ed25519 key of a JWK; a pair if its private members are there.
/// @returns errc::invalid for members that are missing or no key.
[[nodiscard]] result<openssl::pkey> read_jwk(json::object const& jwk);

/// The key of a PEM text, private or public. @returns errc::invalid for anything else.
[[nodiscard]] result<openssl::pkey> read_pem(std::string_view pem);

/// A string member; errc::invalid naming it if it is missing or none.
[[nodiscard]] result<std::string_view> text_member(json::object const& jwk, std::string_view name);

/// The bytes of a base64url member.
[[nodiscard]] result<std::string> bytes_member(json::object const& jwk, std::string_view name);

} // namespace assay::tokens
