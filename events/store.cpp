#include "events/store.hpp"

#include "core/pack.hpp"
#include "events/anchor.hpp"
#include "events/stream_row.hpp"

#include <fmt/format.h>
#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace assay::events {

namespace {

constexpr std::array<char const*, family_count> family_names{"log",  "streams", "idempotency",
                                                             "tree", "blobs",   "meta"};
constexpr std::string_view view_prefix = "view/";
constexpr std::string_view format_key = "format";
constexpr std::string_view opened_key =
    "opened"; // be64 position up to which density is known, be64 time

/// One byte of table and the 64 bits that the ids of a test's cells share.
constexpr std::size_t hint_prefix_bytes = 9;

/// Of the whole directory; the record format has a number of its own.
constexpr std::string_view directory_format = "1";

std::unexpected<error> from_status(rocksdb::Status const& s, std::string_view what)
{
    return fail(s.IsCorruption() ? errc::corrupt : errc::io,
                fmt::format("{}: {}", what, s.ToString()));
}

rocksdb::ColumnFamilyOptions family_options(std::string_view name, store_options const& options,
                                            std::shared_ptr<rocksdb::Cache> const& cache)
{
    rocksdb::ColumnFamilyOptions o;
    o.write_buffer_size = options.memtable_bytes;
    // A drain's rows come in key order: the place of the last with the same beginning is a good start
    // to look for the next one's. Half the time of a drain's inserts.
    if (name != "log")
        o.memtable_insert_with_hint_prefix_extractor.reset(
            rocksdb::NewCappedPrefixTransform(name == "tree" ? 1 : hint_prefix_bytes));
    // LZ4 reads twice as fast as zstd on this log (3.9 against 2.0 million records/s).
    o.compression = rocksdb::kLZ4Compression;
    rocksdb::BlockBasedTableOptions table;
    table.block_cache = cache;
    table.block_size = 16 * 1024;
    // The log and the tree are read in order or at positions that exist; everything else asks for
    // keys that may be absent.
    if (name != "log" && name != "tree")
        table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
    table.cache_index_and_filter_blocks = true; // memory stays within the cache's bound
    o.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
    return o;
}

rocksdb::DBOptions database_options(store_options const& options)
{
    rocksdb::DBOptions o;
    if (options.env)
        o.env = options.env;
    o.create_if_missing = options.create;
    o.create_missing_column_families = !options.read_only;
    // Point-in-time recovery, the default, drops a synced tail silently after damage in the middle (rocksdb#6963).
    o.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
    o.db_write_buffer_size = 3 * options.memtable_bytes; // over all families
    o.max_total_wal_size = 256 << 20;
    o.max_background_jobs = 2;
    o.max_open_files = 512;
    o.keep_log_file_num = 4;
    o.bytes_per_sync = 1 << 20;
    return o;
}

std::string read_text(std::filesystem::path const& file)
{
    auto text = read_file(file);
    return text ? *text : std::string{};
}

} // namespace

std::string be64(std::uint64_t value)
{
    std::string out(8, '\0');
    for (std::size_t i = 8; i-- > 0; value >>= 8)
        out[i] = static_cast<char>(value);
    return out;
}

std::string be32(std::uint32_t value)
{
    std::string out(4, '\0');
    for (std::size_t i = 4; i-- > 0; value >>= 8)
        out[i] = static_cast<char>(value);
    return out;
}

std::uint64_t read_be64(std::string_view key)
{
    std::uint64_t out = 0;
    for (std::size_t i = 0; i < 8; ++i)
        out = out << 8 | static_cast<unsigned char>(key[i]);
    return out;
}

std::uint32_t read_be32(std::string_view key)
{
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < 4; ++i)
        out = out << 8 | static_cast<unsigned char>(key[i]);
    return out;
}

store::store(std::filesystem::path dir, store_options options)
    : dir_(std::move(dir)), options_(options)
{
}

store::~store()
{
    if (db_) {
        for (auto* h : handles_) {
            if (h)
                db_->DestroyColumnFamilyHandle(h);
        }
        for (auto& [name, h] : view_families_)
            db_->DestroyColumnFamilyHandle(h);
        db_->Close();
    }
    if (lock_ >= 0)
        ::close(lock_);
}

result<std::unique_ptr<store>> store::open(std::filesystem::path const& dir, store_options options)
{
    if (options.create && !options.read_only)
        ASSAY_CHECK(make_directories(dir / "db"));
    if (!std::filesystem::is_directory(dir))
        return fail(errc::io, fmt::format("{} is not a directory", dir.string()));
    std::unique_ptr<store> s(new store(dir, options));
    ASSAY_CHECK(s->open_database());
    ASSAY_CHECK(s->check_format());
    ASSAY_CHECK(s->check_log());
    return s;
}

