#include "http/server/problem.hpp"

#include "core/json.hpp"

#include <boost/beast/http/status.hpp>
#include <fmt/format.h>

#include <utility>

namespace assay::http {

namespace {

json::array documented_fields(std::vector<field_problem> const& fields)
{
    json::array out;
    for (auto const& field : fields) {
        json::array loc;
        for (auto const& step : field.loc)
            loc.emplace_back(step);
        out.push_back(
            json::object{{"loc", std::move(loc)}, {"msg", field.msg}, {"type", field.type}});
    }
    return out;
}

response write(unsigned status, std::string_view code, json::value detail, bool documented)
{
    auto const title =
        boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
    json::object const body{{"type", "about:blank"},
                            {"title", std::string_view(title.data(), title.size())},
                            {"status", status},
                            {"code", code},
                            {"detail", std::move(detail)}};
    return {.status = status,
            .content_type = documented ? "application/json" : "application/problem+json",
            .body = json::canonical(body)};
}

} // namespace

unsigned to_status(errc code)
{
    switch (code) {
    case errc::malformed: return 400;
    case errc::unauthenticated: return 401;
    case errc::forbidden: return 403;
    case errc::not_found: return 404;
    case errc::conflict: return 409;
    case errc::gone: return 410;
    case errc::too_large: return 413;
    case errc::invalid:
    case errc::idempotency_reused: return 422;
    case errc::rate_limited: return 429;
    case errc::projection_failed:
    case errc::internal:
    case errc::corrupt:
    case errc::io: return 500;
    case errc::unavailable:
    case errc::overloaded:
    case errc::cancelled: return 503;
    case errc::timeout: return 504;
    }
    std::unreachable();
}

std::string_view to_name(errc code)
{
    switch (code) {
    case errc::malformed: return "malformed";
    case errc::unauthenticated: return "unauthenticated";
    case errc::forbidden: return "forbidden";
    case errc::not_found: return "not_found";
    case errc::conflict: return "conflict";
    case errc::gone: return "gone";
    case errc::too_large: return "too_large";
    case errc::invalid: return "invalid";
    case errc::idempotency_reused: return "idempotency_reused";
    case errc::rate_limited: return "rate_limited";
    case errc::projection_failed: return "projection_failed";
    case errc::internal: return "internal";
    case errc::unavailable: return "unavailable";
    case errc::overloaded: return "overloaded";
    case errc::corrupt: return "corrupt";
    case errc::io: return "io";
    case errc::timeout: return "timeout";
    case errc::cancelled: return "cancelled";
    }
    std::unreachable();
}

response problem(error const& e, bool documented)
{
    auto const code = e.reason.empty() ? to_name(e.code) : std::string_view(e.reason);
    auto detail = e.code == errc::invalid && !e.fields.empty()
                      ? json::value(documented_fields(e.fields))
                      : json::value(boost::json::string(e.detail));
    auto out = write(to_status(e.code), code, std::move(detail), documented);
    if (e.retry_after_ms)
        out.headers.emplace_back("Retry-After",
                                 fmt::format("{}", (*e.retry_after_ms + 999ULL) / 1000));
    if (e.code == errc::unauthenticated)
        out.headers.emplace_back("WWW-Authenticate", "Bearer"); // RFC 9110 §11.6.1
    return out;
}

response problem(unsigned status, std::string code, std::string detail, bool documented)
{
    return write(status, code, json::value(boost::json::string(detail)), documented);
}

} // namespace assay::http
