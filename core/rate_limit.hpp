#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

/// How fast and how wide the runner may call a host, decided by values alone: time comes in as an
/// argument (monotonic, microseconds since any origin) and randomness too, so the same calls give
/// the same answers in a test and in service. One thread at a time per object. Time that goes
/// backwards counts as standing still.
namespace assay {

using monotonic = std::chrono::microseconds;

/// Requests, or tokens, per minute: a bucket that starts full and fills evenly, counted in integers
/// without drift.
class rate_limit {
public:
    struct options {
        std::uint32_t per_minute = 0; ///< 0: no limit
        std::uint32_t burst = 1;      ///< what may go at once after a pause; at least 1
    };

    explicit rate_limit(options o);

    /// Takes `cost` if it is there and no hold stands against it. More than the burst costs the
    /// burst: a request larger than the bucket waits for a full one instead of for ever.
    ///
    /// @returns zero if it was taken, otherwise how long to wait before asking again; nothing was
    /// taken then.
    [[nodiscard]] monotonic take(monotonic now, std::uint32_t cost = 1);

    /// Gives nothing before `until`: what Retry-After asks of everyone who uses the same key. A
    /// hold is never shortened.
    void hold(monotonic until);

private:
    void refill(monotonic now);

    options const options_;
    std::int64_t level_; ///< in millionths of a token-minute: one token is 60'000'000, a
                         ///< microsecond adds `per_minute`
    std::optional<monotonic> filled_{}; ///< when `level_` was right; empty before the first use
    std::optional<monotonic> held_until_{};
};

/// How many calls may be in flight: the configured figure, halved when the host answers 429, and
/// won back by answers: one for every round of as many as the limit (additive increase,
/// multiplicative decrease; RFC 5681 §3.1 and §3.2 do the same for a connection). A host that
/// refuses one call in fifty is then called about ten wide, not one at a time.
class concurrency_limit {
public:
    /// @param configured  at least 1; never exceeded
    explicit concurrency_limit(std::uint32_t configured);

    /// Enters one call if there is room. Whoever entered leaves once.
    [[nodiscard]] bool try_enter();
    void leave();

    /// The host has answered 429 to a call that began at `began`. Calls that were under way when it
    /// halved last all tell the same news: only a later one halves it again.
    void rate_limited(monotonic began, monotonic now);

    /// The host has done what a call asked for.
    void answered();

    /// How many may be in flight now: 1 .. configured. After a shrink more than that may still be.
    [[nodiscard]] std::uint32_t limit() const { return limit_; }

    [[nodiscard]] std::uint32_t in_flight() const { return in_flight_; }

private:
    std::uint32_t const configured_;
    std::uint32_t limit_;
    std::uint32_t in_flight_ = 0;
    std::uint32_t answers_ = 0; ///< of this round
    std::optional<monotonic> shrunk_at_{};
};

/// When a call that failed is tried again: exponential back-off with full jitter (Brooker 2015,
/// "Exponential Backoff And Jitter", AWS architecture blog). One object for the attempts of one
/// call.
class backoff {
public:
    struct options {
        monotonic base = std::chrono::milliseconds(
            500); ///< bound of the first wait; it doubles with each failure
        monotonic cap = std::chrono::seconds(60); ///< no bound is higher; at most one hour
        std::uint32_t attempts_max = 5;           ///< calls in all, the first one included
        monotonic retry_after_max =
            std::chrono::minutes(10); ///< a host that asks for more is not waited for
    };

    explicit backoff(options o);

    /// Notes a failure.
    ///
    /// @param random       64 uniform random bits: the wait is uniform between zero and the bound.
    /// @param retry_after  what the host asked for: the wait is never shorter.
    /// @returns how long to wait before the next attempt; nothing when there shall be none.
    [[nodiscard]] std::optional<monotonic> next(std::uint64_t random,
                                                std::optional<monotonic> retry_after = {});

    /// Failures noted so far.
    [[nodiscard]] std::uint32_t failures() const { return failures_; }

private:
    options const options_;
    std::uint32_t failures_ = 0;
};

} // namespace assay
