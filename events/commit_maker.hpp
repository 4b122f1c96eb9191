#pragma once

#include "core/domain/command.hpp"
#include "events/drain.hpp"
#include "events/store.hpp"
#include "events/stream_states.hpp"
#include "events/vault.hpp"
#include "events/view_port.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace assay::events {

/// Decides commands one after another and makes their commits.
///
/// It runs ahead of the disk: what it made of earlier drains stands in its caches until it is
/// stored, so the next drain is decided while the last one is being written. It relies on a write
/// that fails being the end of the process.
///
/// Not thread-safe: it belongs to the writer's thread.
class commit_maker {
public:
    /// @param clock  none: the system's
    commit_maker(store& s, vault& v, view_port& views, std::function<instant()> clock,
                 std::size_t state_cache_bytes);

    /// Decides `s` on top of everything made before. A commit joins `d`; a refusal leaves no trace.
    [[nodiscard]] result<receipt> make(submission& s, drain& d);

    /// Completes `d` with the rows that its commits changed. When it is called, every drain sealed
    /// before is stored.
    void seal(drain& d);

private:
    using fresh_answers = std::unordered_map<digest, std::pair<std::uint64_t, std::string>>;

    [[nodiscard]] result<std::optional<receipt>> earlier_answer(submission const& s) const;
    [[nodiscard]] result<std::optional<std::pair<std::uint64_t, std::string>>>
    keyed_commit(digest const& key) const;
    [[nodiscard]] result<void> check_expectations(submission const& s);
    [[nodiscard]] result<receipt> commit_decision(submission& s, footprint const& f,
                                                  partition_state& state, decision made, drain& d);

    store& store_;
    vault& vault_;
    view_port& views_;
    std::function<instant()> const clock_;
    std::size_t const state_cache_bytes_;
    stream_states states_;
    merkle::frontier tree_;
    std::uint64_t next_ = 0;
    instant last_at_;
    // Position and record by idempotency key, of commits that are not stored yet.
    fresh_answers answers_;        ///< of the drain that is being made
    fresh_answers sealed_answers_; ///< of the one before
    std::unordered_set<digest> recent_blobs_;
};

} // namespace assay::events
