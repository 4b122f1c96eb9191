#pragma once

#include "events/recorded.hpp"
#include "events/store.hpp"

#include <vector>

namespace assay::test {

/// Writes commits into the log of a store as the pipeline would, without views and without a sync:
/// for tests and measurements that need a log of a given content.
class log_writer {
public:
    explicit log_writer(events::store& s) : store_(s), tree_(s.tree()), next_(s.next_position()) {}

    ~log_writer();
    log_writer(log_writer const&) = delete;
    log_writer& operator=(log_writer const&) = delete;

    /// `c` must have the next position.
    void append(events::commit const& c);

    /// Makes everything so far readable.
    void flush();

private:
    events::store& store_;
    events::merkle::frontier tree_;
    std::uint64_t next_;
    rocksdb::WriteBatch batch_;
};

} // namespace assay::test
