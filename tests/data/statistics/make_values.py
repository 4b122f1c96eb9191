#!/usr/bin/env python3
"""Makes values.json, which tests/core/statistics_test.cpp holds the statistics of core against.

    python3 -m venv /tmp/values && /tmp/values/bin/pip install numpy==2.4.6 scipy==1.17.1 statsmodels==0.15.0
    /tmp/values/bin/python tests/data/statistics/make_values.py > tests/data/statistics/values.json

What SciPy or statsmodels has comes from there. The bootstrap's random numbers are ours, so its golden values come from a
second implementation below; SciPy's own bootstrap and permutation test stand beside them as what they must be close to.
"""

import itertools
import json
import math
from fractions import Fraction

import numpy as np
import scipy
import statsmodels
import statsmodels.api as sm
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

VERSIONS = {"numpy": "2.4.6", "scipy": "1.17.1", "statsmodels": "0.15.0"}
assert {m.__name__: m.__version__ for m in (np, scipy, statsmodels)} == VERSIONS
MILLION = 1_000_000


def wilson():
    cases = [(0, 1), (1, 1), (0, 10), (10, 10), (1, 10), (5, 10), (81, 263), (15, 148), (0, 20), (1, 29), (29, 29),
             (286, 1319), (515, 1319), (458, 1319), (742, 1319), (1, 1_000_000), (999_999, 1_000_000), (333_333_333, 10**9)]
    for (passed, n), z in itertools.product(cases, (1.6448536269514722, 1.959963984540054, 2.5758293035489004)):
        low, high = proportion_confint(passed, n, alpha=2 * stats.norm.sf(z), method="wilson")
        yield {"passed": passed, "n": n, "z": z, "low": low, "high": high}


def mcnemar_p():
    for b, c in [(0, 0), (1, 0), (0, 5), (0, 6), (5, 0), (1, 9), (2, 8), (10, 10), (6, 16), (7, 1), (59, 6), (400, 300), (300, 400),
                 (350, 350), (351, 349), (1000, 900), (5000, 4800), (500_000, 499_000), (1_000_000, 1_000_001), (30, 0), (900, 100)]:
        p = mcnemar([[0, b], [c, 0]], exact=True).pvalue if b + c else 1.0
        assert b + c == 0 or math.isclose(p, stats.binomtest(b, b + c, 0.5).pvalue, rel_tol=1e-7)
        yield {"b": b, "c": c, "p": min(1.0, float(p))}


