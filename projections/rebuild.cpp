#include "projections/rebuild.hpp"

#include "projections/overlay.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <rocksdb/write_batch.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

namespace assay::projections {

namespace {

using clock = std::chrono::steady_clock;
using stretch = std::vector<events::commit_ptr>;

constexpr std::uint64_t stretch_commits = 1024;
constexpr std::uint64_t stretches_ahead = 8;
constexpr std::size_t write_bytes = 4 << 20;
constexpr std::chrono::milliseconds progress_every{250};

std::unexpected<error> from_status(rocksdb::Status const& s, std::string_view what)
{
    return fail(s.IsCorruption() ? errc::corrupt : errc::io,
                fmt::format("{}: {}", what, s.ToString()));
}

/// One view's rows under construction. Used by one thread at a time.
class built_view {
public:
    built_view(build_target const& target, build_options const& options)
        : target_(target), staged_bytes_max_(options.staged_bytes),
          rows_([target](std::string_view key) { return read(target, key); }, options.cached_bytes)
    {
    }

    result<void> apply(stretch const& commits)
    {
        for (auto const& c : commits) {
            for (auto const& e : c->events) {
                if (auto done = target_.v->apply(e, rows_); !done)
                    return fail(done.error().code,
                                fmt::format("view {} at position {}: {}", target_.v->name,
                                            c->head.position, done.error().detail));
            }
        }
        if (rows_.staged_bytes() > staged_bytes_max_)
            return write();
        return {};
    }

    /// Writes what is staged and makes it durable.
    result<void> finish()
    {
        ASSAY_CHECK(write());
        auto const s = target_.db->Flush(rocksdb::FlushOptions{}, target_.family);
        return s.ok() ? result<void>{} : from_status(s, "cannot flush a view");
    }

private:
    static result<std::optional<std::string>> read(build_target const& from, std::string_view key)
    {
        std::string value;
        auto const s = from.db->Get({}, from.family, {key.data(), key.size()}, &value);
        if (s.IsNotFound())
            return std::nullopt;
        if (!s.ok())
            return from_status(s, "cannot read a row");
        return value;
    }

    result<void> write()
    {
        rocksdb::WriteOptions options;
        options.disableWAL = true;
        options.memtable_insert_hint_per_batch = true; // the rows come in key order
        rocksdb::WriteBatch batch;
        rocksdb::Status status;
        auto const put_out = [&] {
            if (status.ok())
                status = target_.db->Write(options, &batch);
            batch.Clear();
        };
        rows_.collect(
            [&](std::string_view key, std::optional<std::string_view> value) {
                if (value)
                    batch.Put(target_.family, {key.data(), key.size()},
                              {value->data(), value->size()});
                else
                    batch.Delete(target_.family, {key.data(), key.size()});
                if (batch.GetDataSize() > write_bytes)
                    put_out();
            },
            true);
        put_out();
        if (!status.ok())
            return from_status(status, "cannot write a view's rows");
        rows_.written();
        rows_.trim();
        return {};
    }

    build_target const target_;
    std::size_t const staged_bytes_max_;
    overlay rows_;
};

/// Shares out decoding and applying over threads. Every stretch is decoded once and dropped when
/// all views have had it.
class build {
public:
    build(events::store const& s, std::uint64_t from, std::uint64_t to,
          std::vector<build_target> const& targets, build_options const& options)
        : store_(s), from_(from), to_(to),
          stretches_((to - from + stretch_commits - 1) / stretch_commits), options_(options),
          started_(clock::now())
    {
        for (auto const& t : targets)
            views_.push_back({std::make_unique<built_view>(t, options), 0, false});
    }

    result<std::uint64_t> run()
    {
        auto const wanted =
            options_.threads > 0 ? options_.threads : std::thread::hardware_concurrency();
        {
            std::vector<std::jthread> helpers;
            for (unsigned i = 1; i < std::max(wanted, 1U); ++i)
                helpers.emplace_back([this] { work(); });
            work();
        }
        if (problem_)
            return std::unexpected(std::move(*problem_));
        report(true);
        return events_;
    }

private:
    struct progress_of_view {
        std::unique_ptr<built_view> rows;
        std::uint64_t next = 0; ///< stretch; beyond the last one: finished
        bool busy = false;
    };

    /// What a thread does next. Applying goes before decoding, the view that is furthest behind
    /// before the others.
    struct task {
        enum class kind : std::uint8_t { wait, decode, apply, finish, none };
        kind what = kind::none;
        std::size_t view = 0;
        std::uint64_t number = 0;
        std::shared_ptr<stretch const> commits;
    };

    task next_task()
    {
        if (problem_)
            return {};
        progress_of_view* best = nullptr;
        bool all_finished = true;
        for (auto& v : views_) {
            all_finished = all_finished && v.next > stretches_;
            bool const ready = v.next == stretches_ || decoded_.contains(v.next);
            if (!v.busy && v.next <= stretches_ && ready && (!best || v.next < best->next))
                best = &v;
        }
        if (all_finished)
            return {};
        if (best) {
            best->busy = true;
            auto const index = static_cast<std::size_t>(best - views_.data());
            if (best->next == stretches_)
                return {task::kind::finish, index, best->next, nullptr};
            return {task::kind::apply, index, best->next, decoded_.at(best->next)};
        }
        if (decode_next_ < stretches_ && decode_next_ < slowest() + stretches_ahead)
            return {task::kind::decode, 0, decode_next_++, nullptr};
        return {task::kind::wait, 0, 0, nullptr};
    }

