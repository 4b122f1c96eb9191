#include "http/runner/lane.hpp"

#include "events/vault.hpp"
#include "http/runner/job.hpp"

#include <algorithm>
#include <cstdlib>

namespace assay::http {

namespace {

/// The key that a provider is called with; none if it has one that cannot be had.
std::optional<std::string> find_api_key(events::vault& keys, uuid const& workspace,
                                        engine::frozen_provider const& provider)
{
    if (provider.key) {
        auto const secret = keys.get_secret(workspace, *provider.key);
        return secret ? std::optional<std::string>(secret->view()) : std::nullopt;
    }
    if (provider.key_env.empty())
        return std::string();
    auto const* const value = std::getenv(provider.key_env.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
}

} // namespace

lane_table::lane_table(engine::engine& e, runner_options const& options)
    : engine_(e), options_(options)
{
}

lane& lane_table::lane_of(uuid const& workspace, engine::frozen_provider const& provider)
{
    auto const name = provider.id.text() + (provider.key ? provider.key->text() : provider.key_env);
    auto& slot = lanes_[name];
    if (!slot)
        slot = make(workspace, provider);
    return *slot;
}

std::unique_ptr<lane> lane_table::make(uuid const& workspace,
                                       engine::frozen_provider const& provider) const
{
    auto const width =
        std::max(1U, provider.concurrency == 0 ? options_.in_flight : provider.concurrency);
    auto key = find_api_key(engine_.keys(), workspace, provider);
    return std::unique_ptr<lane>(new lane{.concurrency = concurrency_limit(width),
                                          .rate = rate_limit({provider.requests_per_minute, width}),
                                          .key = provider.key,
                                          .api_key = key.value_or(std::string()),
                                          .key_missing = !key,
                                          .waiting = {}});
}

void lane_table::revoke(uuid const& key)
{
    for (auto const& [name, l] : lanes_) {
        if (l->key == key)
            l->key_missing = true;
    }
}

std::size_t lane_table::waiting() const
{
    std::size_t n = 0;
    for (auto const& [name, l] : lanes_)
        n += l->waiting.size();
    return n;
}

} // namespace assay::http
