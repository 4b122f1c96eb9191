#pragma once

#include "core/result.hpp"
#include "events/blobs.hpp"
#include "events/commit_maker.hpp"
#include "events/disk_guard.hpp"
#include "events/drain.hpp"
#include "events/store.hpp"
#include "events/submission.hpp"
#include "events/view_port.hpp"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace assay::events {

struct pipeline_options {
    std::size_t queue_max = 8192;          ///< commands waiting; beyond it errc::overloaded at once
    std::size_t drain_commits_max = 512;   ///< commits in one write
    std::size_t drain_bytes_max = 8 << 20; ///< and their bytes
    std::size_t state_cache_bytes = 32 << 20; ///< folded streams kept in memory
    std::uint64_t reserve_bytes = 256ULL
                                  << 20; ///< free disk space below which commands are refused
    std::uint64_t ballast_bytes = 64ULL << 20;
    std::chrono::milliseconds anchor_interval{1000};
    std::vector<std::filesystem::path>
        anchor_copies;              ///< further files that get the anchor, e.g. on another disk
    std::function<instant()> clock; ///< none: the system's
    /// Runs the answering of one drain, e.g. with all that it wakes held back to its end. None: just
    /// runs it.
    std::function<void(std::move_only_function<void()> answer_all)> around_answers;
    /// Called once when the log can no longer be written; must not return to service. None: the
    /// process ends with code 70.
    std::function<void(error const&)> on_fatal;
};

struct pipeline_stats {
    std::atomic<std::uint64_t> commits{0};
    std::atomic<std::uint64_t> events{0};
    std::atomic<std::uint64_t> drains{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> projection_failures{0};
    std::atomic<std::uint64_t> overloaded{0};
    std::atomic<std::uint64_t> waiting{0};
};

/// The commit pipeline: one writer that decides and commits; everybody else only asks.
///
/// The writer drains what waits, decides each command against the folded streams it names and stages
/// the views. A second thread commits log, indexes and views of the whole drain as one atomic synced
/// write and then answers all, while the writer decides the next drain on top of it. So one sync
/// serves many commands, views are never behind, and a crash leaves all of a commit or none of it. A
/// failed write is never tried again: the process stops and recovers by reading (docs/reliability:
/// fsyncgate).
///
/// Thread-safe. Construct after the views are open; destroy before them.
class pipeline {
public:
    using done = drain::done;

    pipeline(store& s, vault& v, view_port& views, pipeline_options options = {});
    ~pipeline();
    pipeline(pipeline const&) = delete;
    pipeline& operator=(pipeline const&) = delete;

    /// Queues a command; `done` is called once, on the syncing thread after the sync (or at once, on
    /// this thread, when the queue is full or large blobs cannot be stored). It must be quick and
    /// must not wait for another command.
    ///
    /// Errors beside those of `decide`: errc::idempotency_reused (same key, other body), errc::conflict with reason
    /// "version_conflict" naming stream, expected and actual, errc::overloaded, errc::unavailable (disk reserve,
    /// stopping), errc::projection_failed (a view refused; nothing was written), errc::too_large.
    void submit(submission s, done d);

    /// The same, waiting for the outcome. Never from `done` or a listener.
    [[nodiscard]] result<receipt> submit_and_wait(submission s);

    /// Called on the syncing thread, after the sync, with each commit in order. Must be quick.
    /// @returns a number for `unsubscribe`.
    using listener = std::function<void(commit_ptr const&)>;
    std::uint64_t subscribe(listener l);

    /// After it returns the listener is not called again.
    void unsubscribe(std::uint64_t number);

    /// Runs `work` on the writer's thread while no drain is under way, everything made is stored and
    /// answered, and waits for it.
    void between_drains(std::move_only_function<void()> work);

    /// Answers what waits, writes the anchor, ends the writer. Commands after it get errc::unavailable.
    void stop();

    [[nodiscard]] pipeline_stats const& stats() const { return stats_; }

    [[nodiscard]] disk_guard const& disk() const { return guard_; }

private:
    struct waiting {
        submission s;
        done d;
    };

    [[nodiscard]] result<void> write_large(blob_list& blobs);
    void run_writer();
    void run_syncs();
    void run_anchor(std::stop_token stop);
    /// What the writer is to do next.
    enum class task : std::uint8_t { make, hand_over, errands, end };
    [[nodiscard]] task wait_for_task(drain const& d, bool work_left);
    void make(std::vector<waiting>& work, std::size_t& at, drain& d);
    [[nodiscard]] bool full(drain const& d) const;
    [[nodiscard]] std::size_t worth_waking() const;
    void take_work(std::vector<waiting>& work);
    void run_errands();
    [[nodiscard]] result<void> store_drain(drain& d);
    void answer(drain& d);
    void fatal(error const& e);
    void write_anchors();

    store& store_;
    blob_store blobs_;
    pipeline_options const options_;
    disk_guard guard_;
    pipeline_stats stats_;
    std::atomic<bool> failed_{false}; ///< a write of the log failed: nothing is written any more

    commit_maker maker_; ///< the writer's

    // Guarded by mutex_.
    std::mutex mutex_;
    std::condition_variable wake_;   ///< of the writer
    std::condition_variable handed_; ///< of the syncing thread
    std::vector<waiting> queue_;
    std::vector<std::move_only_function<void()>> errands_;
    std::unique_ptr<drain> handed_over_;
    std::unique_ptr<drain> spare_; ///< an empty one, with the memory of its last use
    bool storing_ = false;         ///< from the hand-over until the drain is stored
    bool answering_ = false;
    bool stopping_ = false;
    bool writer_ended_ = false;

    // Guarded by listeners_mutex_.
    std::mutex listeners_mutex_;
    std::vector<std::pair<std::uint64_t, listener>> listeners_;
    std::uint64_t next_listener_ = 1;

    // Guarded by anchor_mutex_.
    std::mutex anchor_mutex_;
    std::uint64_t durable_size_ = 0;
    digest durable_root_;

    // The anchorer's; after its end, that of `stop`.
    std::map<std::filesystem::path, std::uint64_t> anchored_;

    std::jthread writer_;
    std::jthread syncer_;
    std::jthread anchorer_;
};

} // namespace assay::events
