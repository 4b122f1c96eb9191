#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <span>

namespace assay::projections {

/// Buckets for latencies: every whole microsecond below 64, from there on 32 buckets for each
/// doubling.
///
/// A bucket is at most 1/32 of its lower edge wide, so its middle is within 1.6 % of any value in
/// it. The rule is integer arithmetic only: live and rebuilt histograms are the same.
namespace latency {

constexpr std::uint64_t exact_below = 64;
constexpr unsigned steps_log2 = 5;

[[nodiscard]] constexpr std::uint16_t bucket_of(std::uint64_t us)
{
    if (us < exact_below)
        return static_cast<std::uint16_t>(us);
    auto const shift = static_cast<unsigned>(std::bit_width(us)) - (steps_log2 + 1);
    auto const step = (us >> shift) - (1U << steps_log2);
    return static_cast<std::uint16_t>(exact_below + ((shift - 1) << steps_log2) + step);
}

/// The lowest value of a bucket.
[[nodiscard]] constexpr std::uint64_t lower_edge(std::uint16_t bucket)
{
    if (bucket < exact_below)
        return bucket;
    auto const rest = bucket - exact_below;
    auto const shift = (rest >> steps_log2) + 1;
    return ((1U << steps_log2) + (rest & ((1U << steps_log2) - 1))) << shift;
}

/// The value that stands for a bucket: its middle.
[[nodiscard]] constexpr std::uint64_t middle(std::uint16_t bucket)
{
    if (bucket < exact_below)
        return bucket;
    auto const shift = ((bucket - exact_below) >> steps_log2) + 1;
    return lower_edge(bucket) + (std::uint64_t{1} << shift) / 2;
}

} // namespace latency

struct latency_bucket {
    std::uint16_t bucket = 0;
    std::uint64_t count = 0;
};

/// The value below which the share `p` of the counted ones lies (nearest rank), within 1.6 %.
///
/// @param sorted  ascending by bucket
/// @returns none when nothing was counted.
[[nodiscard]] inline std::optional<std::uint64_t>
latency_quantile(std::span<latency_bucket const> sorted, double p)
{
    std::uint64_t total = 0;
    for (auto const& b : sorted)
        total += b.count;
    if (total == 0)
        return std::nullopt;
    auto const rank = static_cast<std::uint64_t>(p * static_cast<double>(total - 1)) + 1;
    std::uint64_t seen = 0;
    for (auto const& b : sorted) {
        seen += b.count;
        if (seen >= rank)
            return latency::middle(b.bucket);
    }
    return latency::middle(sorted.back().bucket);
}

} // namespace assay::projections
