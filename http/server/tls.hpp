#pragma once

#include "core/result.hpp"
#include "http/asio.hpp"
#include "http/server/metrics.hpp"

#include <boost/asio/ssl/context.hpp>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace assay::http {

/// PEM files of a listener.
struct tls_files {
    std::string certificate{}; ///< the server's own first, then those that lead to the authority
    std::string key{};         ///< not encrypted
};

/// What a listener proves itself with, and how it speaks TLS: 1.2 (RFC 5246) with ephemeral keys
/// and authenticated ciphers only, or 1.3 (RFC 8446); http/1.1 by ALPN (RFC 7301); no compression,
/// no renegotiation, no resumption, so that each connection has keys of its own.
///
/// Thread-safe.
class tls_identity {
public:
    /// @returns errc::io or errc::invalid for files that cannot be read, hold no certificate or
    ///          key, or do not belong together. No detail holds key material.
    [[nodiscard]] static result<std::shared_ptr<tls_identity>> open(tls_files files,
                                                                    metrics& numbers);

    /// Reads the files again. New connections get what they hold now; those that are open go on.
    /// On an error everything stays as it is.
    [[nodiscard]] result<void> reload();

    /// For new connections. OpenSSL keeps it for as long as one of them uses it.
    [[nodiscard]] std::shared_ptr<asio::ssl::context> context() const;

    /// When the certificate ends, in seconds since 1970.
    [[nodiscard]] std::int64_t expires_at() const;

private:
    explicit tls_identity(tls_files files) : files_(std::move(files)) {}

    tls_files const files_;
    // Guarded by mutex_.
    mutable std::mutex mutex_;
    std::shared_ptr<asio::ssl::context> context_;
    std::int64_t expires_at_ = 0;

    std::shared_ptr<void> report_;
};

} // namespace assay::http
