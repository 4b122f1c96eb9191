#include "http/client/response_parser.hpp"

#include <boost/beast/http/error.hpp>

#include <algorithm>

namespace assay::http {

response_parser::response_parser(inbound_response& into, bool to_head, std::size_t head_bytes_max,
                                 std::size_t body_bytes_max)
    : into_(into), head_bytes_max_(head_bytes_max)
{
    header_limit(static_cast<std::uint32_t>(head_bytes_max));
    body_limit(body_bytes_max);
    skip(to_head);
    eager(true);
}

void response_parser::on_response_impl(int status, text, int, error_code&)
{
    into_.status = static_cast<unsigned>(status);
}

void response_parser::on_field_impl(boost::beast::http::field, text name, text value,
                                    error_code& ec)
{
    head_bytes_ += name.size() + value.size() + 4;
    if (head_bytes_ > head_bytes_max_) {
        ec = boost::beast::http::error::header_limit;
        return;
    }
    into_.headers.add({name.data(), name.size()}, {value.data(), value.size()});
}

void response_parser::on_body_init_impl(boost::optional<std::uint64_t> const& length, error_code&)
{
    // A promise of bytes is not yet bytes: reserve little, the rest grows as it comes.
    if (length)
        into_.body.reserve(std::min<std::uint64_t>(*length, 1 << 20));
}

std::size_t response_parser::on_body_impl(text body, error_code&)
{
    into_.body.append(body.data(), body.size());
    return body.size();
}

std::size_t response_parser::on_chunk_body_impl(std::uint64_t, text body, error_code&)
{
    into_.body.append(body.data(), body.size());
    return body.size();
}

} // namespace assay::http
