#pragma once

#include "events/pipeline.hpp"
#include "http/engine/engine.hpp"
#include "http/server/handler.hpp"
#include "http/server/sse.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace assay::api {

/// Where a reader of a stream stands: behind this event. The wire form is opaque to clients.
struct stream_position {
    std::uint64_t position = 0;
    std::uint32_t index = 0;

    friend auto operator<=>(stream_position const&, stream_position const&) = default;

    [[nodiscard]] std::string text() const;
    [[nodiscard]] static std::optional<stream_position> parse(std::string_view text);
};

/// What a reader wants to see.
struct watch_request {
    uuid test;
    std::optional<std::uint32_t> cell{}; ///< events of this cell only
    std::optional<std::uint16_t> run{};  ///< of it, of this run only; the stream ends with the run
    std::optional<stream_position> after{}; ///< none: from now on
};

/// Feeds event streams of tests from the log.
///
/// The commits' listener hands each commit of a watched test to its readers' queues and wakes a job
/// on the pool; what a short queue cannot hold is read from the log again, at the reader's pace. So
/// every event comes once and in order, whether it is old or new, and no reader makes the writer
/// wait. A reader that takes nothing for `patience` is dropped.
///
/// Thread-safe. Outlives the streams' connections; destroy before the engine.
class watch_hub {
public:
    watch_hub(engine::engine& e, http::blocking_pool& pool);
    ~watch_hub();
    watch_hub(watch_hub const&) = delete;
    watch_hub& operator=(watch_hub const&) = delete;

    static constexpr std::chrono::seconds patience{30};

    [[nodiscard]] std::shared_ptr<http::sse_stream> open(watch_request const& wanted);

    /// Ends every stream and takes no further one: the process is about to stop.
    void close();

    [[nodiscard]] bool closing() const;

    /// Streams that are open now.
    [[nodiscard]] std::size_t readers() const { return readers_.load(); }

private:
    struct watcher;
    using watcher_ptr = std::shared_ptr<watcher>;

    /// What jobs on the pool share with the hub, which they may outlive.
    struct shared;

    void on_commit(events::commit_ptr const& c);
    static void schedule(std::shared_ptr<shared> const& s, watcher_ptr const& w);
    static void pump(std::shared_ptr<shared> const& s, watcher_ptr const& w);
    [[nodiscard]] static bool catch_up(shared const& s, watcher& w);
    [[nodiscard]] static bool send(watcher& w, events::commit const& c);
    [[nodiscard]] static bool wait_for(watcher& w);

    std::shared_ptr<shared> shared_;
    std::atomic<std::size_t> readers_{0};
    std::uint64_t subscription_ = 0;

    // Guarded by mutex_.
    std::mutex mutex_;
    std::unordered_map<uuid, std::vector<watcher_ptr>> by_test_;
};

/// One event as the stream's data line; none if it is none of a test's.
[[nodiscard]] std::optional<std::string> envelope_of(events::recorded const& e);

/// The run that an event belongs to; none: no run.
[[nodiscard]] std::optional<std::uint16_t> run_of(event_body const& body);

/// Whether the event ends its run.
[[nodiscard]] bool ends_run(event_body const& body);

} // namespace assay::api
