#pragma once

#include "core/result.hpp"
#include "events/merkle.hpp"
#include "events/record.hpp"
#include "events/recorded.hpp"

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/write_batch.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace assay::events {

/// The families of rows in the database. Views add their own, see `store::view_family`.
enum class family : std::uint8_t {
    log,         ///< be64 position -> commit record (events/log_format.md)
    streams,     ///< stream -> version, head, folded state; partition -> head
    idempotency, ///< scope hash -> position
    tree,        ///< level, be64 index -> node hash
    blobs,       ///< workspace, address -> sealed bytes
    meta,        ///< format, tree frontier, views in service, ...
};

constexpr std::size_t family_count = 6;

struct store_options {
    bool read_only = false;                ///< for audits of a stopped or copied directory
    bool create = true;                    ///< make the directory when it is not there
    std::size_t cache_bytes = 64 << 20;    ///< RocksDB's block cache
    std::size_t memtable_bytes = 32 << 20; ///< per family
    bool check_anchor = true;
    rocksdb::Env* env =
        nullptr; ///< files of the database; none: the system's. Tests let it fail. Outlives the store
};

/// A consistent picture of the database; reads through it see one position.
using snapshot = std::shared_ptr<rocksdb::Snapshot const>;

/// The data directory's database: opens it, checks that the log is whole, reads it.
///
/// On open the positions since the previous opening are checked dense up to the tree's size, the
/// root of the stored nodes is
/// checked against the frontier, and both against the anchor file. Nothing is ever repaired.
///
/// Thread-safe for reading. `write` belongs to the pipeline (and, for a view's own rows, to the projector).
/// On disk: events/log_format.md.
class store {
public:
    /// @returns errc::corrupt with the position if the log has a hole, a root that does not fit, or
    /// is behind its anchor,
    ///          errc::conflict if another process holds the directory (`detail` names its URL when it serves one),
    ///          errc::unavailable if a newer version wrote the directory (`detail` says which),
    ///          errc::io for what the operating system refuses.
    [[nodiscard]] static result<std::unique_ptr<store>> open(std::filesystem::path const& dir,
                                                             store_options options = {});

    ~store();
    store(store const&) = delete;
    store& operator=(store const&) = delete;

    [[nodiscard]] std::filesystem::path const& dir() const { return dir_; }

    [[nodiscard]] store_options const& options() const { return options_; }

    /// The position that the next commit gets; how many there are.
    [[nodiscard]] std::uint64_t next_position() const
    {
        return next_.load(std::memory_order_acquire);
    }

    /// The tree over all commits. Only the writer's thread may call this while a pipeline runs.
    [[nodiscard]] merkle::frontier const& tree() const { return tree_; }

    [[nodiscard]] snapshot take_snapshot() const;

    /// A row; none if it is not there. Through `at`, as it was then.
    [[nodiscard]] result<std::optional<std::string>> get(family f, std::string_view key,
                                                         snapshot const& at = {}) const;
    [[nodiscard]] result<std::optional<std::string>>
    get(rocksdb::ColumnFamilyHandle* f, std::string_view key, snapshot const& at = {}) const;

    /// Rows in key order from `from` (inclusive) while `visit` returns true and keys start with `prefix`.
    [[nodiscard]] result<void>
    scan(rocksdb::ColumnFamilyHandle* f, std::string_view prefix, std::string_view from,
         std::function<bool(std::string_view key, std::string_view value)> const& visit,
         snapshot const& at = {}) const;

    /// The raw record of one commit, or errc::not_found.
    [[nodiscard]] result<std::string> record_bytes(std::uint64_t position) const;

    /// One commit, decoded and upcast. errc::not_found beyond the end.
    [[nodiscard]] result<commit_ptr> read(std::uint64_t position) const;

    /// All commits of [from, to) in order, until `visit` returns false. Reads ahead; for whole-log work.
    [[nodiscard]] result<void>
    read_range(std::uint64_t from, std::uint64_t to,
               std::function<bool(commit_ptr const&)> const& visit) const;

    /// The same without decoding: position and record bytes.
    [[nodiscard]] result<void>
    scan_records(std::uint64_t from, std::uint64_t to,
                 std::function<bool(std::uint64_t, std::string_view)> const& visit) const;

    /// Positions of the commits that wrote to `stream` (or, with `partition`, to any stream of it),
    /// newest first, while `visit` returns true.
    [[nodiscard]] result<void> walk_back(stream_id const& stream,
                                         std::function<bool(std::uint64_t)> const& visit) const;
    [[nodiscard]] result<void>
    walk_partition_back(uuid const& partition,
                        std::function<bool(std::uint64_t)> const& visit) const;

    /// Where the log stood when the directory was opened before this time, and when that was: what
    /// a crash can have left
    /// half done is younger.
    struct opening {
        std::uint64_t position = 0;
        std::int64_t at_us = 0;
    };

    [[nodiscard]] opening previous_opening() const { return previous_; }

    /// The envelope of one commit.
    [[nodiscard]] result<envelope> read_envelope_at(std::uint64_t position) const;

    /// A stored node of the tree (levels 0, 8, 16 ...).
    [[nodiscard]] result<digest> tree_node(std::uint8_t level, std::uint64_t index) const;
    [[nodiscard]] static std::string tree_key(std::uint8_t level, std::uint64_t index);

    // ---- families of views ----

    /// The family of generation `generation` of view `name`; made when it is not there (not in read-only mode).
    [[nodiscard]] result<rocksdb::ColumnFamilyHandle*> view_family(std::string const& name,
                                                                   std::uint64_t generation);

    /// Every generation of a view that exists.
    [[nodiscard]] std::vector<std::uint64_t> view_generations(std::string const& name) const;

    [[nodiscard]] result<void> drop_view_family(std::string const& name, std::uint64_t generation);

    // ---- for the writer ----

    [[nodiscard]] rocksdb::ColumnFamilyHandle* handle(family f) const
    {
        return handles_[static_cast<std::size_t>(f)];
    }

    [[nodiscard]] rocksdb::DB& db() const { return *db_; }

    /// Writes `batch`; with `sync`, returns after it is on stable storage. errc::io is final: never try again.
    [[nodiscard]] result<void> write(rocksdb::WriteBatch& batch, bool sync);

    /// What the writer has just made durable.
    void advance(std::uint64_t next, merkle::frontier tree);

private:
    store(std::filesystem::path dir, store_options options);
    [[nodiscard]] result<void> open_database();
    [[nodiscard]] result<void> check_format();
    [[nodiscard]] result<void> check_log();

    // Constant after open.
    std::filesystem::path const dir_;
    store_options const options_;
    int lock_ = -1;
    opening previous_;
    std::shared_ptr<rocksdb::Cache> cache_;
    std::unique_ptr<rocksdb::DB> db_;
    std::array<rocksdb::ColumnFamilyHandle*, family_count> handles_{};
    // Guarded by families_mutex_.
    mutable std::mutex families_mutex_;
    std::map<std::string, rocksdb::ColumnFamilyHandle*> view_families_;
    // The writer's.
    merkle::frontier tree_;
    std::atomic<std::uint64_t> next_{0};
};

/// Big-endian bytes, so that keys sort as numbers do.
[[nodiscard]] std::string be64(std::uint64_t value);
[[nodiscard]] std::string be32(std::uint32_t value);
[[nodiscard]] std::uint64_t read_be64(std::string_view key);
[[nodiscard]] std::uint32_t read_be32(std::string_view key);

} // namespace assay::events
