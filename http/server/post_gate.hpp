#pragma once

#include "http/asio.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace assay::http {

/// A way to an io_context for those who may outlive it: a responder in another thread's queue must
/// not keep the server's parts alive, nor post to one that is gone.
///
/// Thread-safe.
class post_gate : public std::enable_shared_from_this<post_gate> {
public:
    using work = std::move_only_function<void()>;

    explicit post_gate(asio::io_context& io) : io_(&io) {}

    /// Runs `w` on the worker's thread. After `close` it is destroyed unused. What is posted until
    /// that thread looks costs one wake-up together.
    void post(work w);
    void post(std::vector<work> many);

    void close();

    /// The worker's thread; constant once it runs.
    std::thread::id thread{};

private:
    void run();

    // Guarded by mutex_.
    std::mutex mutex_;
    asio::io_context* io_;
    std::vector<work> waiting_;
};

/// While one lives, what its thread posts is kept back, and each gate gets all of its part at the
/// end. A drain of the log answers dozens of requests at once: the workers are woken when all are
/// there, not for each.
class post_burst {
public:
    post_burst();
    ~post_burst();
    post_burst(post_burst const&) = delete;
    post_burst& operator=(post_burst const&) = delete;

private:
    friend class post_gate;

    static thread_local post_burst* current_;
    std::vector<std::pair<std::shared_ptr<post_gate>, post_gate::work>> kept_;
};

} // namespace assay::http
