#pragma once

#include "core/hash.hpp"
#include "core/result.hpp"
#include "events/store.hpp"
#include "projections/view.hpp"

#include <rocksdb/db.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <vector>

namespace assay::projections {

/// How far a build has come.
struct build_progress {
    std::uint64_t commits = 0;
    std::uint64_t commits_total = 0;
    std::uint64_t events = 0;
    double events_per_s = 0;
};

struct build_options {
    /// Called about four times a second, and at the end; from any thread.
    std::function<void(build_progress const&)> progress{};
    std::stop_token stop{};
    unsigned threads = 0; ///< 0: as many as the machine has
    /// Changed rows held before they are written, for each view.
    std::size_t staged_bytes = 16 << 20;
    /// Rows kept at hand beyond that, for each view.
    std::size_t cached_bytes = 16 << 20;
};

/// Where a view's rows are built.
struct build_target {
    view const* v = nullptr;
    rocksdb::DB* db = nullptr;
    rocksdb::ColumnFamilyHandle* family = nullptr;
};

/// Replays the commits [from, to) into `targets`, whose rows are those of [0, from).
///
/// Threads take turns at two kinds of work: decoding the next stretch of the log, and applying a
/// decoded stretch to one view; views are independent of each other, so each goes through the
/// stretches at its own pace. Rows are written without a write-ahead log in large sorted batches
/// and flushed at the end: after an error or a crash the targets are worth nothing.
///
/// @returns how many events were replayed; errc::cancelled if stopped; a view's error with the
/// position.
[[nodiscard]] result<std::uint64_t> build_views(events::store const& s, std::uint64_t from,
                                                std::uint64_t to,
                                                std::vector<build_target> const& targets,
                                                build_options const& options);

/// SHA-256 over a family's keys and values in order, each with its length before it (be32).
[[nodiscard]] result<digest> digest_rows(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* family,
                                         rocksdb::Snapshot const* at);

} // namespace assay::projections
