#pragma once

#include "core/statistics.hpp"

#include <boost/describe.hpp>

#include <cstdint>

namespace assay::projections {

/// Scores added up so that any of them can be taken out again: integers only, 128 bits for the
/// squares.
struct score_total {
    std::uint64_t n = 0;
    std::uint64_t passed = 0;
    std::uint64_t sum = 0;          ///< in millionths
    std::uint64_t squares_low = 0;  ///< of the sum of squares, in millionths squared
    std::uint64_t squares_high = 0; ///< its upper half: times 2^64

    void add(std::uint32_t score_ppm, bool is_passed)
    {
        auto const square = std::uint64_t{score_ppm} * score_ppm;
        ++n;
        passed += is_passed ? 1 : 0;
        sum += score_ppm;
        squares_low += square;
        squares_high += squares_low < square ? 1 : 0;
    }

    /// Takes out what was added before.
    void remove(std::uint32_t score_ppm, bool is_passed)
    {
        auto const square = std::uint64_t{score_ppm} * score_ppm;
        --n;
        passed -= is_passed ? 1 : 0;
        sum -= score_ppm;
        squares_high -= squares_low < square ? 1 : 0;
        squares_low -= square;
    }

    /// What core/statistics.hpp computes means and intervals from. Beyond 18 million scores it
    /// stands for a part of them with the same mean and spread, so that the interval comes out
    /// wider than it could be, never narrower.
    [[nodiscard]] statistics::score_sums sums() const
    {
        auto const part = squares_high + 1;
        // (high * 2^64 + low) / part fits 64 bits; the remainder of high * 2^64 is lost in the
        // spread's last digits.
        auto const squares =
            squares_high == 0 ? squares_low
                              : static_cast<std::uint64_t>((static_cast<long double>(squares_high) *
                                                                18446744073709551616.0L +
                                                            static_cast<long double>(squares_low)) /
                                                           static_cast<long double>(part));
        return {n / part, static_cast<std::int64_t>(sum / part), squares};
    }

    friend bool operator==(score_total const&, score_total const&) = default;
};
BOOST_DESCRIBE_STRUCT(score_total, (), (n, passed, sum, squares_low, squares_high))

} // namespace assay::projections
