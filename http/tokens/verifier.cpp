#include "http/tokens/verifier.hpp"

#include <utility>

namespace assay::tokens {

verifier::verifier(std::unique_ptr<key_source> keys, token_policy policy)
    : keys_(std::move(keys)), policy_(std::move(policy))
{
}

result<verifier::claims_ptr> verifier::check(std::string_view text, std::int64_t now)
{
    auto const current = keys_->keys();
    auto const hash = sha256(text.substr(0, token_bytes_max + 1));
    if (auto known = recall(hash, current.version, now))
        return known;
    ASSAY_TRY(auto const token, parse_token(text));
    auto const* const key = current.keys->find(token.algorithm, token.key_id);
    if (!key) {
        keys_->want_newer();
        return fail(errc::unauthenticated, "the token's key is not known", "token_key");
    }
    if (!key->verify(token.signed_bytes, token.signature))
        return fail(errc::unauthenticated, "the token's signature is wrong", "token_signature");
    ASSAY_TRY(auto claims, check_claims(token.payload, policy_, now));
    auto good = std::make_shared<token_claims const>(std::move(claims));
    remember(hash, current.version, good);
    return good;
}

verifier::claims_ptr verifier::recall(digest const& hash, std::uint64_t version, std::int64_t now)
{
    std::lock_guard const lock(mutex_);
    auto const found = good_.find(hash);
    if (version != version_ || found == good_.end())
        return nullptr;
    if (now < found->second->expires_at)
        return found->second;
    good_.erase(found);
    return nullptr;
}

void verifier::remember(digest const& hash, std::uint64_t version, claims_ptr claims)
{
    std::lock_guard const lock(mutex_);
    // A thread that was overtaken by a change of the keys may come with the older ones.
    if (version < version_)
        return;
    if (version > version_ || good_.size() >= remembered_max)
        good_.clear();
    version_ = version;
    good_.emplace(hash, std::move(claims));
}

} // namespace assay::tokens
