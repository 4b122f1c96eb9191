#include "http/client/channel.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/write.hpp>
#include <openssl/ssl.h>

namespace assay::http {

using boost::system::error_code;

channel::channel(executor where, asio::ssl::context* context) : socket_(where)
{
    if (context)
        tls_.emplace(socket_, *context);
}

task<error_code> channel::connect(asio::ip::basic_resolver_results<tcp> addresses)
{
    auto const [ec, reached] = co_await asio::async_connect(socket_, addresses, use_task);
    if (!ec) {
        error_code ignored;
        socket_.set_option(tcp::no_delay(true), ignored);
        socket_.non_blocking(true, ignored);
    }
    co_return ec;
}

task<error_code> channel::secure(std::string host)
{
    if (!tls_)
        co_return error_code();
    error_code not_an_address;
    asio::ip::make_address(host, not_an_address);
    // RFC 6066 §3: no address literals in the name indication.
    if (not_an_address && SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str()) != 1)
        co_return asio::error::invalid_argument;
    tls_->set_verify_callback(asio::ssl::host_name_verification(host));
    auto const [ec] = co_await tls_->async_handshake(asio::ssl::stream_base::client, use_task);
    co_return ec;
}

std::string channel::verify_failure() const
{
    if (!tls_)
        return {};
    // The native handle of a const stream is not to be had, though reading the result changes
    // nothing.
    auto* const handle = const_cast<asio::ssl::stream<tcp_socket&>&>(*tls_).native_handle();
    auto const verdict = SSL_get_verify_result(handle);
    return verdict == X509_V_OK ? std::string() : X509_verify_cert_error_string(verdict);
}

task<std::pair<error_code, std::size_t>> channel::read_some(asio::mutable_buffer into)
{
    if (tls_) {
        auto const [ec, n] = co_await tls_->async_read_some(into, use_task);
        co_return std::pair(ec, n);
    }
    auto const [ec, n] = co_await socket_.async_read_some(into, use_task);
    co_return std::pair(ec, n);
}

task<error_code> channel::write(std::string_view bytes)
{
    auto const buffer = asio::buffer(bytes.data(), bytes.size());
    if (tls_) {
        auto const [ec, n] = co_await asio::async_write(*tls_, buffer, use_task);
        co_return ec;
    }
    auto const [ec, n] = co_await asio::async_write(socket_, buffer, use_task);
    co_return ec;
}

void channel::close()
{
    error_code ignored;
    socket_.close(ignored);
}

bool channel::quiet()
{
    char byte = 0;
    error_code ec;
    socket_.receive(asio::buffer(&byte, 1), tcp_socket::message_peek, ec);
    return ec == asio::error::would_block && input.size() == 0;
}

} // namespace assay::http
