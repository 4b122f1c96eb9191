#pragma once

#include "core/domain/command.hpp"
#include "core/domain/state.hpp"
#include "core/result.hpp"
#include "events/store.hpp"
#include "events/stream_row.hpp"

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

namespace assay::events {

/// Changes whenever the shape of a folded state does; the rows are then folded again from the log at open.
constexpr std::uint32_t states_schema = 2;

/// The folded streams, as the writer reads and writes them: rows of the family `streams` behind a cache.
///
/// Rows that are not stored yet are nowhere but in the cache, so `trim` has its moments.
/// Not thread-safe: it belongs to the writer's thread (or to the one that rebuilds).
class stream_states {
public:
    /// A stream as it stands.
    struct known {
        std::uint64_t version = 0;         ///< 0: it does not exist
        std::optional<std::uint64_t> head; ///< position that wrote to it last
        /// A test's state is a box of its own: there are many cells to a test, and they are small.
        std::variant<std::monostate, workspace_state, api_key_state, item_state,
                     std::unique_ptr<test_state>, cell_state, note_state>
            state;
    };

    explicit stream_states(store const& s) : store_(s) {}

    /// @returns what is valid until the next `keep` or `trim`.
    [[nodiscard]] result<known const*> load(stream_id const& id);

    /// Everything that a decision over `streams` looks at.
    [[nodiscard]] result<partition_state> assemble(uuid const& workspace,
                                                   std::span<stream_id const> streams);

    /// Position of the newest commit in a partition.
    [[nodiscard]] result<std::optional<std::uint64_t>> partition_head(uuid const& partition);

    /// One stream that a commit wrote to.
    struct touched {
        stream_id id;
        std::uint64_t version = 0; ///< after the commit
    };

    /// Notes what the commit at `position` changes: its streams, the partition's head, and, since a
    /// cell's event moves the counts of its test, the test's row. What it changes must have been
    /// loaded since the last `trim`.
    void keep(uuid const& partition, std::span<touched const> streams, partition_state const& state,
              std::uint64_t position);

    /// Streams that were changed since the last `collect`.
    [[nodiscard]] std::size_t changed() const { return changed_.size(); }

    /// Puts the rows that were changed since the last call into `batch`, each once and in key order.
    void collect(rocksdb::WriteBatch& batch);

    /// Forgets the oldest until at most `bytes` are held or one comes that was changed since the last
    /// `collect`; what was collected must be stored by now.
    void trim(std::size_t bytes);

private:
    struct cached {
        stream_id id;
        known stream;
        std::size_t bytes = 0;
        bool changed = false; ///< since the last `collect`
    };

    using cache = std::list<cached>; ///< touched last, first

    struct id_hash {
        std::size_t operator()(stream_id const& s) const noexcept
        {
            return std::hash<uuid>()(s.id) + static_cast<std::size_t>(s.kind);
        }
    };

    cached* find(stream_id const& id);
    cached& remember(stream_id const& id, known stream);
    void change(stream_id const& id, known stream);
    void mark(cached& c);

    store const& store_;
    cache cache_;
    std::unordered_map<stream_id, cache::iterator, id_hash> by_id_;
    std::size_t bytes_ = 0;
    std::unordered_map<uuid, std::uint64_t> heads_;
    std::vector<cached*> changed_; ///< in cache_
    std::vector<uuid> changed_heads_;
};

/// Folds all streams again from the log and replaces their rows. For a store that nobody writes to.
///
/// @param progress  called now and then with the commits done; may be empty
[[nodiscard]] result<void> rebuild_states(store& s,
                                          std::function<void(std::uint64_t)> const& progress = {});

/// Rebuilds the rows if they were written in another shape. @returns whether it did.
[[nodiscard]] result<bool> ensure_states(store& s);

} // namespace assay::events