def newcombe(a, b, c, d, z):
    """Method 10 of Newcombe 1998, Stat. Med. 17:2635, as Altman et al. 2000, p. 52 work it out: the first run minus the second."""
    n = a + b + c + d
    level = 2 * stats.norm.sf(z)
    p1, p2 = (a + b) / n, (a + c) / n
    l1, u1 = proportion_confint(a + b, n, alpha=level, method="wilson")
    l2, u2 = proportion_confint(a + c, n, alpha=level, method="wilson")
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    numerator = a * d - b * c
    if numerator > 0:
        numerator = max(numerator - n / 2, 0)
    phi = numerator / math.sqrt(margins) if margins else 0
    lower = math.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
    upper = math.sqrt((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2)
    return p1 - p2 - lower, p1 - p2 + upper


def paired():
    # Bentur 2009 and Cavo 2012 as in Fagerland, Lydersen, Laake 2014; Altman 2000, table 6.2; the four models of GSM8K.
    # The published intervals: Newcombe 1998, table II; Altman et al. 2000, p. 52; Fagerland et al. 2014, table VI.
    for table, published in {(36, 12, 2, 0): (0.0569, 0.3404), (14, 5, 0, 22): (0.011, 0.226), (1, 1, 7, 12): (-0.507, -0.026)}.items():
        assert np.allclose(newcombe(*table, 1.959963984540054), published, atol=5e-4)
    tables = [(1, 1, 7, 12), (59, 6, 16, 80), (14, 5, 0, 22), (0, 0, 0, 5), (5, 0, 0, 0), (0, 5, 0, 0), (0, 0, 7, 0), (3, 0, 0, 4),
              (0, 4, 3, 0), (10, 1, 1, 10), (212, 12, 9, 256), (36, 12, 2, 0), (200, 86, 315, 718), (500_000, 2_000, 1_500, 496_500)]
    for both, b, c, neither in tables:
        for z in (1.959963984540054, 2.5758293035489004):
            low, high = newcombe(both, c, b, neither, z)
            yield {"both": both, "b": b, "c": c, "neither": neither, "z": z, "difference": (c - b) / (both + b + c + neither),
                   "low": low, "high": high}


def samples():
    rng = np.random.default_rng(20241100640)
    yield [0, MILLION]
    yield [250_000, 250_000, 250_000]
    yield [0, 1, 2, 3, 4, 5, MILLION]
    yield [int(x) for x in rng.integers(0, MILLION + 1, 50)]
    yield [int(x) * MILLION for x in rng.integers(0, 2, 1319)]
    yield [int(x) for x in rng.integers(-MILLION, MILLION + 1, 200)]


def means():
    for values in samples():
        x = np.array(values) / MILLION
        error = stats.sem(x)
        low, high = stats.t.interval(0.95, len(x) - 1, loc=x.mean(), scale=error) if error > 0 else (x.mean(), x.mean())
        yield {"values": values, "mean": x.mean(), "standard_error": error, "low": low, "high": high}


def clustered():
    rng = np.random.default_rng(7)
    for clusters, most in [(2, 3), (10, 1), (40, 5), (200, 4)]:
        rows = []
        for cluster in range(clusters):
            level = rng.integers(0, MILLION + 1)
            rows += [(int(cluster), int(np.clip(level + rng.integers(-200_000, 200_001), 0, MILLION)))
                     for _ in range(rng.integers(1, most + 1))]
        rng.shuffle(rows)
        groups = np.array([r[0] for r in rows])
        x = np.array([r[1] for r in rows]) / MILLION
        n = len(x)
        # Miller's eq. 4 is the CLT variance with n-1, and the products of different members of a cluster over n squared. The
        # sandwich of statsmodels without correction is all products over n squared.
        fit = sm.OLS(x, np.ones(n)).fit(cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False})
        squares = ((x - x.mean()) ** 2).sum()
        variance = fit.bse[0] ** 2 - squares / n**2 + squares / (n * (n - 1))
        cross = sum((x[i] - x.mean()) * (x[j] - x.mean()) for i in range(n) for j in range(n) if i != j and groups[i] == groups[j])
        assert math.isclose(variance, stats.sem(x) ** 2 + cross / n**2, rel_tol=1e-9)
        error = math.sqrt(variance)
        low, high = stats.t.interval(0.95, clusters - 1, loc=x.mean(), scale=error)
        yield {"scores": [[int(c), int(s)] for c, s in rows], "mean": x.mean(), "standard_error": error, "low": low, "high": high}


def quantiles():
    for values in [[5], [1, 2], [3, 1, 2], [10, 20, 30, 40], list(range(0, 1001, 7)), [0, 0, 0, 10**12]]:
        for p in (0.0, 0.025, 0.25, 0.5, 0.9, 0.95, 0.99, 1.0):
            yield {"sorted": sorted(values), "p": p, "value": float(np.quantile(np.array(sorted(values), dtype=float), p))}


def passes():
    for n, c, k in [(1, 0, 1), (1, 1, 1), (10, 3, 1), (10, 3, 5), (10, 3, 8), (10, 10, 10), (10, 9, 10), (200, 1, 100), (200, 7, 10),
                    (1000, 500, 3), (1000, 999, 1000), (5, 4, 2), (100_000, 40, 1000)]:
        every = math.comb(n, k)
        yield {"n": n, "passed": c, "k": k, "at": float(1 - Fraction(math.comb(n - c, k), every)),
               "hat": float(Fraction(math.comb(c, k), every))}


MASK = (1 << 64) - 1


