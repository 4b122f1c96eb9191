#include "core/statistics.hpp"

#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/beta.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <string_view>
#include <vector>

namespace assay::statistics {

namespace {

__extension__ using int128 = __int128;

constexpr double millionths = 1'000'000;

/// Boost.Math that answers NaN or infinity where it would throw; promotion to long double is off,
/// as it differs between machines.
using quiet = boost::math::policies::policy<
    boost::math::policies::domain_error<boost::math::policies::ignore_error>,
    boost::math::policies::pole_error<boost::math::policies::ignore_error>,
    boost::math::policies::overflow_error<boost::math::policies::ignore_error>,
    boost::math::policies::evaluation_error<boost::math::policies::ignore_error>,
    boost::math::policies::promote_double<false>>;

double t_quantile(std::uint64_t degrees_of_freedom)
{
    boost::math::students_t_distribution<double, quiet> const t(
        static_cast<double>(degrees_of_freedom));
    return quantile(complement(t, alpha / 2));
}

interval around(double middle, double standard_error, std::uint64_t degrees_of_freedom)
{
    double const reach = t_quantile(degrees_of_freedom) * standard_error;
    return {middle - reach, middle + reach};
}

std::uint64_t splitmix64(std::uint64_t& state)
{
    state += 0x9E3779B97F4A7C15U;
    std::uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
}

/// xoshiro256** 1.0 (Blackman and Vigna 2018, arXiv 1805.01407). Ours, because the standard's
/// distributions give other numbers in every library.
class generator {
public:
    explicit generator(std::uint64_t seed)
    {
        for (auto& word : state_)
            word = splitmix64(seed);
    }

    std::uint64_t bits()
    {
        std::uint64_t const drawn = std::rotl(state_[1] * 5, 7) * 9;
        std::uint64_t const shifted = state_[1] << 17;
        state_[2] ^= state_[0];
        state_[3] ^= state_[1];
        state_[1] ^= state_[2];
        state_[0] ^= state_[3];
        state_[2] ^= shifted;
        state_[3] = std::rotl(state_[3], 45);
        return drawn;
    }

    /// Uniform in 0 .. n-1, without bias (Lemire 2019, arXiv 1805.10941). `threshold` is 2^32 mod
    /// n.
    std::uint32_t below(std::uint32_t n, std::uint32_t threshold)
    {
        while (true) {
            std::uint64_t const product = (bits() >> 32) * n;
            if (static_cast<std::uint32_t>(product) >= threshold)
                return static_cast<std::uint32_t>(product >> 32);
        }
    }

private:
    std::array<std::uint64_t, 4> state_;
};

/// Sums of `resamples` resamples of `values` with replacement.
std::vector<std::int64_t> resample_sums(std::span<std::int64_t const> values, generator& random,
                                        std::uint32_t resamples)
{
    auto const n = static_cast<std::uint32_t>(values.size());
    auto const threshold = static_cast<std::uint32_t>((std::uint64_t{1} << 32) % n);
    std::vector<std::int64_t> sums(resamples);
    for (auto& sum : sums) {
        for (std::uint32_t i = 0; i < n; ++i)
            sum += values[random.below(n, threshold)];
    }
    return sums;
}

/// Share of random sign assignments whose sum is at least as far from zero as the one seen, itself
/// among them.
double sign_flip_p(std::span<std::int64_t const> values, generator& random, std::uint32_t resamples)
{
    std::int64_t seen = 0;
    for (auto const value : values)
        seen += value;

    std::uint32_t extreme = 1;
    for (std::uint32_t r = 0; r < resamples; ++r) {
        std::int64_t sum = 0;
        std::uint64_t signs = 0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (i % 64 == 0)
                signs = random.bits();
            sum += (signs & 1) != 0 ? values[i] : -values[i];
            signs >>= 1;
        }
        if (std::abs(sum) >= std::abs(seen))
            ++extreme;
    }
    return static_cast<double>(extreme) / (static_cast<double>(resamples) + 1);
}

verdict direction(double difference)
{
    if (difference == 0)
        return verdict::cannot_tell;
    return difference > 0 ? verdict::better : verdict::worse;
}

} // namespace

interval wilson(std::uint64_t passed, std::uint64_t n, double z)
{
    if (n == 0)
        return {0, 1};
    auto const count = static_cast<double>(n);
    double const rate = static_cast<double>(passed) / count;
    double const zz = z * z / count;
    double const middle = rate + zz / 2;
    double const reach = z * std::sqrt((rate * (1 - rate) + zz / 4) / count);
    // At the ends the limits are exactly 0 and 1; rounding would miss them by a unit.
    return {passed == 0 ? 0 : std::max(0.0, (middle - reach) / (1 + zz)),
            passed == n ? 1 : std::min(1.0, (middle + reach) / (1 + zz))};
}