result<void> store::open_database()
{
    if (!options_.read_only) {
        auto const file = dir_ / "lock";
        lock_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
        if (lock_ < 0)
            return fail(errc::io,
                        fmt::format("cannot open {}: {}", file.string(), std::strerror(errno)));
        if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
            auto const holder = read_text(dir_ / "holder");
            return fail(errc::conflict,
                        fmt::format("{} is in use{}", dir_.string(),
                                    holder.empty() ? " by another process" : " by " + holder),
                        "directory_in_use");
        }
    }

    auto const path = (dir_ / "db").string();
    auto const cache = rocksdb::NewLRUCache(options_.cache_bytes);
    auto const db_options = database_options(options_);
    std::vector<std::string> names;
    auto const listed = rocksdb::DB::ListColumnFamilies(db_options, path, &names);
    if (!listed.ok() && (options_.read_only || !options_.create))
        return from_status(listed, "no log in " + dir_.string());

    std::vector<rocksdb::ColumnFamilyDescriptor> descriptors;
    descriptors.emplace_back(rocksdb::kDefaultColumnFamilyName, rocksdb::ColumnFamilyOptions{});
    for (auto const* name : family_names)
        descriptors.emplace_back(name, family_options(name, options_, cache));
    for (auto const& name : names) {
        if (name.starts_with(view_prefix))
            descriptors.emplace_back(name, family_options(name, options_, cache));
    }
    cache_ = cache;

    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* db = nullptr;
    auto const opened =
        options_.read_only
            ? rocksdb::DB::OpenForReadOnly(db_options, path, descriptors, &handles, &db)
            : rocksdb::DB::Open(db_options, path, descriptors, &handles, &db);
    if (!opened.ok())
        return from_status(opened, "cannot open the log in " + dir_.string() +
                                       " (assay audit verify names what is damaged)");
    db_.reset(db);
    db_->DestroyColumnFamilyHandle(handles[0]);
    for (std::size_t i = 0; i < family_count; ++i)
        handles_[i] = handles[i + 1];
    for (std::size_t i = family_count + 1; i < handles.size(); ++i)
        view_families_.emplace(descriptors[i].name, handles[i]);
    return {};
}

result<void> store::check_format()
{
    ASSAY_TRY(auto format, get(family::meta, format_key));
    if (!format) {
        if (options_.read_only)
            return fail(errc::corrupt,
                        "the directory has no format mark; it is empty or was never opened");
        rocksdb::WriteBatch batch;
        batch.Put(handle(family::meta), rocksdb::Slice(format_key),
                  rocksdb::Slice(directory_format));
        return write(batch, true);
    }
    if (*format != directory_format)
        return fail(errc::unavailable,
                    fmt::format("{} has format {}; this is assay {}, which reads format {}",
                                dir_.string(), *format, ASSAY_VERSION, directory_format),
                    "newer_format");
    return {};
}

result<void> store::check_log()
{
    ASSAY_TRY(auto row, get(family::meta, "tree"));
    if (row) {
        ASSAY_TRY(tree_, merkle::frontier::from_bytes(*row));
    }
    auto const size = tree_.size();

    ASSAY_TRY(auto opened, get(family::meta, opened_key));
    if (opened && opened->size() == 16)
        previous_ = {read_be64(*opened),
                     static_cast<std::int64_t>(read_be64(std::string_view(*opened).substr(8)))};
    auto const dense_to = previous_.position;
    // A write-ahead log cut short opens without complaint and leaves a hole: every position since
    // the last check is looked at.
    if (dense_to > size)
        return fail(errc::corrupt,
                    fmt::format("the log ends at {} and once reached {}", size, dense_to),
                    "log_hole");
    std::uint64_t expected = dense_to;
    bool strange = false;
    ASSAY_CHECK(
        scan(handle(family::log), {}, be64(dense_to), [&](std::string_view key, std::string_view) {
            strange = key != be64(expected);
            expected += strange ? 0 : 1;
            return !strange;
        }));
    if (expected < size)
        return fail(errc::corrupt,
                    fmt::format("position {} is missing from the log; the tree has {} commits",
                                expected, size),
                    "log_hole");
    if (expected > size || strange)
        return fail(errc::corrupt,
                    fmt::format("the log has a row beyond its end; the tree has {} commits", size),
                    "log_hole");
    auto const root_of_first = [this](std::uint64_t n) {
        return merkle::root_at(
            n, [this](std::uint8_t level, std::uint64_t index) { return tree_node(level, index); });
    };
    ASSAY_TRY(auto stored_root, root_of_first(size));
    if (stored_root != tree_.root())
        return fail(errc::corrupt, "the tree's nodes do not have the root of its frontier",
                    "tree_root");

    if (options_.check_anchor) {
        ASSAY_TRY(auto kept, read_anchor(dir_ / "anchor"));
        if (kept && kept->size > size)
            return fail(
                errc::corrupt,
                fmt::format(
                    "the log has {} commits, its anchor saw {}: commits were lost or an older "
                    "copy was put in place",
                    size, kept->size),
                "behind_anchor");
        if (kept) {
            ASSAY_TRY(auto root, root_of_first(kept->size));
            if (root != kept->root)
                return fail(errc::corrupt, "the log does not have the root that its anchor saw",
                            "anchor_root");
        }
    }
    if (!options_.read_only) {
        auto const now = std::chrono::system_clock::now().time_since_epoch();
        auto const us = std::chrono::duration_cast<std::chrono::microseconds>(now).count();
        rocksdb::WriteBatch batch;
        batch.Put(handle(family::meta), rocksdb::Slice(opened_key),
                  be64(size) + be64(static_cast<std::uint64_t>(us)));
        ASSAY_CHECK(write(batch, true));
    }
    next_.store(size, std::memory_order_release);
    return {};
}

