#pragma once

#include "core/domain/command.hpp"
#include "core/domain/event.hpp"
#include "core/result.hpp"
#include "events/blobs.hpp"
#include "http/engine/engine.hpp"
#include "http/runner/dispatcher.hpp"
#include "http/runner/job.hpp"
#include "http/runner/options.hpp"
#include "http/runner/recorder.hpp"
#include "http/runner/run_loader.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace assay::http {

/// Leads each run from its beginning to its recorded end: a call is an event before the next is
/// made, the last one in the same commit as the run's end and its grade.
/// Not thread-safe: the scheduling thread's.
class conductor {
public:
    conductor(engine::engine& e, recorder& records, dispatcher& calls, runner_stats& stats);

    /// Takes up a run that the log says has begun, where it stands; nothing if it is known already.
    void begin(job_ptr const& j, std::uint32_t cell, std::uint16_t run);

    /// Takes the end of a run's call.
    void hear(live_ptr const& live, call_result r);

    /// Ends a run because its test was stopped.
    void end_stopped(live_ptr const& live);

private:
    // One step each, in the order in which a run takes them.
    void go_on(live_ptr const& live);
    void repeat_recording(live_ptr const& live, event::call_recorded call);
    void take_answer(live_ptr const& live, model_reply reply);
    [[nodiscard]] result<event::call_recorded>
    seal_call(live_run const& live, model_reply const& reply, events::blob_list& blobs);
    void record_call(live_ptr const& live, event::call_recorded call, std::string answer,
                     bool refused, events::blob_list blobs);
    void end_with_answer(live_ptr const& live, std::optional<event::call_recorded> call,
                         events::blob_list blobs, bool refused);
    void end_without(live_ptr const& live, no_answer const& why);
    void end(live_ptr const& live, command::record_progress progress, events::blob_list blobs);
    void forget(live_ptr const& live, result<events::receipt> const& r);

    engine::engine& engine_;
    recorder& recorder_;
    dispatcher& dispatcher_;
    runner_stats& stats_;
    run_loader loader_;
};

} // namespace assay::http
