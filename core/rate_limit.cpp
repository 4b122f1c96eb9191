#include "core/rate_limit.hpp"

#include <algorithm>

namespace assay {

namespace {

constexpr std::int64_t token = 60'000'000; // microseconds of a minute

} // namespace

rate_limit::rate_limit(options o)
    : options_{o.per_minute, std::max(o.burst, 1U)}, level_(options_.burst * token)
{
}

monotonic rate_limit::take(monotonic now, std::uint32_t cost)
{
    if (held_until_ && now < *held_until_)
        return *held_until_ - now;
    if (options_.per_minute == 0)
        return monotonic::zero();
    refill(now);
    std::int64_t const price = std::min(cost, options_.burst) * token;
    if (level_ >= price) {
        level_ -= price;
        return monotonic::zero();
    }
    std::int64_t const rate = options_.per_minute;
    return monotonic((price - level_ + rate - 1) / rate);
}

void rate_limit::refill(monotonic now)
{
    monotonic const since = filled_.value_or(now);
    filled_ = std::max(since, now);
    std::int64_t const missing = options_.burst * token - level_;
    std::int64_t const rate = options_.per_minute;
    // Whatever fills the bucket is enough: longer pauses would overflow the product.
    std::int64_t const elapsed = std::min((*filled_ - since).count(), missing / rate + 1);
    level_ += std::min(missing, elapsed * rate);
}

void rate_limit::hold(monotonic until)
{
    held_until_ = std::max(held_until_.value_or(until), until);
}

concurrency_limit::concurrency_limit(std::uint32_t configured)
    : configured_(std::max(configured, 1U)), limit_(configured_)
{
}

bool concurrency_limit::try_enter()
{
    if (in_flight_ >= limit_)
        return false;
    ++in_flight_;
    return true;
}

void concurrency_limit::leave()
{
    --in_flight_;
}

void concurrency_limit::rate_limited(monotonic began, monotonic now)
{
    if (shrunk_at_ && began < *shrunk_at_)
        return;
    limit_ = std::max(limit_ / 2, 1U);
    answers_ = 0;
    shrunk_at_ = now;
}

void concurrency_limit::answered()
{
    if (limit_ == configured_ || ++answers_ < limit_)
        return;
    ++limit_;
    answers_ = 0;
}

backoff::backoff(options o)
    : options_{std::max(o.base, monotonic::zero()),
               std::clamp(o.cap, monotonic::zero(), monotonic(std::chrono::hours(1))),
               o.attempts_max, o.retry_after_max}
{
}

std::optional<monotonic> backoff::next(std::uint64_t random, std::optional<monotonic> retry_after)
{
    ++failures_;
    if (failures_ >= options_.attempts_max)
        return std::nullopt;
    if (retry_after && *retry_after > options_.retry_after_max)
        return std::nullopt;

    monotonic bound = std::min(options_.base, options_.cap);
    for (std::uint32_t i = 1; i < failures_ && bound < options_.cap; ++i)
        bound = std::min(bound * 2, options_.cap);
    // The upper half of the bits as a fraction of 2^32; an hour of microseconds is below 2^32, so
    // the product fits.
    auto const share = (random >> 32) * static_cast<std::uint64_t>(bound.count() + 1) >> 32;
    return std::max(monotonic(static_cast<std::int64_t>(share)),
                    retry_after.value_or(monotonic::zero()));
}

} // namespace assay
