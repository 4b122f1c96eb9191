#pragma once

#include "core/hash.hpp"
#include "http/tokens/key_source.hpp"
#include "http/tokens/token.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <unordered_map>

namespace assay::tokens {

/// Checks tokens against the keys of a source and a policy.
///
/// A good token is remembered by its hash until it expires or the keys change: a client that sends
/// the same one with each request costs one signature check.
///
/// Thread-safe. Checking never blocks.
class verifier {
public:
    using claims_ptr = std::shared_ptr<token_claims const>;

    /// Good tokens that are remembered; beyond it all are forgotten.
    static constexpr std::size_t remembered_max = 10'000;

    verifier(std::unique_ptr<key_source> keys, token_policy policy);

    /// @param now seconds since 1970
    /// @returns errc::unauthenticated with a reason of `parse_token` or `check_claims`, token_key
    ///          for a key that is not known (and newer keys are asked for), or token_signature.
    [[nodiscard]] result<claims_ptr> check(std::string_view text, std::int64_t now);

    /// Has the keys read again (SIGHUP).
    void reload() { keys_->reload(); }

private:
    [[nodiscard]] claims_ptr recall(digest const& hash, std::uint64_t version, std::int64_t now);
    void remember(digest const& hash, std::uint64_t version, claims_ptr claims);

    std::unique_ptr<key_source> const keys_;
    token_policy const policy_;
    // Guarded by mutex_.
    std::mutex mutex_;
    std::uint64_t version_ = 0; ///< of the keys that the tokens in `good_` were checked with
    std::unordered_map<digest, claims_ptr> good_;
};

} // namespace assay::tokens
