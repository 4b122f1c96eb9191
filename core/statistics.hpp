#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

/// The numbers behind every error bar and every verdict. Pure functions, safe to call from any
/// thread.
///
/// Scores are integers in millionths of the maximum (-1'000'000 .. 1'000'000 for differences);
/// rates, means and intervals are fractions of one. References are given at each function; the
/// tests hold these functions against SciPy and statsmodels (tests/data/statistics/make_values.py).
namespace assay::statistics {

/// A confidence interval: `low` <= `high`.
struct interval {
    double low;
    double high;
};

/// Two-sided 95 % point of the normal distribution.
inline constexpr double z95 = 1.959963984540054;

/// Below this p a comparison counts as decided.
inline constexpr double alpha = 0.05;

// Rates

/// Score interval of a binomial proportion (Wilson 1927, JASA 22:209), without continuity
/// correction.
///
/// @param passed  at most `n`.
/// @param z       normal quantile of the wanted level.
/// @returns [0, 1] when `n` is 0: nothing is known.
[[nodiscard]] interval wilson(std::uint64_t passed, std::uint64_t n, double z = z95);

/// Estimates without bias the chance that at least one of `k` answers passes, from `passed` of `n`
/// (Chen et al. 2021, arXiv 2107.03374, eq. 1): 1 - C(n-passed, k) / C(n, k).
///
/// @returns nothing unless 1 <= k <= n and passed <= n.
[[nodiscard]] std::optional<double> pass_at_k(std::uint64_t n, std::uint64_t passed,
                                              std::uint64_t k);

/// Estimates without bias the chance that all of `k` answers pass, from `passed` of `n` (Yao et al.
/// 2024, arXiv 2406.12045): C(passed, k) / C(n, k).
///
/// @returns nothing unless 1 <= k <= n and passed <= n.
[[nodiscard]] std::optional<double> pass_hat_k(std::uint64_t n, std::uint64_t passed,
                                               std::uint64_t k);

// Means

/// What a view keeps of a set of scores so that mean and interval can be computed on read: integers
/// only, so that live and rebuilt views are equal byte for byte. Holds up to 18 million scores (the
/// squares fill 64 bits).
struct score_sums {
    std::uint64_t n = 0;
    std::int64_t sum = 0;             ///< of the scores, in millionths
    std::uint64_t sum_of_squares = 0; ///< of the scores, in millionths squared

    /// Takes in one score of -1'000'000 .. 1'000'000.
    void add(std::int64_t score);

    /// Takes out a score that was added before, as a re-grade does.
    void remove(std::int64_t score);

    friend bool operator==(score_sums const&, score_sums const&) = default;
};

/// A mean with its uncertainty; what cannot be known from so few values is absent.
struct mean_estimate {
    std::uint64_t n;                      ///< scores behind it
    std::optional<double> mean;           ///< absent when `n` is 0
    std::optional<double> standard_error; ///< absent below two scores (or two clusters)
    std::optional<interval> bounds;       ///< 95 %, by Student's t; absent with `standard_error`
};

/// Mean with the standard error of the mean and its 95 % t interval (n-1 degrees of freedom).
[[nodiscard]] mean_estimate mean(score_sums const& sums);

/// One score and the scenario (or other group of answers that rise and fall together) it belongs
/// to.
struct clustered_score {
    std::uint64_t cluster;
    std::int64_t score; ///< in millionths
};

/// Mean with the clustered standard error of Miller 2024 (arXiv 2411.00640, eq. 4); the 95 % t
/// interval has one degree of freedom less than there are clusters. With one score per cluster it
/// equals `mean`.
[[nodiscard]] mean_estimate mean_clustered(std::span<clustered_score const> scores);

/// Sample quantile by linear interpolation between order statistics (type 7 of Hyndman and Fan
/// 1996, the default of R and NumPy), in the unit of the values.
///
/// @param sorted  ascending.
/// @param p       0 .. 1.
/// @returns nothing when `sorted` is empty.
[[nodiscard]] std::optional<double> quantile(std::span<std::int64_t const> sorted, double p);

// Two runs over the same cases

/// What a comparison says about the candidate, held against the baseline.
enum class verdict : std::uint8_t { better = 1, worse, cannot_tell };

/// "better", "worse" or "cannot tell".
[[nodiscard]] std::string_view name(verdict v);

/// How many cases two runs passed, case by case.
struct paired_counts {
    std::uint64_t both = 0;           ///< passed by both
    std::uint64_t baseline_only = 0;  ///< McNemar's b
    std::uint64_t candidate_only = 0; ///< McNemar's c
    std::uint64_t neither = 0;