class Xoshiro256:
    """xoshiro256** 1.0 of Blackman and Vigna, its state filled by splitmix64."""

    def __init__(self, seed):
        self.s = []
        for _ in range(4):
            seed = (seed + 0x9E3779B97F4A7C15) & MASK
            z = seed
            z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
            self.s.append(z ^ (z >> 31))

    def next(self):
        s = self.s
        rotated = (s[1] * 5) & MASK
        rotated = ((rotated << 7) | (rotated >> 57)) & MASK
        t = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= t
        s[3] = ((s[3] << 45) | (s[3] >> 19)) & MASK
        return (rotated * 9) & MASK

    def below(self, n):
        """Lemire's multiply and reject, on the upper 32 bits."""
        threshold = (1 << 32) % n
        while True:
            product = (self.next() >> 32) * n
            if product & 0xFFFFFFFF >= threshold:
                return product >> 32


def our_bootstrap(differences, seed, resamples):
    random = Xoshiro256(seed)
    n = len(differences)
    sums = sorted(sum(differences[random.below(n)] for _ in range(n)) for _ in range(resamples))
    rank = max(1, (resamples + 1) * 25 // 1000)
    total = abs(sum(differences))
    extreme = 1
    for _ in range(resamples):
        flipped = 0
        for i, d in enumerate(differences):
            if i % 64 == 0:
                word = random.next()
            flipped += d if (word >> (i % 64)) & 1 else -d
        extreme += abs(flipped) >= total
    return sums[rank - 1] / (n * MILLION), sums[resamples - rank] / (n * MILLION), extreme / (resamples + 1)


def bootstraps():
    rng = np.random.default_rng(3)
    # Vigna's published first output of splitmix64 from 0 begins the state.
    assert Xoshiro256(0).s[0] == 0xE220A8397B1DCDAF
    cases = [
        [(0, 400_000), (100_000, 300_000), (0, 0), (500_000, 900_000), (200_000, 100_000), (0, 350_000)],
        [(int(a), int(np.clip(a + d, 0, MILLION))) for a, d in zip(rng.integers(0, MILLION, 130), rng.integers(-300_000, 380_000, 130))],
        [(int(a) * MILLION, int(b) * MILLION) for a, b in zip(rng.integers(0, 2, 300), rng.integers(0, 2, 300))],
        [(500_000, 500_000 + 10_000 * i) for i in range(1, 6)],
    ]
    for seed, pairs in enumerate(cases, start=11):
        differences = [b - a for a, b in pairs]
        x = np.array(differences) / MILLION
        low, high, p = our_bootstrap(differences, seed, 2_000)
        near = stats.bootstrap((x,), np.mean, n_resamples=100_000, method="percentile", rng=np.random.default_rng(1)).confidence_interval
        flips = stats.permutation_test((x,), np.mean, permutation_type="samples", n_resamples=100_000, rng=np.random.default_rng(2))
        yield {"pairs": pairs, "seed": seed, "resamples": 2_000, "difference": sum(differences) / (len(differences) * MILLION),
               "low": low, "high": high, "p": p, "near_low": near.low, "near_high": near.high, "near_p": flips.pvalue}


def seeds():
    """FNV-1a over the sorted ids, each ended by a zero byte, finished by splitmix64."""
    for ids in [[], ["a"], ["a", "b"], ["b", "a"], ["ab", ""], ["test-1", "test-2"]]:
        h = 0xCBF29CE484222325
        for byte in b"".join(i.encode() + b"\0" for i in sorted(ids)):
            h = ((h ^ byte) * 0x100000001B3) & MASK
        yield {"ids": ids, "seed": str(Xoshiro256(h).s[0])}


if __name__ == "__main__":
    tables = {"versions": VERSIONS}
    for function in (wilson, mcnemar_p, paired, means, clustered, quantiles, passes, bootstraps, seeds):
        tables[function.__name__] = list(function())
    print("{")
    print(",\n".join(f'"{name}": ' + (json.dumps(rows) if isinstance(rows, dict) else
          "[\n" + ",\n".join(json.dumps(row, default=float) for row in rows) + "\n]") for name, rows in tables.items()))
    print("}")
