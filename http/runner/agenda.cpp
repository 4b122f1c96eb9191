#include "http/runner/agenda.hpp"

#include <chrono>
#include <utility>

namespace assay::http {

namespace {

using clock = std::chrono::steady_clock;

} // namespace

monotonic monotonic_now()
{
    return std::chrono::duration_cast<monotonic>(clock::now().time_since_epoch());
}

void agenda::post(work w)
{
    // Woken under the lock: whoever sees this work done may destroy the agenda at once.
    std::lock_guard const lock(mutex_);
    inbox_.push_back(std::move(w));
    wake_.notify_one();
}

void agenda::at(monotonic when, work w)
{
    timers_.emplace(when, std::move(w));
}

void agenda::end()
{
    std::lock_guard const lock(mutex_);
    ended_ = true;
    wake_.notify_one();
}

void agenda::run(work after)
{
    std::vector<work> batch;
    while (wait_for(batch)) {
        for (auto& w : batch)
            w();
        batch.clear();
        do_due();
        after();
    }
}

/// Blocks until something is posted, which goes to `batch`, or due. @returns false after the end.
bool agenda::wait_for(std::vector<work>& batch)
{
    std::unique_lock lock(mutex_);
    auto const something = [this] { return ended_ || !inbox_.empty(); };
    if (timers_.empty())
        wake_.wait(lock, something);
    else
        wake_.wait_until(lock, clock::time_point(timers_.begin()->first), something);
    batch.swap(inbox_);
    return !ended_ || !batch.empty();
}

void agenda::do_due()
{
    while (!timers_.empty() && timers_.begin()->first <= monotonic_now()) {
        auto due = timers_.extract(timers_.begin());
        due.mapped()();
    }
}

} // namespace assay::http
