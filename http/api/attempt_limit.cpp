#include "http/api/attempt_limit.hpp"

#include <algorithm>
#include <chrono>

namespace assay::api {

namespace {

std::string_view host_of(std::string_view peer)
{
    return peer.substr(0, peer.rfind(':'));
}

} // namespace

bool attempt_limit::failed_too_often(std::string_view peer, http::steady_time now)
{
    std::string host(host_of(peer));
    std::lock_guard const lock(mutex_);
    if (hosts_.size() >= options_.hosts_max && !hosts_.contains(host))
        hosts_.clear();
    auto& a = hosts_.try_emplace(std::move(host), allowance{options_.burst, now}).first->second;
    auto const passed = std::chrono::duration<double>(now - a.at).count();
    a.left = std::min(options_.burst, a.left + passed * options_.per_second);
    a.at = now;
    if (a.left < 1)
        return true;
    a.left -= 1;
    return false;
}

} // namespace assay::api
