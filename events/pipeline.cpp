#include "events/pipeline.hpp"

#include "events/anchor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdlib>
#include <future>

namespace assay::events {

namespace {

constexpr std::size_t unhurried_commands = 32;

void add_once(std::vector<uuid>& ids, uuid const& id)
{
    if (std::find(ids.begin(), ids.end(), id) == ids.end())
        ids.push_back(id);
}

std::unexpected<error> log_failed()
{
    return fail(errc::unavailable, "the log cannot be written; the server stops", "log_failed");
}

} // namespace

pipeline::pipeline(store& s, vault& v, view_port& views, pipeline_options options)
    : store_(s), blobs_(s, v), options_(std::move(options)),
      guard_(s.dir(), options_.reserve_bytes, options_.ballast_bytes),
      maker_(s, v, views, options_.clock, options_.state_cache_bytes)
{
    guard_.place_ballast();
    durable_size_ = store_.next_position();
    durable_root_ = store_.tree().root();
    syncer_ = std::jthread([this] { run_syncs(); });
    writer_ = std::jthread([this] { run_writer(); });
    anchorer_ = std::jthread([this](std::stop_token stop) { run_anchor(stop); });
}

pipeline::~pipeline()
{
    stop();
}

void pipeline::stop()
{
    {
        std::lock_guard const lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (writer_.joinable())
        writer_.join();
    if (syncer_.joinable())
        syncer_.join();
    anchorer_.request_stop();
    if (anchorer_.joinable())
        anchorer_.join();
    write_anchors();
}

void pipeline::submit(submission s, done d)
{
    for (auto const& blob : s.blobs)
        add_once(s.keys, blob.key);
    if (auto const stored = write_large(s.blobs); !stored) {
        stats_.refused.fetch_add(1, std::memory_order_relaxed);
        d(std::unexpected(stored.error()));
        return;
    }
    {
        std::unique_lock lock(mutex_);
        if (!stopping_ && queue_.size() < options_.queue_max) {
            queue_.push_back({std::move(s), std::move(d)});
            stats_.waiting.store(queue_.size(), std::memory_order_relaxed);
            bool const wake = queue_.size() == worth_waking();
            lock.unlock();
            if (wake)
                wake_.notify_one();
            return;
        }
        if (!stopping_) {
            stats_.overloaded.fetch_add(1, std::memory_order_relaxed);
            lock.unlock();
            error e{errc::overloaded, "too many commands wait; ask again soon", "queue_full"};
            e.retry_after_ms = 1000;
            d(std::unexpected(std::move(e)));
            return;
        }
    }
    d(fail(errc::unavailable, "the server is stopping", "stopping"));
}

/// The writer asks for room before each drain; the files of large texts come before that.
result<void> pipeline::write_large(blob_list& blobs)
{
    if (!any_large(blobs))
        return {};
    ASSAY_CHECK(guard_.check());
    return blobs_.write_large(blobs);
}

result<receipt> pipeline::submit_and_wait(submission s)
{
    std::promise<result<receipt>> promise;
    auto outcome = promise.get_future();
    submit(std::move(s), [&promise](result<receipt> r) { promise.set_value(std::move(r)); });
    return outcome.get();
}

std::uint64_t pipeline::subscribe(listener l)
{
    std::lock_guard const lock(listeners_mutex_);
    listeners_.emplace_back(next_listener_, std::move(l));
    return next_listener_++;
}

void pipeline::unsubscribe(std::uint64_t number)
{
    std::lock_guard const lock(listeners_mutex_);
    std::erase_if(listeners_, [&](auto const& l) { return l.first == number; });
}

void pipeline::between_drains(std::move_only_function<void()> work)
{
    std::promise<void> ran;
    auto finished = ran.get_future();
    {
        std::lock_guard const lock(mutex_);
        if (stopping_)
            return;
        errands_.push_back([&ran, work = std::move(work)]() mutable {
            work();
            ran.set_value();
        });
    }
    wake_.notify_one();
    finished.wait();
}

void pipeline::run_writer()
{
    auto d = std::make_unique<drain>();
    auto const next_drain = [this] {
        auto next = std::exchange(spare_, nullptr);
        return next ? std::move(next) : std::make_unique<drain>();
    };
    std::vector<waiting> work;
    std::size_t at = 0;
    for (;;) {
        switch (wait_for_task(*d, at < work.size())) {
        case task::make:
            if (at == work.size()) {
                take_work(work);
                at = 0;
            }
            make(work, at, *d);
            break;
        case task::hand_over: {
            maker_.seal(*d);
            std::lock_guard const lock(mutex_);
            handed_over_ = std::exchange(d, next_drain());
            storing_ = true;
            handed_.notify_one();
            break;
        }
        case task::errands: run_errands(); break;
        case task::end: {
            std::lock_guard const lock(mutex_);
            writer_ended_ = true;
            handed_.notify_one();
            return;
        }
        }
    }
}

pipeline::task pipeline::wait_for_task(drain const& d, bool work_left)
{
    bool const begun = !d.answers.empty();
    auto next = task::end;
    auto const found = [&](task t) {
        next = t;
        return true;
    };
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [&] {
        if (begun && !storing_)
            return found(task::hand_over);
        bool const errands = !errands_.empty();
        bool const enough = work_left || queue_.size() >= worth_waking();
        if (enough && !full(d) && !errands)
            return found(task::make);
        if (begun || storing_ || answering_)
            return false;
        return errands ? found(task::errands) : stopping_;
    });
    return next;
}

/// How many waiting commands are worth a switch of threads: while a drain is being stored there is no
/// hurry.
std::size_t pipeline::worth_waking() const
{
    return storing_ ? unhurried_commands : 1;
}

void pipeline::take_work(std::vector<waiting>& work)
{
    work.clear();
    std::lock_guard const lock(mutex_);
    work.swap(queue_);
    stats_.waiting.store(0, std::memory_order_relaxed);
}

void pipeline::run_errands()
{
    std::vector<std::move_only_function<void()>> errands;
    {
        std::lock_guard const lock(mutex_);
        errands.swap(errands_);
    }
    for (auto& errand : errands)
        errand();
}

bool pipeline::full(drain const& d) const
{
    return !d.answers.empty() && (d.answers.size() >= options_.drain_commits_max ||
                                  d.batch.GetDataSize() >= options_.drain_bytes_max);
}

void pipeline::make(std::vector<waiting>& work, std::size_t& at, drain& d)
{
    auto const room = guard_.check();
    for (; at < work.size() && !full(d); ++at) {
        auto outcome = failed_ ? result<receipt>(log_failed())
                       : room  ? maker_.make(work[at].s, d)
                               : result<receipt>(std::unexpected(room.error()));
        if (!outcome && outcome.error().code == errc::projection_failed)
            stats_.projection_failures.fetch_add(1, std::memory_order_relaxed);
        d.answers.push_back({std::move(work[at].d), std::move(outcome)});
    }
}

void pipeline::run_syncs()
{
    for (;;) {
        std::unique_ptr<drain> d;
        {
            std::unique_lock lock(mutex_);
            handed_.wait(lock, [this] { return handed_over_ || writer_ended_; });
            if (!handed_over_)
                return;
            d = std::move(handed_over_);
            answering_ = true;
        }
        auto const stored = store_drain(*d);
        {
            std::lock_guard const lock(mutex_);
            storing_ = false;
        }
        wake_.notify_one();
        if (options_.around_answers)
            options_.around_answers([&] { answer(*d); });
        else
            answer(*d);
        if (!stored)
            fatal(stored.error());
        d->clear();
        {
            std::lock_guard const lock(mutex_);
            answering_ = false;
            spare_ = std::move(d);
        }
        wake_.notify_one();
    }
}

/// @returns the error that is the end of this log, once.
result<void> pipeline::store_drain(drain& d)
{
    if (d.commits.empty())
        return {};
    bool const failed_before = failed_;
    auto const written = failed_before ? result<void>() : store_.write(d.batch, true);
    if (failed_before || !written) {
        // What was decided on top of this drain is in no log: nothing may rest on it any more.
        failed_ = true;
        d.commits.clear();
        for (auto& a : d.answers)
            a.outcome = log_failed();
        return written;
    }
    store_.advance(d.next, d.tree);
    stats_.drains.fetch_add(1, std::memory_order_relaxed);
    std::lock_guard const lock(anchor_mutex_);
    durable_size_ = d.next;
    durable_root_ = d.tree.root();
    return {};
}

void pipeline::answer(drain& d)
{
    {
        std::lock_guard const lock(listeners_mutex_);
        for (auto const& c : d.commits) {
            stats_.events.fetch_add(c->events.size(), std::memory_order_relaxed);
            for (auto const& [number, l] : listeners_)
                l(c);
        }
    }
    stats_.commits.fetch_add(d.commits.size(), std::memory_order_relaxed);
    for (auto& a : d.answers) {
        if (!a.outcome)
            stats_.refused.fetch_add(1, std::memory_order_relaxed);
        a.to(std::move(a.outcome));
    }
}

void pipeline::fatal(error const& e)
{
    spdlog::critical("the log cannot be written, nothing more is acknowledged: {}", e.detail);
    {
        std::lock_guard const lock(mutex_);
        stopping_ = true;
    }
    if (options_.on_fatal) {
        options_.on_fatal(e);
        return;
    }
    spdlog::default_logger()->flush();
    std::_Exit(70);
}

void pipeline::write_anchors()
{
    anchor a;
    {
        std::lock_guard const lock(anchor_mutex_);
        a = {durable_size_, durable_root_};
    }
    if (a.size == 0)
        return;
    auto files = options_.anchor_copies;
    files.push_back(store_.dir() / "anchor");
    for (auto const& file : files) {
        auto& anchored = anchored_[file];
        if (anchored == a.size)
            continue;
        if (auto const written = write_anchor(file, a); written)
            anchored = a.size;
        else
            spdlog::error("anchor: {}", written.error().detail); // and again at the next tick
    }
}

void pipeline::run_anchor(std::stop_token stop)
{
    std::mutex m;
    std::condition_variable_any tick;
    std::unique_lock lock(m);
    while (
        !tick.wait_for(lock, stop, options_.anchor_interval, [&] { return stop.stop_requested(); }))
        write_anchors();
}

} // namespace assay::events
