#pragma once

#include "http/asio.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace assay::http {

/// One connection to a server, with or without TLS. Private to http/client; belongs to the client's
/// thread.
class channel {
public:
    /// @param context null for plain HTTP; must outlive the channel.
    channel(executor where, asio::ssl::context* context);

    /// Connects to the first of `addresses` that answers.
    task<boost::system::error_code> connect(asio::ip::basic_resolver_results<tcp> addresses);

    /// Does the TLS handshake for `host`: name indication, and a certificate that is valid for it.
    /// Nothing to do without TLS.
    task<boost::system::error_code> secure(std::string host);

    /// Why the certificate was refused; "" if that was not it.
    [[nodiscard]] std::string verify_failure() const;

    task<std::pair<boost::system::error_code, std::size_t>> read_some(asio::mutable_buffer into);
    task<boost::system::error_code> write(std::string_view bytes);

    /// Ends every operation under way.
    void close();

    /// Whether the other side has neither closed nor sent anything since the last answer.
    [[nodiscard]] bool quiet();

    boost::beast::flat_buffer input;
    steady_time idle_since{};

private:
    tcp_socket socket_;
    std::optional<asio::ssl::stream<tcp_socket&>> tls_;
};

} // namespace assay::http