std::optional<double> pass_at_k(std::uint64_t n, std::uint64_t passed, std::uint64_t k)
{
    if (k == 0 || k > n || passed > n)
        return std::nullopt;
    if (n - passed < k)
        return 1;
    // C(n-c, k) / C(n, k) as a sum of logarithms: the product form loses its small complement to
    // rounding.
    double log_none = 0;
    for (std::uint64_t i = n - passed + 1; i <= n; ++i)
        log_none += std::log1p(-static_cast<double>(k) / static_cast<double>(i));
    return -std::expm1(log_none);
}

std::optional<double> pass_hat_k(std::uint64_t n, std::uint64_t passed, std::uint64_t k)
{
    if (k == 0 || k > n || passed > n)
        return std::nullopt;
    if (passed < k)
        return 0;
    double chance = 1;
    for (std::uint64_t i = 0; i < k; ++i)
        chance *= static_cast<double>(passed - i) / static_cast<double>(n - i);
    return chance;
}

void score_sums::add(std::int64_t score)
{
    n += 1;
    sum += score;
    sum_of_squares += static_cast<std::uint64_t>(score * score);
}

void score_sums::remove(std::int64_t score)
{
    n -= 1;
    sum -= score;
    sum_of_squares -= static_cast<std::uint64_t>(score * score);
}

mean_estimate mean(score_sums const& sums)
{
    mean_estimate estimate{sums.n, {}, {}, {}};
    if (sums.n == 0)
        return estimate;
    auto const n = static_cast<double>(sums.n);
    estimate.mean = static_cast<double>(sums.sum) / n / millionths;
    if (sums.n == 1)
        return estimate;

    // n * sum(x^2) - sum(x)^2 in 128 bits: exact, so nothing cancels.
    int128 const spread = static_cast<int128>(sums.n) * static_cast<int128>(sums.sum_of_squares) -
                          static_cast<int128>(sums.sum) * sums.sum;
    double const variance = static_cast<double>(spread) / n / (n - 1);
    estimate.standard_error = std::sqrt(variance / n) / millionths;
    estimate.bounds = around(*estimate.mean, *estimate.standard_error, sums.n - 1);
    return estimate;
}

mean_estimate mean_clustered(std::span<clustered_score const> scores)
{
    score_sums sums;
    for (auto const& score : scores)
        sums.add(score.score);
    mean_estimate estimate = mean(sums);
    estimate.standard_error.reset();
    estimate.bounds.reset();

    std::vector<clustered_score> sorted(scores.begin(), scores.end());
    std::sort(sorted.begin(), sorted.end(), [](auto const& a, auto const& b) {
        return a.cluster != b.cluster ? a.cluster < b.cluster : a.score < b.score;
    });
    double squares = 0;          // over all scores, of the deviation from the mean
    double squares_clusters = 0; // over all clusters, of the summed deviation
    std::uint64_t clusters = 0;
    for (std::size_t i = 0; i < sorted.size();) {
        double deviation = 0;
        auto const cluster = sorted[i].cluster;
        for (; i < sorted.size() && sorted[i].cluster == cluster; ++i) {
            double const d = static_cast<double>(sorted[i].score) / millionths - *estimate.mean;
            deviation += d;
            squares += d * d;
        }
        squares_clusters += deviation * deviation;
        ++clusters;
    }
    if (clusters < 2)
        return estimate;

    auto const n = static_cast<double>(estimate.n);
    double const variance = squares / (n * (n - 1)) + (squares_clusters - squares) / (n * n);
    // Members that pull against each other can bring the sum below zero by rounding, never by more.
    estimate.standard_error = std::sqrt(std::max(0.0, variance));
    estimate.bounds = around(*estimate.mean, *estimate.standard_error, clusters - 1);
    return estimate;
}

