#include "http/api/token_grant.hpp"

#include <utility>

namespace assay::api {

namespace {

std::unexpected<error> malformed()
{
    return fail(errc::unauthenticated, "the token is malformed: a claim has another type",
                "token_malformed");
}

result<std::optional<uuid>> id_claim(json::object const& claims, std::string const& name)
{
    auto const* const v = claims.if_contains(name);
    if (!v)
        return std::optional<uuid>();
    auto const id = v->is_string() ? uuid::parse(v->get_string()) : std::nullopt;
    if (!id)
        return malformed();
    return std::optional(*id);
}

/// A string or an array of strings.
result<std::optional<std::vector<std::string>>> texts_claim(json::object const& claims,
                                                            std::string const& name)
{
    auto const* const v = claims.if_contains(name);
    if (!v)
        return std::optional<std::vector<std::string>>();
    std::vector<std::string> out;
    if (v->is_string())
        out.emplace_back(v->get_string());
    else if (!v->is_array())
        return malformed();
    else
        for (auto const& each : v->get_array()) {
            if (!each.is_string())
                return malformed();
            out.emplace_back(each.get_string());
        }
    return std::optional(std::move(out));
}

result<std::optional<std::vector<uuid>>> ids_claim(json::object const& claims,
                                                   std::string const& name)
{
    ASSAY_TRY(auto const texts, texts_claim(claims, name));
    if (!texts)
        return std::optional<std::vector<uuid>>();
    std::vector<uuid> out;
    for (auto const& text : *texts) {
        auto const id = uuid::parse(text);
        if (!id)
            return malformed();
        out.push_back(*id);
    }
    return std::optional(std::move(out));
}

} // namespace

result<token_grant> grant_of(tokens::token_claims const& claims, token_claim_names const& names)
{
    token_grant out;
    auto const profile = id_claim(claims.all, names.profile);
    if (!profile || !*profile)
        return fail(errc::unauthenticated, "the token names no profile by its id", "token_profile");
    out.profile = **profile;
    ASSAY_TRY(out.workspace, id_claim(claims.all, names.workspace));
    ASSAY_TRY(out.roles, texts_claim(claims.all, names.roles));
    ASSAY_TRY(out.departments, ids_claim(claims.all, names.departments));
    out.expires_at = claims.expires_at;
    return out;
}

} // namespace assay::api
