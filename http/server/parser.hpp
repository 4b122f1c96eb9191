#pragma once

#include "http/server/request.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <cstddef>
#include <cstdint>

namespace assay::http {

/// Reads one request's bytes straight into a `request`, without Beast's message containers: they
/// cost more than everything else a fixed answer does. Private to the server.
///
/// Refuses what leaves open where a message ends (RFC 9112 §6.1): any transfer coding but chunked.
class request_parser final : public boost::beast::http::basic_parser<true> {
public:
    using error_code = boost::beast::error_code;
    using text = boost::beast::string_view;
    template <class T>
    using maybe = boost::optional<T>;

    /// @param into filled as bytes arrive; must outlive the parser.
    request_parser(request& into, std::size_t head_bytes_max);

    /// The body is read but not kept.
    void discard_body() { discard_ = true; }

    [[nodiscard]] bool http_1_1() const { return http_1_1_; }

private:
    void on_request_impl(boost::beast::http::verb verb, text name, text target, int version,
                         error_code& ec) override;

    void on_response_impl(int, text, int, error_code&) override {}

    void on_field_impl(boost::beast::http::field name, text name_text, text value,
                       error_code& ec) override;

    void on_header_impl(error_code&) override {}

    void on_body_init_impl(maybe<std::uint64_t> const& length, error_code&) override;
    std::size_t on_body_impl(text body, error_code&) override;

    void on_chunk_header_impl(std::uint64_t, text, error_code&) override {}

    std::size_t on_chunk_body_impl(std::uint64_t, text body, error_code&) override;

    void on_finish_impl(error_code&) override {}

    request& into_;
    std::size_t const head_bytes_max_;
    std::size_t head_bytes_ = 0;
    bool discard_ = false;
    bool http_1_1_ = true;
};

} // namespace assay::http
