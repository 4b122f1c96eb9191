#include "http/runner/dispatcher.hpp"

#include <chrono>
#include <string_view>
#include <utility>

namespace assay::http {

namespace {

std::string_view code_of(model_failure_kind kind)
{
    switch (kind) {
    case model_failure_kind::rate_limited: return "rate_limited";
    case model_failure_kind::server_error: return "server_error";
    case model_failure_kind::timeout: return "timeout";
    case model_failure_kind::rejected: return "rejected";
    case model_failure_kind::unauthorized: return "unauthorized";
    case model_failure_kind::cancelled: return "cancelled";
    case model_failure_kind::not_recorded: return "not_recorded";
    }
    std::unreachable();
}

bool worth_retrying(model_failure_kind kind)
{
    return kind == model_failure_kind::rate_limited || kind == model_failure_kind::server_error ||
           kind == model_failure_kind::timeout;
}

outcome outcome_of(model_failure_kind kind)
{
    if (kind == model_failure_kind::timeout)
        return outcome::timeout;
    return kind == model_failure_kind::not_recorded ? outcome::not_recorded
                                                    : outcome::provider_error;
}

} // namespace

dispatcher::dispatcher(agenda& work, lane_table& lanes, provider_table& providers,
                       runner_options const& options, runner_stats& stats, listener heard)
    : agenda_(work), lanes_(lanes), providers_(providers), options_(options), stats_(stats),
      heard_(std::move(heard))
{
}

void dispatcher::enqueue(live_ptr const& live)
{
    live->retries.emplace(options_.retries);
    live->attempts = 0;
    live->ready_at = monotonic_now();
    live->through->waiting.push_back(live);
}

void dispatcher::start_calls()
{
    // One call a lane in turn, so that no key waits behind another's backlog.
    for (bool started = true; started && in_flight_ < options_.in_flight;) {
        started = false;
        for (auto const& [name, l] : lanes_.all())
            started = (in_flight_ < options_.in_flight && start_one(*l)) || started;
    }
}

/// Starts the next call of a lane. @returns whether there was one to start and room for it.
bool dispatcher::start_one(lane& l)
{
    while (!l.waiting.empty()) {
        auto const live = l.waiting.front();
        if (!live->over && !l.key_missing && !enter(l))
            return false;
        l.waiting.pop_front();
        if (live->over)
            continue;
        if (l.key_missing) {
            heard_(live, std::unexpected(no_answer{outcome::provider_error, "key_revoked", {}}));
            continue;
        }
        call(live);
        return true;
    }
    return false;
}

/// Takes a place in the lane, if its limits leave one now.
bool dispatcher::enter(lane& l)
{
    if (!l.concurrency.try_enter())
        return false;
    auto const now = monotonic_now();
    auto const wait = l.rate.take(now);
    if (wait == monotonic{})
        return true;
    l.concurrency.leave();
    if (!std::exchange(l.timer_set, true))
        agenda_.at(now + wait, [&l] { l.timer_set = false; });
    return false;
}

void dispatcher::call(live_ptr const& live)
{
    ++live->attempts;
    live->called_at = monotonic_now();
    stats_.calls.fetch_add(1, std::memory_order_relaxed);
    live->in_flight = true;
    count_in_flight(+1);
    auto const host = providers_.client_for(live->owner->config->models[live->model].provider);
    if (!host) {
        returned(live,
                 std::unexpected(model_failure{model_failure_kind::rejected, host.error().detail}));
        return;
    }
    (*host)->complete(request_of(*live), [this, live](model_outcome o) mutable {
        agenda_.post([this, live = std::move(live), o = std::move(o)]() mutable {
            returned(live, std::move(o));
        });
    });
}

model_request dispatcher::request_of(live_run const& live) const
{
    auto const& model = live.owner->config->models[live.model];
    model_request request;
    request.base_url = model.provider.endpoint;
    request.model = model.value;
    request.api_key = live.through->api_key;
    request.messages = live.talk->messages(live.answers.size(), live.answers);
    request.parameters = model.parameters;
    for (auto const& p : live.owner->config->agents[live.agent].parameters)
        request.parameters[p.key()] = p.value();
    request.timeout = options_.call_timeout;
    return request;
}

void dispatcher::returned(live_ptr const& live, model_outcome o)
{
    live->through->concurrency.leave();
    if (o) {
        live->through->concurrency.answered();
        heard_(live, std::move(*o));
        return;
    }
    release(live);
    // Cancelled: the runner is stopping. The run stays open and goes on at the next start.
    if (o.error().kind != model_failure_kind::cancelled)
        failed(live, o.error());
}

void dispatcher::release(live_ptr const& live)
{
    if (std::exchange(live->in_flight, false))
        count_in_flight(-1);
}

/// Tries again later, or says that there is no answer.
void dispatcher::failed(live_ptr const& live, model_failure const& failure)
{
    auto const now = monotonic_now();
    std::optional<monotonic> asked;
    if (failure.retry_after)
        asked = std::chrono::duration_cast<monotonic>(*failure.retry_after);
    if (failure.kind == model_failure_kind::rate_limited) {
        stats_.rate_limited.fetch_add(1, std::memory_order_relaxed);
        live->through->concurrency.rate_limited(live->called_at, now);
        if (asked)
            live->through->rate.hold(now + *asked);
    }
    auto const wait =
        worth_retrying(failure.kind) ? live->retries->next(random_(), asked) : std::nullopt;
    if (!wait || live->over || live->owner->stopped) {
        heard_(live,
               std::unexpected(no_answer{outcome_of(failure.kind),
                                         std::string(code_of(failure.kind)), failure.detail}));
        return;
    }
    stats_.retries.fetch_add(1, std::memory_order_relaxed);
    live->called_at = {};
    agenda_.at(now + *wait, [live] {
        if (!live->over)
            live->through->waiting.push_front(live);
    });
}

void dispatcher::count_in_flight(std::int32_t change)
{
    in_flight_ += static_cast<std::uint32_t>(change);
    stats_.in_flight.store(in_flight_, std::memory_order_relaxed);
}

} // namespace assay::http