result<digest> store::tree_node(std::uint8_t level, std::uint64_t index) const
{
    ASSAY_TRY(auto row, get(family::tree, tree_key(level, index)));
    if (!row || row->size() != 32)
        return fail(errc::corrupt, fmt::format("the tree's node {}/{} is missing", level, index));
    return digest::from_raw(*row);
}

std::string store::tree_key(std::uint8_t level, std::uint64_t index)
{
    return std::string(1, static_cast<char>(level)) + be64(index);
}

snapshot store::take_snapshot() const
{
    return {db_->GetSnapshot(),
            [db = db_.get()](rocksdb::Snapshot const* s) { db->ReleaseSnapshot(s); }};
}

result<std::optional<std::string>> store::get(family f, std::string_view key,
                                              snapshot const& at) const
{
    return get(handle(f), key, at);
}

result<std::optional<std::string>> store::get(rocksdb::ColumnFamilyHandle* f, std::string_view key,
                                              snapshot const& at) const
{
    rocksdb::ReadOptions options;
    options.snapshot = at.get();
    rocksdb::PinnableSlice value;
    auto const s = db_->Get(options, f, key, &value);
    if (s.IsNotFound())
        return std::nullopt;
    if (!s.ok())
        return from_status(s, "cannot read a row");
    return value.ToString();
}

result<void> store::scan(rocksdb::ColumnFamilyHandle* f, std::string_view prefix,
                         std::string_view from,
                         std::function<bool(std::string_view, std::string_view)> const& visit,
                         snapshot const& at) const
{
    rocksdb::ReadOptions options;
    options.snapshot = at.get();
    std::unique_ptr<rocksdb::Iterator> const it(db_->NewIterator(options, f));
    for (it->Seek(from.empty() ? prefix : from); it->Valid(); it->Next()) {
        auto const key = it->key().ToStringView();
        if (!key.starts_with(prefix) || !visit(key, it->value().ToStringView()))
            break;
    }
    if (!it->status().ok())
        return from_status(it->status(), "cannot scan rows");
    return {};
}

result<std::string> store::record_bytes(std::uint64_t position) const
{
    ASSAY_TRY(auto row, get(family::log, be64(position)));
    if (!row)
        return fail(errc::not_found, fmt::format("the log has no position {}", position));
    return std::move(*row);
}

result<commit_ptr> store::read(std::uint64_t position) const
{
    ASSAY_TRY(auto bytes, record_bytes(position));
    return read_commit(bytes);
}

result<void>
store::scan_records(std::uint64_t from, std::uint64_t to,
                    std::function<bool(std::uint64_t, std::string_view)> const& visit) const
{
    rocksdb::ReadOptions options;
    // A stretch of a rebuild is about a megabyte: more would be read and thrown away.
    options.readahead_size = 512 << 10;
    options.fill_cache = false; // one pass over everything must not push out what queries use
    std::unique_ptr<rocksdb::Iterator> const it(db_->NewIterator(options, handle(family::log)));
    auto expected = from;
    for (it->Seek(be64(from)); it->Valid() && expected < to; it->Next(), ++expected) {
        if (it->key().ToStringView() != be64(expected))
            return fail(errc::corrupt, fmt::format("position {} is missing from the log", expected),
                        "log_hole");
        if (!visit(expected, it->value().ToStringView()))
            return {};
    }
    if (!it->status().ok())
        return from_status(it->status(),
                           fmt::format("cannot read the log after position {}", expected));
    if (expected < std::min(to, next_position()))
        return fail(errc::corrupt, fmt::format("position {} is missing from the log", expected),
                    "log_hole");
    return {};
}

