#include "projections/audit.hpp"

#include "core/hash.hpp"

#include <fmt/format.h>
#include <rocksdb/db.h>

#include <atomic>
#include <memory>
#include <unistd.h>

namespace assay::projections {

namespace {

std::unexpected<error> from_status(rocksdb::Status const& s, std::string_view what)
{
    return fail(s.IsCorruption() ? errc::corrupt : errc::io,
                fmt::format("{}: {}", what, s.ToString()));
}

/// A database of its own for the replayed rows; gone when the audit is.
class scratch_database {
public:
    scratch_database() = default;
    scratch_database(scratch_database const&) = delete;
    scratch_database& operator=(scratch_database const&) = delete;

    ~scratch_database()
    {
        for (auto* f : families_)
            db_->DestroyColumnFamilyHandle(f);
        db_.reset();
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    result<void> open(std::filesystem::path const& parent, std::span<view const> views)
    {
        static std::atomic<unsigned> count{0};
        path_ = parent / fmt::format("assay-replay-{}-{}", ::getpid(), ++count);
        std::error_code ec;
        if (!std::filesystem::create_directories(path_, ec))
            return fail(errc::io, fmt::format("cannot make {}: {}", path_.string(), ec.message()));
        rocksdb::Options options;
        options.create_if_missing = true;
        options.compression = rocksdb::kLZ4Compression;
        options.db_write_buffer_size = 64 << 20;
        rocksdb::DB* db = nullptr;
        if (auto const s = rocksdb::DB::Open(options, path_.string(), &db); !s.ok())
            return from_status(s, "cannot open " + path_.string());
        db_.reset(db);
        for (auto const& v : views) {
            rocksdb::ColumnFamilyHandle* f = nullptr;
            if (auto const s = db_->CreateColumnFamily(options, v.name, &f); !s.ok())
                return from_status(s, "cannot make rows of " + v.name);
            families_.push_back(f);
        }
        return {};
    }

    [[nodiscard]] rocksdb::DB& db() const { return *db_; }

    [[nodiscard]] rocksdb::ColumnFamilyHandle* family(std::size_t view) const
    {
        return families_[view];
    }

private:
    std::filesystem::path path_;
    std::unique_ptr<rocksdb::DB> db_;
    std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

std::string key_text(std::string_view key)
{
    std::string out(key.substr(0, 1));
    auto rest = key.substr(1);
    if (rest.size() >= 16) {
        out += " " + uuid::from_raw(rest).text();
        rest.remove_prefix(16);
    }
    if (!rest.empty())
        out += " " + to_hex(rest);
    return out;
}

/// Walks two families side by side.
class comparison {
public:
    comparison(view const& v, rocksdb::Iterator& stored, rocksdb::Iterator& replayed,
               std::size_t rows_max, audited_view& found)
        : view_(v), stored_(stored), replayed_(replayed), rows_max_(rows_max), found_(found)
    {
    }

    result<void> run()
    {
        stored_.SeekToFirst();
        replayed_.SeekToFirst();
        while (stored_.Valid() || replayed_.Valid())
            step();
        for (auto const* it : {&stored_, &replayed_}) {
            if (!it->status().ok())
                return from_status(it->status(), "cannot read rows of " + view_.name);
        }
        return {};
    }

private:
    void step()
    {
        auto const order = !stored_.Valid()     ? 1
                           : !replayed_.Valid() ? -1
                                                : stored_.key().compare(replayed_.key());
        if (order != 0 || stored_.value() != replayed_.value())
            differ(order <= 0 ? &stored_ : nullptr, order >= 0 ? &replayed_ : nullptr);
        ++found_.rows;
        if (order <= 0)
            stored_.Next();
        if (order >= 0)
            replayed_.Next();
    }

    void differ(rocksdb::Iterator const* stored, rocksdb::Iterator const* replayed)
    {
        ++found_.differing;
        if (found_.first.size() >= rows_max_)
            return;
        auto const key = (stored ? stored : replayed)->key().ToStringView();
        auto const text = [&](rocksdb::Iterator const* it) {
            return it ? std::optional(view_.describe(key, it->value().ToStringView()))
                      : std::nullopt;
        };
        found_.first.push_back({key_text(key), text(stored), text(replayed)});
    }

    view const& view_;
    rocksdb::Iterator& stored_;
    rocksdb::Iterator& replayed_;
    std::size_t const rows_max_;
    audited_view& found_;
};

} // namespace

bool replay_report::clean() const
{
    return std::all_of(views.begin(), views.end(),
                       [](auto const& v) { return v.serving && v.differing == 0; });
}

result<replay_report> audit_replay(events::store const& s, snapshot_reader const& at,
                                   audit_options const& options)
{
    scratch_database scratch;
    ASSAY_CHECK(scratch.open(options.scratch.empty() ? std::filesystem::temp_directory_path()
                                                     : options.scratch,
                             options.views));
    std::vector<build_target> targets;
    for (std::size_t i = 0; i < options.views.size(); ++i)
        targets.push_back({&options.views[i], &scratch.db(), scratch.family(i)});

    replay_report report;
    report.commits = at.next_position();
    ASSAY_TRY(report.events, build_views(s, 0, report.commits, targets, options.build));

    rocksdb::ReadOptions of_store;
    of_store.snapshot = at.snapshot().get();
    of_store.fill_cache = false;
    for (std::size_t i = 0; i < options.views.size(); ++i) {
        auto const& v = options.views[i];
        auto const& serving = i < at.serving().size() ? at.serving()[i] : nullptr;
        report.views.push_back({v.name, serving != nullptr, 0, 0, {}});
        if (!serving)
            continue;
        std::unique_ptr<rocksdb::Iterator> const stored(
            s.db().NewIterator(of_store, serving->family()));
        std::unique_ptr<rocksdb::Iterator> const replayed(
            scratch.db().NewIterator({}, scratch.family(i)));
        ASSAY_CHECK(comparison(v, *stored, *replayed, options.rows_max, report.views.back()).run());
    }
    return report;
}

} // namespace assay::projections
