#pragma once

#include "core/hash.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The Merkle tree of RFC 6962 §2.1 over the log's commits (and, small, over the events of one commit).
namespace assay::events::merkle {

/// SHA-256(0x00 | entry).
[[nodiscard]] digest leaf_hash(std::string_view entry);

/// SHA-256(0x01 | left | right).
[[nodiscard]] digest node_hash(digest const& left, digest const& right);

/// The root over these leaf hashes; of none, SHA-256 of nothing.
[[nodiscard]] digest root_of(std::span<digest const> leaves);

/// Called with every node that becomes complete on a level that is stored: 0, 8, 16 ... (the levels of tlog-tiles).
using node_sink = std::function<void(std::uint8_t level, std::uint64_t index, digest const& hash)>;

/// The right edge of a growing tree: one hash for each complete subtree, largest first. 64 hashes at most.
class frontier {
public:
    [[nodiscard]] std::uint64_t size() const { return size_; }

    /// The root over everything appended.
    [[nodiscard]] digest root() const;

    /// Adds a leaf hash; amortised one node_hash.
    void append(digest const& leaf, node_sink const& sink = {});

    /// Size and hashes, for the meta row.
    [[nodiscard]] std::string bytes() const;
    [[nodiscard]] static result<frontier> from_bytes(std::string_view bytes);

private:
    std::uint64_t size_ = 0;
    std::vector<digest> peaks_;
};

/// Reads a stored node; what it returns for a node that is not there is an error.
using node_source = std::function<result<digest>(std::uint8_t level, std::uint64_t index)>;

/// The root of the first `size` leaves, from stored nodes.
[[nodiscard]] result<digest> root_at(std::uint64_t size, node_source const& nodes);

} // namespace assay::events::merkle
