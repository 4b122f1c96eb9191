#pragma once

#include "events/merkle.hpp"
#include "events/submission.hpp"

#include <rocksdb/write_batch.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace assay::events {

/// Commands that are written as one: all of them or, after a crash, none.
struct drain {
    using done = std::move_only_function<void(result<receipt>)>;

    rocksdb::WriteBatch batch;
    std::vector<commit_ptr> commits;
    std::uint64_t next = 0; ///< position after the last of them
    merkle::frontier tree;  ///< over everything up to there

    /// Refusals and repeated answers too wait for the sync: they may rest on what an earlier command
    /// did.
    struct answer {
        done to;
        result<receipt> outcome;
    };

    std::vector<answer> answers;

    /// Empties it for another use. Keeps its memory, but not that of an unusually large batch.
    void clear()
    {
        if (batch.GetDataSize() > batch_kept_max)
            batch = rocksdb::WriteBatch();
        else
            batch.Clear();
        commits.clear();
        answers.clear();
    }

private:
    static constexpr std::size_t batch_kept_max = 1 << 20;
};

} // namespace assay::events
