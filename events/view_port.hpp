#pragma once

#include "core/result.hpp"
#include "events/recorded.hpp"

#include <rocksdb/write_batch.h>

namespace assay::events {

/// What the commit pipeline asks of the views; projections implements it.
///
/// All functions are called by the writer's thread only: stage once a commit, collect once a drain.
class view_port {
public:
    virtual ~view_port() = default;

    /// Works out what `c` changes in every view, on top of what this drain has staged before.
    ///
    /// @returns the view's error; then nothing of this commit stays staged, and the commit is not written.
    [[nodiscard]] virtual result<void> stage(commit const& c) = 0;

    /// Adds everything staged since the last call to the batch that also holds the log. When it is
    /// called, what was collected before is stored; should this batch not be, nothing is asked of
    /// the views any more.
    virtual void collect(rocksdb::WriteBatch& batch) = 0;
};

/// For logs without views: offline tools and tests of the log alone.
class no_views final : public view_port {
public:
    [[nodiscard]] result<void> stage(commit const&) override { return {}; }

    void collect(rocksdb::WriteBatch&) override {}
};

} // namespace assay::events
