#pragma once

#include "core/domain/event.hpp"
#include "core/model_client.hpp"
#include "http/runner/agenda.hpp"
#include "http/runner/job.hpp"
#include "http/runner/options.hpp"
#include "http/runner/provider_table.hpp"

#include <cstdint>
#include <expected>
#include <functional>
#include <random>
#include <string>

namespace assay::http {

/// Why a call has no answer and will not be tried again.
struct no_answer {
    outcome how;
    std::string code;
    std::string detail; ///< for people; no secret
};

using call_result = std::expected<model_reply, no_answer>;

/// Makes the calls that wait in the lanes: as wide as allowed, as fast as a key's limits let it, and
/// again with back-off where that can help. Not thread-safe: the scheduling thread's.
class dispatcher {
public:
    /// Hears the end of each call; of a call cut off by `cancel_all` nothing is heard.
    using listener = std::function<void(live_ptr const&, call_result)>;

    dispatcher(agenda& work, lane_table& lanes, provider_table& providers,
               runner_options const& options, runner_stats& stats, listener heard);

    /// Puts a run's next call at the end of its lane.
    void enqueue(live_ptr const& live);

    /// Starts calls while there is room.
    void start_calls();

    /// The answer that the listener heard is durable, or nobody wants it: its place is free again. So
    /// a crash costs at most as many answers as may be in flight.
    void release(live_ptr const& live);

    /// Calls made whose answer is not yet durable.
    [[nodiscard]] std::uint32_t in_flight() const { return in_flight_; }

private:
    [[nodiscard]] bool start_one(lane& l);
    [[nodiscard]] bool enter(lane& l);
    void call(live_ptr const& live);
    [[nodiscard]] model_request request_of(live_run const& live) const;
    void returned(live_ptr const& live, model_outcome o);
    void failed(live_ptr const& live, model_failure const& failure);
    void count_in_flight(std::int32_t change);

    agenda& agenda_;
    lane_table& lanes_;
    provider_table& providers_;
    runner_options const& options_;
    runner_stats& stats_;
    listener const heard_;
    std::uint32_t in_flight_ = 0;
    std::mt19937_64 random_{std::random_device{}()};
};

} // namespace assay::http