std::optional<double> quantile(std::span<std::int64_t const> sorted, double p)
{
    if (sorted.empty())
        return std::nullopt;
    double const rank = std::clamp(p, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
    auto const below = static_cast<std::size_t>(rank);
    auto const low = static_cast<double>(sorted[below]);
    auto const high = static_cast<double>(sorted[std::min(below + 1, sorted.size() - 1)]);
    return low + (rank - static_cast<double>(below)) * (high - low);
}

std::string_view name(verdict v)
{
    switch (v) {
    case verdict::better: return "better";
    case verdict::worse: return "worse";
    case verdict::cannot_tell: return "cannot tell";
    }
    return {};
}

void paired_counts::add(bool baseline_passed, bool candidate_passed)
{
    if (baseline_passed)
        ++(candidate_passed ? both : baseline_only);
    else
        ++(candidate_passed ? candidate_only : neither);
}

double mcnemar(std::uint64_t b, std::uint64_t c)
{
    if (b == c)
        return 1;
    auto const fewer = static_cast<double>(std::min(b, c));
    auto const more = static_cast<double>(std::max(b, c));
    // P(X <= k) for X ~ Binomial(n, 1/2) is the regularised incomplete beta I_{1/2}(n - k, k + 1).
    return std::min(1.0, 2 * boost::math::ibeta(more, fewer + 1, 0.5, quiet{}));
}

interval newcombe_paired(paired_counts const& counts, double z)
{
    auto const n = counts.n();
    if (n == 0)
        return {-1, 1};
    auto const baseline_passed = counts.both + counts.baseline_only;
    auto const candidate_passed = counts.both + counts.candidate_only;
    auto const count = static_cast<double>(n);
    double const baseline = static_cast<double>(baseline_passed) / count;
    double const candidate = static_cast<double>(candidate_passed) / count;
    auto const [baseline_low, baseline_high] = wilson(baseline_passed, n, z);
    auto const [candidate_low, candidate_high] = wilson(candidate_passed, n, z);

    auto const product = [](std::uint64_t x, std::uint64_t y) {
        return static_cast<double>(x) * static_cast<double>(y);
    };
    double const margins = std::sqrt(product(baseline_passed, n - baseline_passed)) *
                           std::sqrt(product(candidate_passed, n - candidate_passed));
    double association =
        product(counts.both, counts.neither) - product(counts.baseline_only, counts.candidate_only);
    if (association > 0)
        association = std::max(0.0, association - count / 2);
    double const phi = margins > 0 ? association / margins : 0;

    auto const join = [phi](double x, double y) {
        return std::sqrt(std::max(0.0, x * x - 2 * phi * x * y + y * y));
    };
    double const difference = candidate - baseline;
    return {
        std::max(-1.0, difference - join(candidate - candidate_low, baseline_high - baseline)),
        std::min(1.0, difference + join(candidate_high - candidate, baseline - baseline_low)),
    };
}

paired_comparison compare_paired(paired_counts const& counts)
{
    auto const b = static_cast<double>(counts.baseline_only);
    auto const c = static_cast<double>(counts.candidate_only);
    double const difference = counts.n() == 0 ? 0 : (c - b) / static_cast<double>(counts.n());
    double const p = mcnemar(counts.baseline_only, counts.candidate_only);
    return {counts, difference, newcombe_paired(counts), p,
            p < alpha ? direction(difference) : verdict::cannot_tell};
}

std::uint64_t seed_from(std::span<std::string_view const> ids)
{
    std::vector<std::string_view> sorted(ids.begin(), ids.end());
    std::sort(sorted.begin(), sorted.end());
    std::uint64_t hash = 0xCBF29CE484222325U; // FNV-1a, each id ended by a zero byte
    auto const take = [&hash](unsigned char byte) { hash = (hash ^ byte) * 0x100000001B3U; };
    for (auto const id : sorted) {
        for (char const c : id)
            take(static_cast<unsigned char>(c));
        take(0);
    }
    return splitmix64(hash);
}

score_comparison compare_scores(std::span<score_pair const> pairs, std::uint64_t seed,
                                std::uint32_t resamples)
{
    score_comparison comparison{pairs.size(), {}, {}, 1, verdict::cannot_tell};
    if (pairs.empty() || resamples == 0)
        return comparison;
    std::vector<std::int64_t> differences;
    differences.reserve(pairs.size());
    std::int64_t total = 0;
    for (auto const& pair : pairs) {
        differences.push_back(pair.candidate - pair.baseline);
        total += differences.back();
    }
    auto const n = static_cast<std::int64_t>(pairs.size());
    auto const to_mean = [scale = static_cast<double>(n * 1'000'000)](std::int64_t sum) {
        return static_cast<double>(sum) / scale;
    };
    comparison.difference = to_mean(total);
    if (n == 1)
        return comparison;

    generator random(seed);
    auto sums = resample_sums(differences, random, resamples);
    std::sort(sums.begin(), sums.end());
    auto const rank = std::max<std::uint64_t>(1, (std::uint64_t{resamples} + 1) * 25 / 1000);
    comparison.bounds = interval{to_mean(sums[rank - 1]), to_mean(sums[resamples - rank])};
    comparison.p = sign_flip_p(differences, random, resamples);
    bool const leaves_out_zero = comparison.bounds->low > 0 || comparison.bounds->high < 0;
    if (comparison.p < alpha && leaves_out_zero)
        comparison.outcome = direction(*comparison.difference);
    return comparison;
}

} // namespace assay::statistics
