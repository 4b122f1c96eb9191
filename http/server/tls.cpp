#include "http/server/tls.hpp"

#include <fmt/format.h>
#include <openssl/ssl.h>

#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::http {

namespace {

using boost::system::error_code;

/// TLS 1.2 only: forward secrecy and authenticated encryption (RFC 9325 §4.2). Those of 1.3 are all
/// such, and OpenSSL's choice of them is kept.
constexpr auto ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
                         "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
                         "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr auto groups = "X25519:P-256:P-384";

/// Chooses http/1.1; a client that only offers others is refused (RFC 7301 §3.2).
int choose_protocol(SSL*, unsigned char const** chosen, unsigned char* chosen_bytes,
                    unsigned char const* offered, unsigned offered_bytes, void*)
{
    constexpr std::string_view ours = "\x08http/1.1";
    unsigned char* found = nullptr;
    auto const how = SSL_select_next_proto(&found, chosen_bytes,
                                           reinterpret_cast<unsigned char const*>(ours.data()),
                                           ours.size(), offered, offered_bytes);
    *chosen = found;
    return how == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

std::unexpected<error> no_identity(std::string const& file, error_code const& ec)
{
    return fail(errc::invalid, fmt::format("TLS: {}: {}", file, ec.message()));
}

bool harden(SSL_CTX* c)
{
    SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                               SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS); // idle connections hold none
    SSL_CTX_set_alpn_select_cb(c, choose_protocol, nullptr);
    return SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(c, ciphers) == 1 && SSL_CTX_set1_groups_list(c, groups) == 1 &&
           SSL_CTX_set_num_tickets(c, 0) == 1;
}

result<std::shared_ptr<asio::ssl::context>> read(tls_files const& files)
{
    auto out = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    error_code ec;
    if (!harden(out->native_handle()))
        return fail(errc::internal, "TLS: OpenSSL lacks what is needed");
    // Without it OpenSSL would ask on the terminal.
    out->set_password_callback(
        [](std::size_t, asio::ssl::context::password_purpose) { return std::string(); }, ec);
    out->use_certificate_chain_file(files.certificate, ec);
    if (ec)
        return no_identity(files.certificate, ec);
    out->use_private_key_file(files.key, asio::ssl::context::pem, ec);
    if (ec)
        return no_identity(files.key, ec);
    if (SSL_CTX_check_private_key(out->native_handle()) != 1)
        return fail(errc::invalid,
                    fmt::format("TLS: {} is not the key of {}", files.key, files.certificate));
    return out;
}

std::int64_t end_of(SSL_CTX* c)
{
    std::tm end{};
    auto const* const certificate = SSL_CTX_get0_certificate(c);
    if (!certificate || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
        return 0;
    return ::timegm(&end);
}

} // namespace

result<std::shared_ptr<tls_identity>> tls_identity::open(tls_files files, metrics& numbers)
{
    std::shared_ptr<tls_identity> out(new tls_identity(std::move(files)));
    ASSAY_CHECK(out->reload());
    out->report_ = numbers.report(
        "assay_tls_certificate_expires_timestamp_seconds", "When the listener's certificate ends",
        metrics::kind::gauge, [s = out.get()] {
            return std::vector<metrics::sample>{{{}, static_cast<double>(s->expires_at())}};
        });
    return out;
}

result<void> tls_identity::reload()
{
    ASSAY_TRY(auto fresh, read(files_));
    std::lock_guard const lock(mutex_);
    expires_at_ = end_of(fresh->native_handle());
    context_ = std::move(fresh);
    return {};
}

std::shared_ptr<asio::ssl::context> tls_identity::context() const
{
    std::lock_guard const lock(mutex_);
    return context_;
}

std::int64_t tls_identity::expires_at() const
{
    std::lock_guard const lock(mutex_);
    return expires_at_;
}

} // namespace assay::http
