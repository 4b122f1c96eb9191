#pragma once

#include "http/tokens/key.hpp"

#include <string>

/// Keys as they lie in files.
namespace assay::tokens {

/// A file's text. @returns errc::io if it cannot be read, errc::invalid beyond 256 KiB.
[[nodiscard]] result<std::string> read_text_file(std::string const& path);

/// The HS256 secret in a file; the line end that editors add is no part of it.
/// @returns also errc::invalid if it is too short.
[[nodiscard]] result<key> read_secret_file(std::string const& path);

/// The key in a file: PEM, or a JSON Web Key. Without an id of its own it is called by its
/// thumbprint (RFC 7638).
/// @returns also errc::invalid for what is no key, naming the file and nothing that it holds.
[[nodiscard]] result<key> read_key_file(std::string const& path);

} // namespace assay::tokens
