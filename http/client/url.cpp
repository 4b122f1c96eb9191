#include "http/client/url.hpp"

#include <boost/url.hpp>
#include <fmt/format.h>

#include <charconv>

namespace assay::http {

namespace {

constexpr std::uint16_t http_port = 80;
constexpr std::uint16_t https_port = 443;

std::string bracketed(std::string const& host)
{
    return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

} // namespace

std::string remote_url::origin() const
{
    return fmt::format("{}://{}:{}", tls ? "https" : "http", bracketed(host), port);
}

std::string remote_url::host_field() const
{
    if (port == (tls ? https_port : http_port))
        return bracketed(host);
    return fmt::format("{}:{}", bracketed(host), port);
}

result<remote_url> parse_url(std::string_view text)
{
    auto const parsed = boost::urls::parse_uri(boost::urls::string_view(text.data(), text.size()));
    if (!parsed)
        return fail(errc::invalid, "not an absolute URL");
    auto const& url = *parsed;
    remote_url out;
    if (url.scheme_id() == boost::urls::scheme::https)
        out.tls = true;
    else if (url.scheme_id() != boost::urls::scheme::http)
        return fail(errc::invalid, "the URL's scheme is neither http nor https");
    if (url.has_userinfo())
        return fail(errc::invalid, "the URL must not hold a user name or password");
    out.host = url.host_address();
    if (out.host.empty())
        return fail(errc::invalid, "the URL names no host");
    out.port = out.tls ? https_port : http_port;
    // Not url.port_number(): Boost 1.81 lets 99999 wrap around.
    if (auto const digits = url.port(); !digits.empty()) {
        auto const read = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
        if (read.ec != std::errc() || out.port == 0)
            return fail(errc::invalid, "the URL's port is out of range");
    }
    auto const target = url.encoded_target();
    out.target.assign(target.data(), target.size());
    if (!out.target.starts_with('/'))
        out.target.insert(0, "/");
    return out;
}

} // namespace assay::http
