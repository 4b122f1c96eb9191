#pragma once

#include "http/client/client.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <cstddef>
#include <cstdint>

namespace assay::http {

/// Reads one answer's bytes straight into an `inbound_response`. Private to http/client.
class response_parser final : public boost::beast::http::basic_parser<false> {
public:
    using error_code = boost::beast::error_code;
    using text = boost::beast::string_view;

    /// @param to_head the answer to a HEAD request: it has no body, whatever its head says.
    response_parser(inbound_response& into, bool to_head, std::size_t head_bytes_max,
                    std::size_t body_bytes_max);

private:
    void on_request_impl(boost::beast::http::verb, text, text, int, error_code&) override {}

    void on_response_impl(int status, text, int, error_code&) override;
    void on_field_impl(boost::beast::http::field, text name, text value, error_code& ec) override;

    void on_header_impl(error_code&) override {}

    void on_body_init_impl(boost::optional<std::uint64_t> const& length, error_code&) override;
    std::size_t on_body_impl(text body, error_code&) override;

    void on_chunk_header_impl(std::uint64_t, text, error_code&) override {}

    std::size_t on_chunk_body_impl(std::uint64_t, text body, error_code&) override;

    void on_finish_impl(error_code&) override {}

    inbound_response& into_;
    std::size_t const head_bytes_max_;
    std::size_t head_bytes_ = 0;
};

} // namespace assay::http
