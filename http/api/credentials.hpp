#pragma once

#include "http/api/attempt_limit.hpp"
#include "http/api/identity.hpp"
#include "http/api/token_grant.hpp"
#include "http/server/metrics.hpp"
#include "http/tokens/verifier.hpp"

#include <memory>
#include <string_view>

namespace assay::api {

/// Which tokens are taken beside API keys.
struct token_options {
    tokens::key_source_options keys{};
    tokens::token_policy policy{};
    token_claim_names names{};
};

/// What a request brings to prove who sends it: an API key, or a token where they are taken.
///
/// Authorization: Bearer holds either; X-Api-Key a key; the cookie `auth` a token, on routes that
/// say so. Authorization goes before X-Api-Key, and that before the cookie.
///
/// Thread-safe. Asked on I/O threads: memory only, no blocking.
class credentials {
public:
    credentials(identities const& known, http::metrics& numbers);

    /// Takes tokens from now on. Call once before serving. Errors are those of key_source::open.
    [[nodiscard]] result<void> take_tokens(token_options options, http::metrics& numbers);

    /// The server's hook.
    ///
    /// @returns errc::unauthenticated without a good key or token; errc::rate_limited for a peer
    ///          that keeps sending bad ones. Good ones are always good, so nobody is locked out by
    ///          a neighbour behind the same address.
    [[nodiscard]] result<std::shared_ptr<http::identity const>> identify(http::request const& req);

    /// Has the keys of tokens read again (SIGHUP).
    void reload();

private:
    /// One kind of credential and what became of those that were sent.
    struct checks {
        checks(http::metrics& numbers, std::string_view credential);

        http::counter& accepted;
        http::counter& refused;
    };

    using found = result<std::shared_ptr<http::identity const>>;

    [[nodiscard]] found check_key(std::string_view key) const;
    [[nodiscard]] found check_token(std::string_view token) const;
    [[nodiscard]] found settle(checks& kind, std::string_view peer, found outcome);

    // Constant while serving.
    identities const& known_;
    token_claim_names names_;
    std::unique_ptr<tokens::verifier> verifier_; ///< null: no tokens
    // Thread-safe themselves.
    checks keys_;
    checks tokens_;
    attempt_limit failures_;
};

} // namespace assay::api
