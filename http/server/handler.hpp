#pragma once

#include "http/server/request.hpp"
#include "http/server/response.hpp"

#include <functional>
#include <memory>

namespace assay::http {

/// Serves a request: called on the I/O thread, from several at once, and must not block there; it
/// answers when it can, from any thread. An exception answers 500.
using handler = std::move_only_function<void(request, responder) const>;

/// The body of a handler that returns its answer.
using function = std::function<result<response>(request const&)>;

/// Threads for work that blocks (reads from disk, long computations). Unbounded queue: the server's
/// `in_flight_max` is what bounds it. Thread-safe.
class blocking_pool {
public:
    explicit blocking_pool(unsigned threads);
    blocking_pool(blocking_pool const&) = delete;
    ~blocking_pool(); ///< runs what is queued, then joins

    void run(std::move_only_function<void()> work);

private:
    struct impl;
    std::unique_ptr<impl> impl_;
};

/// A handler that runs `serve` on `pool`, which must outlive it.
[[nodiscard]] handler on_pool(blocking_pool& pool, function serve);

/// A handler that runs `serve` on the I/O thread: for answers that need no more than memory.
[[nodiscard]] handler on_io_thread(function serve);

} // namespace assay::http