result<void> store::read_range(std::uint64_t from, std::uint64_t to,
                               std::function<bool(commit_ptr const&)> const& visit) const
{
    std::optional<error> problem;
    ASSAY_CHECK(scan_records(from, to, [&](std::uint64_t position, std::string_view bytes) {
        auto c = read_commit(bytes);
        if (!c) {
            problem = std::move(c.error());
            problem->detail = fmt::format("position {}: {}", position, problem->detail);
            return false;
        }
        return visit(*c);
    }));
    if (problem)
        return std::unexpected(std::move(*problem));
    return {};
}

result<void> store::walk_back(stream_id const& stream,
                              std::function<bool(std::uint64_t)> const& visit) const
{
    ASSAY_TRY(auto row, get(family::streams, stream_key(stream)));
    if (!row)
        return {};
    ASSAY_TRY(auto head, read_stream_row(*row));
    auto const name = stream.text();
    for (std::optional<std::uint64_t> at = head.head; at;) {
        if (!visit(*at))
            return {};
        ASSAY_TRY(auto e, read_envelope_at(*at));
        auto const found = std::find_if(e.streams.begin(), e.streams.end(),
                                        [&](envelope_stream const& s) { return s.id == name; });
        if (found == e.streams.end())
            return fail(errc::corrupt, fmt::format("position {} does not name {}", *at, name));
        at = found->previous;
    }
    return {};
}

result<void> store::walk_partition_back(uuid const& partition,
                                        std::function<bool(std::uint64_t)> const& visit) const
{
    ASSAY_TRY(auto row, get(family::streams, partition_key(partition)));
    if (!row)
        return {};
    for (std::optional<std::uint64_t> at = read_be64(*row); at;) {
        if (!visit(*at))
            return {};
        ASSAY_TRY(auto e, read_envelope_at(*at));
        at = e.previous;
    }
    return {};
}

result<envelope> store::read_envelope_at(std::uint64_t position) const
{
    ASSAY_TRY(auto bytes, record_bytes(position));
    ASSAY_TRY(auto parts, read_record(bytes));
    return codec::from_json<envelope>(parts.entry);
}

result<rocksdb::ColumnFamilyHandle*> store::view_family(std::string const& name,
                                                        std::uint64_t generation)
{
    auto const full = fmt::format("{}{}/{}", view_prefix, name, generation);
    std::lock_guard const lock(families_mutex_);
    if (auto const found = view_families_.find(full); found != view_families_.end())
        return found->second;
    if (options_.read_only)
        return fail(errc::not_found, full + " is not there");
    rocksdb::ColumnFamilyHandle* h = nullptr;
    auto const s = db_->CreateColumnFamily(family_options(full, options_, cache_), full, &h);
    if (!s.ok())
        return from_status(s, "cannot make " + full);
    return view_families_.emplace(full, h).first->second;
}

std::vector<std::uint64_t> store::view_generations(std::string const& name) const
{
    auto const prefix = fmt::format("{}{}/", view_prefix, name);
    std::vector<std::uint64_t> out;
    std::lock_guard const lock(families_mutex_);
    for (auto const& [full, h] : view_families_) {
        std::uint64_t generation = 0;
        auto const* const end = full.data() + full.size();
        if (full.starts_with(prefix) &&
            std::from_chars(full.data() + prefix.size(), end, generation).ptr == end)
            out.push_back(generation);
    }
    return out;
}

result<void> store::drop_view_family(std::string const& name, std::uint64_t generation)
{
    auto const full = fmt::format("{}{}/{}", view_prefix, name, generation);
    std::lock_guard const lock(families_mutex_);
    auto const found = view_families_.find(full);
    if (found == view_families_.end())
        return {};
    auto const s = db_->DropColumnFamily(found->second);
    if (!s.ok())
        return from_status(s, "cannot drop " + full);
    db_->DestroyColumnFamilyHandle(found->second);
    view_families_.erase(found);
    return {};
}

result<void> store::write(rocksdb::WriteBatch& batch, bool sync)
{
    rocksdb::WriteOptions options;
    options.sync = sync;
    auto const s = db_->Write(options, &batch);
    if (!s.ok())
        return from_status(s, "cannot write");
    return {};
}

void store::advance(std::uint64_t next, merkle::frontier tree)
{
    tree_ = std::move(tree);
    next_.store(next, std::memory_order_release);
}

} // namespace assay::events
