#include "http/api/attachment.hpp"

#include "http/api/byte_range.hpp"
#include "http/server/problem.hpp"

#include <fmt/format.h>

namespace assay::api {

namespace {

/// Bytes of a piece that is sent at once.
constexpr std::size_t piece_bytes = 256 * 1024;

/// attr-char of RFC 8187 §3.2.1.
bool stands_for_itself(unsigned char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("!#$&+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
}

/// No control characters, nothing that a path could be made of, nothing that older clients read
/// otherwise than it is written.
bool plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7F &&
           std::string_view("\"\\/:%").find(static_cast<char>(c)) == std::string_view::npos;
}

/// Whether a range may be answered with a part: with If-Range, only of these very bytes.
bool range_holds(http::request const& req, attachment const& a)
{
    auto const condition = req.headers.find("If-Range");
    return !condition || *condition == a.etag;
}

http::body_source source_of(attachment a, byte_range range)
{
    auto at = range.first;
    std::string held;
    std::size_t used = 0;
    return [a = std::move(a), end = range.last + 1, at, held,
            used](std::string& out) mutable -> result<bool> {
        if (used == held.size()) {
            ASSAY_TRY(held, a.read(at));
            used = 0;
        }
        auto const left = std::min<std::uint64_t>(held.size() - used, end - at);
        auto const n = std::min<std::uint64_t>(left, piece_bytes);
        out.append(held, used, n);
        used += n;
        at += n;
        return at < end;
    };
}

} // namespace

attachment attachment_of(std::string name, std::string media_type, std::string etag,
                         std::string bytes)
{
    auto const held = std::make_shared<std::string const>(std::move(bytes));
    return {std::move(name), std::move(media_type), std::move(etag), held->size(),
            [held](std::uint64_t first) -> result<std::string> {
                return held->substr(first, piece_bytes);
            }};
}

http::response send_attachment(http::request const& req, attachment a)
{
    http::response out;
    out.content_type = a.media_type;
    out.headers = {{"ETag", a.etag},
                   {"Accept-Ranges", "bytes"},
                   {"Cache-Control", "private, no-cache"},
                   {"X-Content-Type-Options", "nosniff"},
                   {"Content-Disposition", disposition_of(a.name)}};
    if (auto const known = req.headers.find("If-None-Match"); known && names_etag(*known, a.etag)) {
        out.status = 304;
        out.content_type.clear();
        return out;
    }
    using kind = range_request::kind;
    auto const asked =
        range_holds(req, a) ? parse_range(req.headers.find("Range"), a.size) : range_request{};
    if (asked.what == kind::unsatisfiable) {
        auto refused =
            http::problem(416, "range_not_satisfiable", "the range begins behind the end", true);
        refused.headers.emplace_back("Content-Range", fmt::format("bytes */{}", a.size));
        return refused;
    }
    if (a.size == 0)
        return out;
    auto const part = asked.what == kind::part ? asked.range : byte_range{0, a.size - 1};
    if (asked.what == kind::part) {
        out.status = 206;
        out.headers.emplace_back("Content-Range",
                                 fmt::format("bytes {}-{}/{}", part.first, part.last, a.size));
    }
    out.length = part.size();
    out.body = source_of(std::move(a), part);
    return out;
}

std::string disposition_of(std::string_view name)
{
    std::string fallback;
    std::string exact;
    for (unsigned char const c : name) {
        // Of a character of several bytes the first makes the one mark that stands for it.
        if (plain(c))
            fallback.push_back(static_cast<char>(c));
        else if ((c & 0xC0) != 0x80)
            fallback.push_back('_');
        if (stands_for_itself(c))
            exact.push_back(static_cast<char>(c));
        else
            fmt::format_to(std::back_inserter(exact), "%{:02X}", c);
    }
    auto out = fmt::format("attachment; filename=\"{}\"", fallback);
    if (fallback != name)
        out.append("; filename*=UTF-8''").append(exact);
    return out;
}

} // namespace assay::api
