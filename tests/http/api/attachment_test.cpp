#include "http/api/attachment.hpp"
#include "http/api/byte_range.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::api;

namespace {

using kind = range_request::kind;

/// "1-3", "whole" or "none".
std::string described(range_request const& r)
{
    switch (r.what) {
    case kind::whole: return "whole";
    case kind::unsatisfiable: return "none";
    case kind::part: break;
    }
    return std::to_string(r.range.first) + "-" + std::to_string(r.range.last);
}

http::request asking(std::vector<std::pair<std::string, std::string>> const& fields)
{
    http::request req;
    for (auto const& [name, value] : fields)
        req.headers.add(name, value);
    return req;
}

/// Bytes that come in pieces of three, so that a part begins and ends inside one.
attachment in_pieces(std::string bytes)
{
    auto const size = bytes.size();
    return {"a.bin", "application/octet-stream", "\"tag\"", size,
            [bytes = std::move(bytes)](std::uint64_t first) -> result<std::string> {
                return bytes.substr(first, 3);
            }};
}

std::string body_of(http::response& r)
{
    if (auto* const text = std::get_if<std::string>(&r.body))
        return *text;
    std::string out;
    auto& source = std::get<http::body_source>(r.body);
    while (source(out).value()) {
    }
    return out;
}

std::string header(http::response const& r, std::string_view name)
{
    for (auto const& [n, value] : r.headers)
        if (n == name)
            return value;
    return {};
}

} // namespace

TEST_CASE("range: what is asked of ten bytes", "[http][api][range]")
{
    auto const [field, expected] = GENERATE(table<std::string, std::string>({
        {"bytes=0-4", "0-4"},
        {"bytes=0-0", "0-0"},
        {"bytes=9-9", "9-9"},
        {"bytes=3-", "3-9"},
        {"bytes=-3", "7-9"},
        {"bytes=-99", "0-9"},
        {"bytes=5-99", "5-9"},
        {"bytes=5-99999999999999999999999", "5-9"},
        {"BYTES = 1-2", "1-2"},
        {"bytes=10-", "none"},
        {"bytes=99999999999999999999999-", "none"},
        {"bytes=-0", "none"},
        {"bytes=4-3", "whole"},
        {"bytes=", "whole"},
        {"bytes=-", "whole"},
        {"bytes=a-b", "whole"},
        {"bytes=+1-2", "whole"},
        {"bytes=1--2", "whole"},
        {"bytes=0-1,3-4", "whole"},
        {"lines=0-4", "whole"},
        {"0-4", "whole"},
        {"", "whole"},
    }));
    INFO(field);
    CHECK(described(parse_range(field, 10)) == expected);
}

TEST_CASE("range: of nothing there is no part", "[http][api][range]")
{
    CHECK(described(parse_range(std::nullopt, 10)) == "whole");
    CHECK(described(parse_range("bytes=0-", 0)) == "none");
    CHECK(described(parse_range("bytes=-1", 0)) == "none");
}

TEST_CASE("names_etag: a list of tags, weak or strong", "[http][api][range]")
{
    auto const [list, named] = GENERATE(table<std::string, bool>({
        {"\"a\"", true},
        {"W/\"a\"", true},
        {"*", true},
        {"\"b\", \"a\"", true},
        {"\"b\" , W/\"a\" ", true},
        {"\"x,\",\"a\"", true},
        {"\"x,a\"", false},
        {"\"b\"", false},
        {"a", false},
        {"\"a", false},
        {"", false},
    }));
    INFO(list);
    CHECK(names_etag(list, "\"a\"") == named);
}

TEST_CASE("disposition: the exact name, and one for older clients", "[http][api][attachment]")
{
    CHECK(disposition_of("a report.zip") == "attachment; filename=\"a report.zip\"");
    CHECK(disposition_of("caf\u00e9 \u20ac.zip") ==
          "attachment; filename=\"caf_ _.zip\"; filename*=UTF-8''caf%C3%A9%20%E2%82%AC.zip");
    CHECK(disposition_of("a\"b\\c\r\nX: y.zip") == "attachment; filename=\"a_b_c__X_ y.zip\"; "
                                                   "filename*=UTF-8''a%22b%5Cc%0D%0AX%3A%20y.zip");
}

TEST_CASE("attachment: whole, in part, or not again", "[http][api][attachment]")
{
    std::string const bytes = "0123456789";
    auto whole = send_attachment(asking({}), in_pieces(bytes));
    CHECK(whole.status == 200);
    CHECK(whole.length == 10);
    CHECK(body_of(whole) == bytes);
    CHECK(header(whole, "ETag") == "\"tag\"");
    CHECK(header(whole, "Accept-Ranges") == "bytes");

    auto part = send_attachment(asking({{"Range", "bytes=2-7"}}), in_pieces(bytes));
    CHECK(part.status == 206);
    CHECK(part.length == 6);
    CHECK(body_of(part) == "234567");
    CHECK(header(part, "Content-Range") == "bytes 2-7/10");

    auto same =
        send_attachment(asking({{"Range", "bytes=-1"}, {"If-Range", "\"tag\""}}), in_pieces(bytes));
    CHECK(body_of(same) == "9");
    auto other =
        send_attachment(asking({{"Range", "bytes=-1"}, {"If-Range", "\"old\""}}), in_pieces(bytes));
    CHECK(other.status == 200);
    CHECK(body_of(other) == bytes);

    auto known = send_attachment(asking({{"If-None-Match", "\"tag\""}, {"Range", "bytes=0-1"}}),
                                 in_pieces(bytes));
    CHECK(known.status == 304);
    CHECK(body_of(known).empty());
    CHECK(header(known, "ETag") == "\"tag\"");

    auto beyond = send_attachment(asking({{"Range", "bytes=10-"}}), in_pieces(bytes));
    CHECK(beyond.status == 416);
    CHECK(header(beyond, "Content-Range") == "bytes */10");

    auto empty = send_attachment(asking({}), in_pieces(""));
    CHECK(empty.status == 200);
    CHECK(body_of(empty).empty());
}
