#include "http/tokens/key_set.hpp"

#include <algorithm>

namespace assay::tokens {

namespace {

std::unexpected<error> no_set(std::string detail)
{
    return fail(errc::invalid, "key set: " + detail, "bad_key_set");
}

bool is_secret(json::object const& jwk)
{
    auto const* const type = jwk.if_contains("kty");
    return type && type->is_string() && type->get_string() == "oct";
}

} // namespace

result<key_set> key_set::read(std::string_view document, bool secrets)
{
    auto const parsed = json::parse(document);
    if (!parsed)
        return no_set(parsed.error().detail);
    auto const* const o = parsed->if_object();
    auto const* const list = o ? o->if_contains("keys") : nullptr;
    if (!list || !list->is_array())
        return no_set("an object with an array keys is required");
    if (list->get_array().size() > keys_max)
        return no_set("it holds too many keys");
    key_set out;
    for (auto const& entry : list->get_array()) {
        auto const* const jwk = entry.if_object();
        if (!jwk)
            return no_set("a key is no object");
        auto read = is_secret(*jwk) && !secrets
                        ? result<key>(fail(errc::invalid, "a secret that others can read"))
                        : key::from_jwk(*jwk);
        if (read)
            ASSAY_CHECK(out.add(std::move(*read)));
        else
            ++out.skipped_;
    }
    return out;
}

result<void> key_set::add(key added)
{
    auto const same = [&](key const& k) {
        return k.algorithm() == added.algorithm() && k.id() == added.id();
    };
    if (std::ranges::any_of(keys_, same))
        return no_set("two keys have the same id and algorithm");
    keys_.push_back(std::move(added));
    return {};
}

key const* key_set::find(algorithm alg, std::optional<std::string_view> id) const
{
    key const* only = nullptr;
    key const* unnamed = nullptr;
    std::size_t of_algorithm = 0;
    for (auto const& k : keys_) {
        if (k.algorithm() != alg)
            continue;
        if (id && k.id() == *id)
            return &k;
        if (k.id().empty())
            unnamed = &k;
        only = &k;
        ++of_algorithm;
    }
    if (id)
        return unnamed;
    return of_algorithm == 1 ? only : unnamed;
}

} // namespace assay::tokens
