#include "http/server/parser.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>

namespace assay::http {

namespace {

namespace beast_http = boost::beast::http;

constexpr std::size_t header_fields_max = 100;
constexpr std::uint64_t body_reserve_max = 1 << 20;

std::string_view view(boost::beast::string_view text)
{
    return {text.data(), text.size()};
}

method to_method(beast_http::verb verb)
{
    // Beast knows some thirty verbs; a route can have seven.
    switch (verb) {
    case beast_http::verb::get: return method::get;
    case beast_http::verb::head: return method::head;
    case beast_http::verb::post: return method::post;
    case beast_http::verb::put: return method::put;
    case beast_http::verb::patch: return method::patch;
    case beast_http::verb::delete_: return method::del;
    case beast_http::verb::options: return method::options;
    default: return method::other;
    }
}

} // namespace

request_parser::request_parser(request& into, std::size_t head_bytes_max)
    : into_(into), head_bytes_max_(head_bytes_max)
{
    header_limit(static_cast<std::uint32_t>(head_bytes_max));
    // The route decides, once the head is known.
    body_limit(boost::none);
}

void request_parser::on_request_impl(beast_http::verb verb, text name, text target, int version,
                                     error_code&)
{
    head_bytes_ += name.size() + target.size() + 12;
    http_1_1_ = version == 11;
    into_.method = to_method(verb);
    into_.target.assign(target.data(), target.size());
}

void request_parser::on_field_impl(beast_http::field name, text name_text, text value,
                                   error_code& ec)
{
    // Beast limits each part that it sees at once; the sum is what the client was promised.
    head_bytes_ += name_text.size() + value.size() + 4;
    if (head_bytes_ > head_bytes_max_ || into_.headers.size() == header_fields_max) {
        ec = beast_http::error::header_limit;
        return;
    }
    if (name == beast_http::field::transfer_encoding && !boost::beast::iequals(value, "chunked")) {
        ec = beast_http::error::bad_transfer_encoding;
        return;
    }
    into_.headers.add(view(name_text), view(value));
}

void request_parser::on_body_init_impl(maybe<std::uint64_t> const& length, error_code&)
{
    if (length && !discard_)
        into_.body.reserve(std::min(*length, body_reserve_max));
}

std::size_t request_parser::on_body_impl(text body, error_code&)
{
    if (!discard_)
        into_.body.append(body.data(), body.size());
    return body.size();
}

std::size_t request_parser::on_chunk_body_impl(std::uint64_t, text body, error_code&)
{
    if (!discard_)
        into_.body.append(body.data(), body.size());
    return body.size();
}

} // namespace assay::http
