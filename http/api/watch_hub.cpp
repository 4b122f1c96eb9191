#include "http/api/watch_hub.hpp"

#include "core/grid_id.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>
#include <ranges>
#include <thread>

namespace assay::api {

namespace {

constexpr std::size_t queued_commits_max = 256;
/// How long a job may hold a thread of the pool for a reader that is behind.
constexpr std::chrono::milliseconds turn{50};

} // namespace

struct watch_hub::watcher {
    watch_request wanted;
    std::shared_ptr<http::sse_stream> stream = std::make_shared<http::sse_stream>();

    // The pump's; one runs at a time.
    std::optional<stream_position> last; ///< newest event sent or passed over
    std::optional<std::chrono::steady_clock::time_point> stuck_since;
    bool finished = false;

    // Guarded by mutex.
    std::mutex mutex;
    std::deque<events::commit_ptr> queue;
    bool from_log = true; ///< what is newer than `last` has to be read from the log first
    bool pumping = false;
};

struct watch_hub::shared {
    engine::engine& engine;
    http::blocking_pool& pool;
    std::atomic<bool> closing{false};
    std::atomic<std::size_t> pumps{0};
};

watch_hub::watch_hub(engine::engine& e, http::blocking_pool& pool)
    : shared_(std::make_shared<shared>(e, pool))
{
    subscription_ = e.pipeline().subscribe([this](events::commit_ptr const& c) { on_commit(c); });
}

watch_hub::~watch_hub()
{
    shared_->engine.pipeline().unsubscribe(subscription_);
    close();
    while (shared_->pumps.load() > 0)
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
}

void watch_hub::close()
{
    shared_->closing = true;
    std::unordered_map<uuid, std::vector<watcher_ptr>> all;
    {
        std::lock_guard const lock(mutex_);
        all.swap(by_test_);
        readers_ = 0;
    }
    for (auto const& [test, watchers] : all)
        for (auto const& w : watchers)
            w->stream->close();
}

bool watch_hub::closing() const
{
    return shared_->closing;
}

std::shared_ptr<http::sse_stream> watch_hub::open(watch_request const& wanted)
{
    auto const w = std::make_shared<watcher>();
    w->wanted = wanted;
    w->last = wanted.after;
    // From now on: what is durable already is passed over. A run that has ended is told of from its
    // beginning, since waiting for an end that has been would last for ever.
    auto const next = shared_->engine.log().next_position();
    if (!w->last && !wanted.run && next > 0)
        w->last = stream_position{next - 1, std::numeric_limits<std::uint32_t>::max()};
    {
        std::lock_guard const lock(mutex_);
        if (shared_->closing) {
            w->stream->close();
            return w->stream;
        }
        by_test_[wanted.test].push_back(w);
        ++readers_;
    }
    w->stream->on_end(
        [this, weak = std::weak_ptr(w), s = std::weak_ptr(shared_), test = wanted.test] {
            auto const self = weak.lock();
            auto const alive = s.lock();
            if (!self || !alive || alive->closing)
                return;
            std::lock_guard const lock(mutex_);
            auto const found = by_test_.find(test);
            if (found == by_test_.end())
                return;
            std::erase(found->second, self);
            --readers_;
            if (found->second.empty())
                by_test_.erase(found);
        });
    schedule(shared_, w);
    return w->stream;
}

void watch_hub::on_commit(events::commit_ptr const& c)
{
    if (readers_.load(std::memory_order_relaxed) == 0)
        return;
    std::lock_guard const lock(mutex_);
    auto const found = by_test_.find(c->head.partition);
    if (found == by_test_.end())
        return;
    for (auto const& w : found->second) {
        {
            std::lock_guard const own(w->mutex);
            if (w->queue.size() >= queued_commits_max) {
                w->queue.clear();
                w->from_log = true;
            } else if (!w->from_log) {
                w->queue.push_back(c);
            }
        }
        schedule(shared_, w);
    }
}

void watch_hub::schedule(std::shared_ptr<shared> const& s, watcher_ptr const& w)
{
    {
        std::lock_guard const lock(w->mutex);
        if (w->pumping)
            return;
        w->pumping = true;
    }
    ++s->pumps;
    s->pool.run([s, w] { pump(s, w); });
}

/// Sends what the reader has not seen and takes. Runs again on the pool while the reader is behind.
void watch_hub::pump(std::shared_ptr<shared> const& s, watcher_ptr const& w)
{
    bool again = false;
    for (bool more = true; more && !again;) {
        bool from_log = false;
        std::deque<events::commit_ptr> fresh;
        {
            std::lock_guard const lock(w->mutex);
            from_log = std::exchange(w->from_log, false);
            if (from_log)
                w->queue.clear();
            fresh.swap(w->queue);
            more =
                (from_log || !fresh.empty()) && !w->finished && !w->stream->ended() && !s->closing;
            w->pumping = more;
        }
        if (!more)
            break;
        bool kept_up = !from_log || catch_up(*s, *w);
        for (auto c = fresh.begin(); kept_up && c != fresh.end(); ++c)
            kept_up = send(*w, **c);
        if (!kept_up) {
            std::lock_guard const lock(w->mutex);
            w->from_log = true;
            again = true;
        }
    }
    if (again && wait_for(*w)) {
        s->pool.run([s, w] { pump(s, w); });
        return;
    }
    --s->pumps;
}

/// Gives a reader that is behind a moment. @returns false when it is out of patience.
bool watch_hub::wait_for(watcher& w)
{
    auto const now = std::chrono::steady_clock::now();
    if (w.stream->wait_for_room(turn)) {
        w.stuck_since.reset();
        return true;
    }
    if (!w.stuck_since)
        w.stuck_since = now;
    if (!w.stream->ended() && now - *w.stuck_since < patience)
        return true;
    // One more event than there is room for: the stream drops its reader.
    w.stream->push({.id = {}, .name = {}, .data = std::string(std::size_t{1} << 20, ' ')});
    std::lock_guard const lock(w.mutex);
    w.pumping = false;
    return false;
}

/// Sends what the log has behind the reader's position. @returns false if there was no room for all
/// of it.
bool watch_hub::catch_up(shared const& s, watcher& w)
{
    std::vector<std::uint64_t> positions;
    auto const collect = [&](std::uint64_t position) {
        if (w.last && position < w.last->position)
            return false;
        positions.push_back(position);
        return true;
    };
    auto const& log = s.engine.log();
    auto const walked =
        w.wanted.cell
            ? log.walk_back({stream_kind::cell,
                             grid_id::make(w.wanted.test, grid_kind::invocation, *w.wanted.cell)},
                            collect)
            : log.walk_partition_back(w.wanted.test, collect);
    if (!walked) {
        spdlog::error("watch: {}", walked.error().detail);
        w.stream->close();
        return true;
    }
    for (auto const position : positions | std::views::reverse) {
        auto const c = log.read(position);
        if (!c) {
            spdlog::error("watch: commit {}: {}", position, c.error().detail);
            w.stream->close();
            return true;
        }
        if (!send(w, **c))
            return false;
        if (w.finished)
            return true;
    }
    return true;
}

/// @returns false if there is no room; then nothing is lost, `last` says where to go on.
bool watch_hub::send(watcher& w, events::commit const& c)
{
    auto const invocation =
        w.wanted.cell
            ? std::optional(grid_id::make(w.wanted.test, grid_kind::invocation, *w.wanted.cell))
            : std::nullopt;
    bool ended = false;
    for (auto const& e : c.events) {
        stream_position const at{c.head.position, e.index};
        if (w.last && at <= *w.last)
            continue;
        bool const wanted = (!invocation || e.stream.id == *invocation) &&
                            (!w.wanted.run || run_of(e.body) == w.wanted.run);
        if (auto const data = wanted ? envelope_of(e) : std::nullopt) {
            auto const id = at.text();
            if (!w.stream->offer({.id = id, .name = {}, .data = *data}))
                return false;
            ended = ended || (w.wanted.run && ends_run(e.body));
        }
        w.last = at;
    }
    if (ended) {
        w.finished = true;
        w.stream->close();
    }
    return true;
}

} // namespace assay::api