    [[nodiscard]] std::uint64_t slowest() const
    {
        std::uint64_t out = stretches_;
        for (auto const& v : views_)
            out = std::min(out, v.next);
        return out;
    }

    void work()
    {
        std::unique_lock lock(mutex_);
        for (;;) {
            if (options_.stop.stop_requested() && !problem_)
                problem_ = error{errc::cancelled, "asked to stop", "cancelled"};
            auto const t = next_task();
            if (t.what == task::kind::none)
                break;
            if (t.what == task::kind::wait) {
                changed_.wait(lock);
                continue;
            }
            lock.unlock();
            auto done = perform(t);
            lock.lock();
            complete(t, std::move(done));
        }
        changed_.notify_all();
    }

    result<std::shared_ptr<stretch const>> perform(task const& t)
    {
        switch (t.what) {
        case task::kind::decode: return decode(t.number);
        case task::kind::apply: {
            ASSAY_CHECK(views_[t.view].rows->apply(*t.commits));
            return nullptr;
        }
        case task::kind::finish: {
            ASSAY_CHECK(views_[t.view].rows->finish());
            return nullptr;
        }
        case task::kind::wait:
        case task::kind::none: return nullptr;
        }
        std::unreachable();
    }

    void complete(task const& t, result<std::shared_ptr<stretch const>> done)
    {
        if (!done) {
            if (!problem_)
                problem_ = std::move(done.error());
        } else if (t.what == task::kind::decode) {
            for (auto const& c : **done)
                events_ += c->events.size();
            decoded_.emplace(t.number, std::move(*done));
        } else {
            auto& v = views_[t.view];
            v.busy = false;
            ++v.next;
            decoded_.erase(decoded_.begin(), decoded_.lower_bound(slowest()));
            if (clock::now() - reported_ > progress_every)
                report(false);
        }
        changed_.notify_all();
    }

    result<std::shared_ptr<stretch const>> decode(std::uint64_t number) const
    {
        auto out = std::make_shared<stretch>();
        out->reserve(stretch_commits);
        auto const first = from_ + number * stretch_commits;
        ASSAY_CHECK(store_.read_range(first, std::min(to_, first + stretch_commits),
                                      [&](events::commit_ptr const& c) {
                                          out->push_back(c);
                                          return true;
                                      }));
        return out;
    }

    void report(bool end)
    {
        reported_ = clock::now();
        if (!options_.progress)
            return;
        std::chrono::duration<double> const took = reported_ - started_;
        auto const commits = end ? to_ - from_ : std::min(to_ - from_, slowest() * stretch_commits);
        options_.progress({commits, to_ - from_, events_,
                           static_cast<double>(events_) / std::max(took.count(), 1e-9)});
    }

    // Constant after construction.
    events::store const& store_;
    std::uint64_t const from_;
    std::uint64_t const to_;
    std::uint64_t const stretches_;
    build_options const& options_;
    clock::time_point const started_;
    // Guarded by mutex_ (a busy view's rows: by the thread that made it busy).
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<progress_of_view> views_;
    std::map<std::uint64_t, std::shared_ptr<stretch const>> decoded_;
    std::uint64_t decode_next_ = 0;
    std::uint64_t events_ = 0;
    std::optional<error> problem_;
    clock::time_point reported_;
};

/// SHA-256 in steps.
class running_sha256 {
public:
    running_sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free)
    {
        EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
    }

    void add(std::string_view bytes)
    {
        EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size());
    }

    [[nodiscard]] digest finish()
    {
        digest d;
        EVP_DigestFinal_ex(context_.get(), d.bytes.data(), nullptr);
        return d;
    }

private:
    std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

} // namespace

result<std::uint64_t> build_views(events::store const& s, std::uint64_t from, std::uint64_t to,
                                  std::vector<build_target> const& targets,
                                  build_options const& options)
{
    return build(s, from, to, targets, options).run();
}

result<digest> digest_rows(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family,
                           rocksdb::Snapshot const* at)
{
    rocksdb::ReadOptions options;
    options.snapshot = at;
    options.readahead_size = 2 << 20;
    options.fill_cache = false;
    std::unique_ptr<rocksdb::Iterator> const it(db.NewIterator(options, family));
    running_sha256 sum;
    auto const add = [&](rocksdb::Slice part) {
        sum.add(events::be32(static_cast<std::uint32_t>(part.size())));
        sum.add(part.ToStringView());
    };
    for (it->SeekToFirst(); it->Valid(); it->Next()) {
        add(it->key());
        add(it->value());
    }
    if (!it->status().ok())
        return from_status(it->status(), "cannot read a view's rows");
    return sum.finish();
}

} // namespace assay::projections
