#include "http/tokens/token.hpp"

#include "core/base64url.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace assay::tokens {

namespace {

/// Beyond this no time of a token can be: 9999-12-31.
constexpr double latest_time = 253'402'300'799.0;

std::unexpected<error> refuse(std::string detail, std::string reason)
{
    return fail(errc::unauthenticated, std::move(detail), std::move(reason));
}

std::unexpected<error> malformed(std::string detail)
{
    return refuse("the token is malformed: " + detail, "token_malformed");
}

result<json::object> object_of(std::string_view text)
{
    auto parsed = json::parse(text);
    if (!parsed || !parsed->is_object())
        return malformed("a part is no JSON object");
    return std::move(parsed->get_object());
}

/// A string member; nothing if it is not there.
result<std::optional<std::string>> text_of(json::object const& o, std::string_view name)
{
    auto const* const v = o.if_contains(name);
    if (!v)
        return std::optional<std::string>();
    if (!v->is_string())
        return malformed("a member has another type");
    return std::optional(std::string(v->get_string()));
}

/// A NumericDate: seconds, possibly with a fraction.
result<std::optional<double>> time_of(json::object const& o, std::string_view name)
{
    auto const* const v = o.if_contains(name);
    if (!v)
        return std::optional<double>();
    if (!v->is_number())
        return malformed("a time is no number");
    auto const seconds = v->to_number<double>();
    if (!(seconds >= 0 && seconds <= latest_time))
        return malformed("a time is out of range");
    return std::optional(seconds);
}

bool equal_without_case(std::string_view a, std::string_view b)
{
    return std::ranges::equal(a, b, [](char x, char y) {
        auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; };
        return lower(x) == lower(y);
    });
}

/// RFC 7515 §4.1.9: "application/" may be left out. RFC 9068 has its own type for access tokens.
bool is_access_token(std::string_view type)
{
    constexpr std::array<std::string_view, 4> types{"JWT", "at+jwt", "application/jwt",
                                                    "application/at+jwt"};
    return std::ranges::any_of(types,
                               [&](std::string_view t) { return equal_without_case(t, type); });
}

result<void> check_audience(json::object const& claims, std::vector<std::string> const& wanted)
{
    auto const* const v = claims.if_contains("aud");
    auto const is_wanted = [&](json::value const& one) {
        return one.is_string() &&
               std::ranges::find(wanted, std::string_view(one.get_string())) != wanted.end();
    };
    bool const good =
        v && (v->is_array() ? std::ranges::any_of(v->get_array(), is_wanted) : is_wanted(*v));
    if (!good)
        return refuse("the token is for another audience", "token_audience");
    return {};
}

result<double> check_times(json::object const& claims, double leeway, double now)
{
    ASSAY_TRY(auto const expires, time_of(claims, "exp"));
    ASSAY_TRY(auto const begins, time_of(claims, "nbf"));
    ASSAY_TRY(auto const issued, time_of(claims, "iat"));
    if (!expires)
        return malformed("it has no end (exp)");
    if (now >= *expires + leeway)
        return refuse("the token has expired", "token_expired");
    if (std::max(begins.value_or(0), issued.value_or(0)) > now + leeway)
        return refuse("the token is not valid yet", "token_not_yet_valid");
    return *expires + leeway;
}

} // namespace

bool looks_like_token(std::string_view text)
{
    return std::ranges::count(text, '.') == 2;
}

result<parsed_token> parse_token(std::string_view text)
{
    if (text.size() > token_bytes_max)
        return malformed("it is too long");
    if (!looks_like_token(text))
        return malformed("it has not three parts");
    auto const first = text.find('.');
    auto const second = text.rfind('.');
    auto const head = from_base64url(text.substr(0, first));
    auto payload = from_base64url(text.substr(first + 1, second - first - 1));
    auto signature = from_base64url(text.substr(second + 1));
    if (!head || !payload || !signature)
        return malformed("a part is no base64url");
    ASSAY_TRY(auto const header, object_of(*head));
    if (header.contains("crit"))
        return malformed("it asks for extensions that are not known");
    ASSAY_TRY(auto const type, text_of(header, "typ"));
    if (type && !is_access_token(*type))
        return malformed("its type is none of an access token");
    ASSAY_TRY(auto const name, text_of(header, "alg"));
    auto const alg = name ? parse_algorithm(*name) : std::nullopt;
    if (!alg)
        return refuse("the token's algorithm is none of HS256, RS256, ES256, EdDSA",
                      "token_algorithm");
    parsed_token out{.algorithm = *alg, .signed_bytes = text.substr(0, second)};
    ASSAY_TRY(out.key_id, text_of(header, "kid"));
    out.signature = std::move(*signature);
    out.payload = std::move(*payload);
    return out;
}

result<token_claims> check_claims(std::string_view payload, token_policy const& policy,
                                  std::int64_t now)
{
    token_claims out;
    ASSAY_TRY(out.all, object_of(payload));
    ASSAY_TRY(auto issuer, text_of(out.all, "iss"));
    ASSAY_TRY(auto subject, text_of(out.all, "sub"));
    if (!issuer || std::ranges::find(policy.issuers, *issuer) == policy.issuers.end())
        return refuse("the token is of another issuer", "token_issuer");
    ASSAY_CHECK(check_audience(out.all, policy.audiences));
    ASSAY_TRY(auto const expires, check_times(out.all, static_cast<double>(policy.leeway.count()),
                                              static_cast<double>(now)));
    if (!subject || subject->empty())
        return malformed("it names nobody (sub)");
    out.issuer = std::move(*issuer);
    out.subject = std::move(*subject);
    out.expires_at = static_cast<std::int64_t>(std::floor(expires));
    return out;
}

result<std::string> mint(key const& with, json::object const& claims)
{
    json::object header{{"alg", to_string(with.algorithm())}, {"typ", "JWT"}};
    if (!with.id().empty())
        header["kid"] = with.id();
    auto text = to_base64url(json::canonical(header)) + "." + to_base64url(json::canonical(claims));
    ASSAY_TRY(auto const signature, with.sign(text));
    return text + "." + to_base64url(signature);
}

} // namespace assay::tokens
