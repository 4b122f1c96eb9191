#include "http/api/snapshots.hpp"

#include <algorithm>

namespace assay::api {

namespace {

/// How long a key that is over is remembered as such; later it may be used anew.
constexpr std::chrono::minutes remembered{10};

} // namespace

void snapshots::expire(clock::time_point now)
{
    std::erase_if(held_, [&](auto const& e) { return now > e.second.until + remembered; });
    for (auto& [key, h] : held_)
        if (now > h.until)
            h.views.reset();
}

void snapshots::expire()
{
    std::lock_guard const lock(mutex_);
    expire(clock::now());
}

result<std::shared_ptr<projections::reader const>> snapshots::of(uuid const& workspace,
                                                                 std::string const& key)
{
    std::lock_guard const lock(mutex_);
    auto const now = clock::now();
    expire(now);
    if (auto const found = held_.find({workspace, key}); found != held_.end()) {
        if (!found->second.views)
            return fail(errc::gone, "the snapshot's 60 seconds are over; use a new key",
                        "snapshot_expired");
        return found->second.views;
    }
    auto const live = std::ranges::count_if(held_, [&](auto const& e) {
        return e.first.first == workspace && e.second.views != nullptr;
    });
    if (static_cast<std::size_t>(live) >= per_workspace_max)
        return fail(errc::gone, "the workspace holds 64 snapshots already; wait for one to end",
                    "too_many_snapshots");
    auto views = take_();
    held_[{workspace, key}] = {views, now + lifetime};
    return views;
}

} // namespace assay::api