    /// Takes in one case.
    void add(bool baseline_passed, bool candidate_passed);

    [[nodiscard]] std::uint64_t n() const
    {
        return both + baseline_only + candidate_only + neither;
    }
};

/// Exact two-sided p of McNemar's test: the binomial test of `b` against `c` discordant pairs at
/// one half. Counts of any size; 1 when `b` equals `c`, 0 where the true value is below the
/// smallest double.
[[nodiscard]] double mcnemar(std::uint64_t b, std::uint64_t c);

/// Interval of the difference of two paired proportions, candidate minus baseline: method 10 of
/// Newcombe 1998 (Stat. Med. 17:2635), Wilson intervals of the margins joined with a
/// continuity-corrected phi. Never leaves [-1, 1], is not of width zero when nothing is discordant,
/// and swaps signs when the two runs swap places.
///
/// @returns [-1, 1] without pairs.
[[nodiscard]] interval newcombe_paired(paired_counts const& counts, double z = z95);

/// Two runs compared by passed and failed.
struct paired_comparison {
    paired_counts counts;
    double difference; ///< pass rate of the candidate minus that of the baseline
    interval bounds;   ///< 95 %, `newcombe_paired`
    double p;          ///< `mcnemar`
    verdict outcome; ///< by `p` and `alpha` alone; the interval may differ from it on the very edge
};

/// Compares two runs by passed and failed, case by case.
[[nodiscard]] paired_comparison compare_paired(paired_counts const& counts);

/// Derives the seed of a comparison from the ids of what is compared. The order of `ids` does not
/// matter, so that comparing two runs the other way round mirrors the interval exactly.
[[nodiscard]] std::uint64_t seed_from(std::span<std::string_view const> ids);

/// Scores of one case under two runs, in millionths.
struct score_pair {
    std::int64_t baseline;
    std::int64_t candidate;
};

/// Two runs compared by score.
struct score_comparison {
    std::uint64_t n;
    std::optional<double> difference; ///< mean of candidate minus baseline; absent without pairs
    std::optional<interval> bounds;   ///< 95 %; absent below two pairs
    double p;                         ///< 1 without pairs
    verdict outcome; ///< decided only where `p` is below `alpha` and `bounds` leaves out zero
};

inline constexpr std::uint32_t resamples_default = 10'000;

/// Compares two runs by the mean difference of their scores.
///
/// The interval is the percentile interval of the paired bootstrap, the order statistics
/// floor((B+1)a) from either end (Efron and Tibshirani 1993, §13.3). As that is too narrow for a
/// handful of pairs, the p comes from the randomisation test that flips the sign of each difference
/// (Edgington 1980), which cannot decide anything from five pairs or fewer.
///
/// All arithmetic up to the last division is on integers, with a generator of our own
/// (xoshiro256**), so the same pairs and seed give the same bits on every machine. Takes O(pairs *
/// resamples): about 0.1 s for 5,000 pairs.
///
/// @param pairs  one per case, fewer than 2^32; where a case has repeats, their mean is its score.
[[nodiscard]] score_comparison compare_scores(std::span<score_pair const> pairs, std::uint64_t seed,
                                              std::uint32_t resamples = resamples_default);

} // namespace assay::statistics
