#include "events/merkle.hpp"

#include "core/pack.hpp"

#include <bit>

namespace assay::events::merkle {

namespace {

constexpr unsigned stored_levels = 8; // every eighth level is stored

/// The hash of the complete subtree of 2^level leaves at `index`.
result<digest> subtree(unsigned level, std::uint64_t index, node_source const& nodes)
{
    if (level % stored_levels == 0)
        return nodes(static_cast<std::uint8_t>(level), index);
    ASSAY_TRY(auto left, subtree(level - 1, index * 2, nodes));
    ASSAY_TRY(auto right, subtree(level - 1, index * 2 + 1, nodes));
    return node_hash(left, right);
}

/// Folds peaks, largest first, into one root.
digest fold(std::vector<digest> const& peaks)
{
    if (peaks.empty())
        return sha256({});
    auto root = peaks.back();
    for (auto i = peaks.size() - 1; i-- > 0;)
        root = node_hash(peaks[i], root);
    return root;
}

} // namespace

digest leaf_hash(std::string_view entry)
{
    return sha256(std::string_view("\0", 1), entry);
}

digest node_hash(digest const& left, digest const& right)
{
    return sha256("\x01", left.raw(), right.raw());
}

digest root_of(std::span<digest const> leaves)
{
    frontier tree;
    for (auto const& leaf : leaves)
        tree.append(leaf);
    return tree.root();
}

digest frontier::root() const
{
    return fold(peaks_);
}

void frontier::append(digest const& leaf, node_sink const& sink)
{
    auto hash = leaf;
    auto index = size_;
    unsigned level = 0;
    if (sink)
        sink(0, index, hash);
    // Each set bit of the size is a complete subtree that the new leaf now fills up to the next one.
    while (index & 1) {
        hash = node_hash(peaks_.back(), hash);
        peaks_.pop_back();
        index >>= 1;
        ++level;
        if (sink && level % stored_levels == 0)
            sink(static_cast<std::uint8_t>(level), index, hash);
    }
    peaks_.push_back(hash);
    ++size_;
}

std::string frontier::bytes() const
{
    std::string out;
    pack::write(size_, out);
    pack::write(peaks_, out);
    return out;
}

result<frontier> frontier::from_bytes(std::string_view bytes)
{
    frontier f;
    if (!pack::detail::read_into(bytes, f.size_) || !pack::detail::read_into(bytes, f.peaks_) ||
        !bytes.empty() || std::popcount(f.size_) != static_cast<int>(f.peaks_.size()))
        return fail(errc::corrupt, "the tree's frontier does not have its shape");
    return f;
}

result<digest> root_at(std::uint64_t size, node_source const& nodes)
{
    std::vector<digest> peaks;
    std::uint64_t from = 0;
    for (int level = 63; level >= 0; --level) {
        auto const width = std::uint64_t{1} << level;
        if (!(size & width))
            continue;
        ASSAY_TRY(auto peak, subtree(static_cast<unsigned>(level), from >> level, nodes));
        peaks.push_back(peak);
        from += width;
    }
    return fold(peaks);
}

} // namespace assay::events::merkle
