#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace assay::http {

/// Runs work a fixed time after it was put in; since the time is fixed, in order. One thread,
/// however much waits.
class delay_line {
public:
    explicit delay_line(std::chrono::microseconds delay)
        : delay_(delay), thread_([this](std::stop_token stop) { run(stop); })
    {
    }

    /// Work that is not yet due is destroyed unused.
    ~delay_line() = default;

    void put(std::move_only_function<void()> work)
    {
        bool first = false;
        {
            std::lock_guard const lock(mutex_);
            first = waiting_.empty();
            waiting_.emplace_back(std::chrono::steady_clock::now() + delay_, std::move(work));
        }
        if (first)
            added_.notify_one();
    }

private:
    void run(std::stop_token const& stop)
    {
        std::unique_lock lock(mutex_);
        while (added_.wait(lock, stop, [&] { return !waiting_.empty(); }) &&
               !stop.stop_requested()) {
            auto const due = waiting_.front().first;
            if (std::chrono::steady_clock::now() < due) {
                // A later entry is never due earlier; only the end may interrupt.
                added_.wait_until(lock, stop, due, [] { return false; });
                continue;
            }
            auto work = std::move(waiting_.front().second);
            waiting_.pop_front();
            lock.unlock();
            work();
            lock.lock();
        }
    }

    std::chrono::microseconds const delay_;
    // Guarded by mutex_.
    std::mutex mutex_;
    std::condition_variable_any added_;
    std::deque<std::pair<std::chrono::steady_clock::time_point, std::move_only_function<void()>>>
        waiting_;
    std::jthread thread_;
};

} // namespace assay::http
