#pragma once

#include "core/result.hpp"
#include "core/uuid.hpp"
#include "http/tokens/token.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace assay::api {

/// What the claims are called that say whom a token is for.
struct token_claim_names {
    std::string profile = "sub"; ///< id of a profile; required
    std::string workspace = "workspace";
    std::string roles = "role"; ///< one name, or an array of names
    std::string departments = "departments";
};

/// Whom a token is for, and to what it narrows that profile's rights. A token never widens them:
/// what a profile may do stands in the log, not in what somebody signs.
struct token_grant {
    uuid profile;
    std::optional<uuid> workspace{};                 ///< it must be the profile's
    std::optional<std::vector<std::string>> roles{}; ///< what none of these may is not granted
    std::optional<std::vector<uuid>> departments{};  ///< rows of others are not granted
    std::int64_t expires_at = 0;                     ///< seconds since 1970
};

/// @returns errc::unauthenticated, reason token_profile for a token that names no profile by its
///          id, token_malformed for other claims of another type.
[[nodiscard]] result<token_grant> grant_of(tokens::token_claims const& claims,
                                           token_claim_names const& names);

} // namespace assay::api
