#include "http/api/credentials.hpp"

#include "http/server/request.hpp"
#include "http/server/router.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace assay::api {

namespace {

constexpr std::string_view token_cookie = "auth";

std::string_view trimmed(std::string_view text)
{
    while (text.starts_with(' '))
        text.remove_prefix(1);
    while (text.ends_with(' '))
        text.remove_suffix(1);
    return text;
}

/// What follows the scheme Bearer, whose name has no case (RFC 9110 §11.1).
std::optional<std::string_view> bearer_of(http::request const& req)
{
    constexpr std::string_view scheme = "Bearer ";
    auto const given = req.headers.find("Authorization");
    if (!given || !boost::beast::iequals(given->substr(0, scheme.size()), scheme))
        return std::nullopt;
    auto const text = trimmed(given->substr(scheme.size()));
    return text.empty() ? std::nullopt : std::optional(text);
}

/// The cookie of that name (RFC 6265 §4.2.1), on routes that look at it.
std::optional<std::string_view> cookie_of(http::request const& req)
{
    auto rest = req.matched && req.matched->token_cookie
                    ? req.headers.find("Cookie").value_or(std::string_view())
                    : std::string_view();
    while (!rest.empty()) {
        auto const pair = trimmed(rest.substr(0, rest.find(';')));
        rest.remove_prefix(std::min(rest.size(), rest.find(';')));
        if (!rest.empty())
            rest.remove_prefix(1);
        auto const equals = pair.find('=');
        if (equals != std::string_view::npos && pair.substr(0, equals) == token_cookie)
            return pair.substr(equals + 1);
    }
    return std::nullopt;
}

} // namespace

credentials::checks::checks(http::metrics& numbers, std::string_view credential)
    : accepted(
          numbers.make_counter("assay_identity_checks_total", "API keys and tokens that were sent",
                               {{"credential", std::string(credential)}, {"outcome", "accepted"}})),
      refused(
          numbers.make_counter("assay_identity_checks_total", "API keys and tokens that were sent",
                               {{"credential", std::string(credential)}, {"outcome", "refused"}}))
{
}

credentials::credentials(identities const& known, http::metrics& numbers)
    : known_(known), keys_(numbers, "api_key"), tokens_(numbers, "token")
{
}

result<void> credentials::take_tokens(token_options options, http::metrics& numbers)
{
    ASSAY_TRY(auto keys, tokens::key_source::open(std::move(options.keys), numbers));
    names_ = std::move(options.names);
    verifier_ = std::make_unique<tokens::verifier>(std::move(keys), std::move(options.policy));
    return {};
}

result<std::shared_ptr<http::identity const>> credentials::identify(http::request const& req)
{
    if (auto const bearer = bearer_of(req))
        return tokens::looks_like_token(*bearer) ? settle(tokens_, req.peer, check_token(*bearer))
                                                 : settle(keys_, req.peer, check_key(*bearer));
    if (auto const key = req.headers.find("X-Api-Key"); key && !key->empty())
        return settle(keys_, req.peer, check_key(*key));
    if (auto const token = cookie_of(req))
        return settle(tokens_, req.peer, check_token(*token));
    return fail(errc::unauthenticated,
                verifier_ ? "an API key or a token is required: Authorization: Bearer, or X-Api-Key"
                          : "an API key is required: Authorization: Bearer KEY, or X-Api-Key: KEY",
                "api_key_missing");
}

credentials::found credentials::check_key(std::string_view key) const
{
    if (auto who = known_.find(key))
        return who;
    return fail(errc::unauthenticated, "the API key is not known", "api_key_unknown");
}

credentials::found credentials::check_token(std::string_view token) const
{
    if (!verifier_)
        return fail(errc::unauthenticated, "this server takes API keys only", "token_unsupported");
    ASSAY_TRY(auto const claims, verifier_->check(token, seconds_now()));
    ASSAY_TRY(auto const grant, grant_of(*claims, names_));
    if (auto who = known_.holder(grant))
        return who;
    return fail(errc::unauthenticated, "the token's profile is unknown or not active",
                "token_profile");
}

credentials::found credentials::settle(checks& kind, std::string_view peer, found outcome)
{
    (outcome ? kind.accepted : kind.refused).add();
    if (!outcome && failures_.failed_too_often(peer, std::chrono::steady_clock::now()))
        return fail(
            error{.code = errc::rate_limited,
                  .detail = "too many requests with a bad key or token came from this address",
                  .reason = "too_many_bad_credentials",
                  .retry_after_ms = 1000});
    return outcome;
}

void credentials::reload()
{
    if (verifier_)
        verifier_->reload();
}

} // namespace assay::api
