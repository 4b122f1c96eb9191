#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>

namespace assay::http {

/// One event of a stream (WHATWG HTML §9.2). Line breaks in `id` and `name` are dropped; `data` may
/// have several lines.
struct sse_event {
    std::string_view id{};   ///< what Last-Event-ID will say; "" sends none
    std::string_view name{}; ///< "" is the default event, "message"
    std::string_view data{};
};

struct sse_options {
    std::size_t queue_bytes_max = 256 * 1024; ///< encoded bytes that may wait for one reader
};

/// An event stream to one reader: the handler makes it, keeps a reference and puts it into its
/// answer.
///
/// Never buffers without end: a reader that is too slow for what is pushed is dropped (its
/// connection is cut, and it resumes with Last-Event-ID). History that need not be dropped is
/// offered instead, at the reader's pace.
///
/// Thread-safe. Events appear in the order of the calls. The keep-alive comments are the server's
/// business.
class sse_stream {
public:
    explicit sse_stream(sse_options options = {}) : options_(options) {}

    /// Queues `event`. If there is no room the reader is dropped.
    /// @returns false if the stream has ended, also by this very call.
    bool push(sse_event const& event);

    /// Queues `event` if there is room. An event larger than the whole queue is taken by an empty
    /// one.
    /// @returns false if there is none or the stream has ended (see `ended`).
    bool offer(sse_event const& event);

    /// Waits until there is room for `offer` or the stream has ended; blocks, so not on an I/O
    /// thread.
    /// @returns whether there is room now.
    bool wait_for_room(std::chrono::milliseconds at_most);

    /// Ends the stream after what is queued has been sent.
    void close();

    /// The reader has gone, was dropped, or `close` was called: nothing more will be taken.
    [[nodiscard]] bool ended() const;

    /// Calls `hook` once when the stream ends, from any thread, at once if it has. At most one
    /// hook; it must not block.
    void on_end(std::move_only_function<void()> hook);

    // What follows is the server's side.

    struct taken {
        std::string bytes; ///< whole encoded events
        bool closed;       ///< nothing will follow `bytes`
        bool dropped;      ///< the reader was too slow: cut it
    };

    /// `wake` is called, from any thread and under the stream's lock, when there is something to
    /// take.
    void attach(std::move_only_function<void()> wake);
    [[nodiscard]] taken take();
    [[nodiscard]] bool dropped() const;

    /// The connection is over: queued events are forgotten.
    void detach();

private:
    void wake_reader();
    static void run(std::move_only_function<void()> hook);
    [[nodiscard]] std::move_only_function<void()> end();

    sse_options const options_;
    // Guarded by mutex_.
    mutable std::mutex mutex_;
    std::condition_variable room_;
    std::string pending_;
    std::move_only_function<void()> wake_;
    std::move_only_function<void()> on_end_;
    bool woken_ = false;
    bool ended_ = false;
    bool dropped_ = false;
};

/// The bytes of `event` on the wire, the empty line at its end included.
[[nodiscard]] std::string encode(sse_event const& event);

} // namespace assay::http
