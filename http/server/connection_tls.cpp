#include "http/server/connection.hpp"

#include <boost/asio/write.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace assay::http {

// The third part of `connection`: what is different under TLS. Without it none of this runs.

namespace {

using boost::system::error_code;

constexpr std::chrono::seconds goodbye_time{1};

constexpr std::string_view not_tls =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 36\r\n"
    "Connection: close\r\n\r\nThis port speaks TLS: use https://.\n";

bool is_plain_http(error_code const& ec)
{
    return ec.category() == asio::error::get_ssl_category() &&
           ERR_GET_REASON(static_cast<unsigned long>(ec.value())) == SSL_R_HTTP_REQUEST;
}

} // namespace

/// Does the handshake. @returns whether the connection can be used.
task<bool> connection::secure()
{
    arm(stage::idle, home_.shared().options.handshake_timeout);
    auto const [ec] = co_await tls_->async_handshake(asio::ssl::stream_base::server, use_task);
    if (!ec)
        co_return true;
    home_.shared().handshakes_failed.add();
    tls_.reset();
    if (is_plain_http(ec)) {
        linger_ = true;
        co_await write(not_tls);
    }
    co_return false;
}

/// Says that what was sent is whole: without it a cut could pass for an end (RFC 8446 §6.1).
task<void> connection::say_goodbye()
{
    arm(stage::lingering, goodbye_time);
    co_await tls_->async_shutdown(use_task);
}

task<bool> connection::write_secure(std::string_view bytes)
{
    while (!bytes.empty()) {
        auto slice = bytes.substr(0, write_slice_bytes);
        bytes.remove_prefix(slice.size());
        arm(stage::writing, home_.shared().options.write_timeout);
        auto const [ec, n] =
            co_await asio::async_write(*tls_, asio::buffer(slice.data(), slice.size()), use_task);
        if (ec)
            co_return false;
    }
    co_return true;
}

} // namespace assay::http
