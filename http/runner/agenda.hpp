#pragma once

#include "core/rate_limit.hpp"

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

namespace assay::http {

/// Now, on the clock that limits and timers go by.
[[nodiscard]] monotonic monotonic_now();

/// What one thread has to do: pieces of work that others hand over, and those that fall due.
///
/// `post` and `end` may be called from any thread, `at` only by work that `run` is doing.
class agenda {
public:
    using work = std::move_only_function<void()>;

    /// Hands over work; done in the order posted.
    void post(work w);

    /// Has `w` done at `when`, or as soon after as the thread is free.
    void at(monotonic when, work w);

    /// Does what is posted and due until `end`, and `after` behind each batch of it.
    void run(work after);

    /// What was posted before is still done; what is not yet due is forgotten.
    void end();

private:
    [[nodiscard]] bool wait_for(std::vector<work>& batch);
    void do_due();

    // The running thread's.
    std::multimap<monotonic, work> timers_;
    // Guarded by mutex_.
    std::mutex mutex_;
    std::condition_variable wake_;
    std::vector<work> inbox_;
    bool ended_ = false;
};

} // namespace assay::http
