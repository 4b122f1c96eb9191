#include "http/runner/conductor.hpp"

#include "http/runner/conversation.hpp"

#include <memory>
#include <utility>

namespace assay::http {

namespace {

command::record_progress progress_of(live_run const& live)
{
    command::record_progress progress;
    progress.test = live.owner->row.id;
    progress.cell = live.cell;
    progress.run = live.run;
    return progress;
}

} // namespace

conductor::conductor(engine::engine& e, recorder& records, dispatcher& calls, runner_stats& stats)
    : engine_(e), recorder_(records), dispatcher_(calls), stats_(stats), loader_(e)
{
}

void conductor::begin(job_ptr const& j, std::uint32_t cell, std::uint16_t run)
{
    auto const at = std::pair(cell, run);
    if (j->live.contains(at))
        return;
    auto live = std::make_shared<live_run>();
    live->owner = j;
    live->cell = cell;
    live->run = run;
    j->live.emplace(at, live);
    if (auto const loaded = loader_.load(*live); !loaded)
        end_without(live, {outcome::provider_error, "configuration", loaded.error().detail});
    else
        go_on(live);
}

void conductor::hear(live_ptr const& live, call_result r)
{
    if (r)
        take_answer(live, std::move(*r));
    else
        end_without(live, r.error());
}

void conductor::end_stopped(live_ptr const& live)
{
    end_without(live, {outcome::terminated, "stopped", {}});
}

/// Makes the next call of the run, or ends it when all are made.
void conductor::go_on(live_ptr const& live)
{
    live->called_at = {};
    if (live->over)
        return;
    if (live->owner->stopped)
        return end_stopped(live);
    auto const n = live->answers.size();
    if (n >= live->talk->calls()) // a crash came between the last call and the end of its run
        end_with_answer(live, std::nullopt, {}, false);
    else if (n < live->recordings.size())
        repeat_recording(live, live->recordings[n]);
    else
        dispatcher_.enqueue(live);
}

/// Takes what an earlier run was answered, in place of a call.
void conductor::repeat_recording(live_ptr const& live, event::call_recorded call)
{
    auto const& workspace = live->owner->row.workspace;
    auto text =
        call.answer ? loader_.text_of(workspace, *call.answer) : result<std::string>(std::string{});
    if (!text) {
        live->recordings.clear(); // erased meanwhile: ask again
        go_on(live);
        return;
    }
    stats_.reused.fetch_add(1, std::memory_order_relaxed);
    call.reused = true;
    call.waited_us = 0;
    if (call.cost_pico)
        call.cost_pico = 0;
    record_call(live, std::move(call), std::move(*text), false, {});
}

void conductor::take_answer(live_ptr const& live, model_reply reply)
{
    events::blob_list blobs;
    auto call = seal_call(*live, reply, blobs);
    if (!call) {
        end_without(live, {outcome::provider_error, "unsealable", call.error().detail});
        return;
    }
    record_call(live, std::move(*call), std::move(reply.text), reply.refused, std::move(blobs));
}

/// Seals what was said and heard in the present call.
result<event::call_recorded> conductor::seal_call(live_run const& live, model_reply const& reply,
                                                  events::blob_list& blobs)
{
    auto const& workspace = live.owner->row.workspace;
    event::call_recorded c;
    for (auto const& m : live.talk->added_by(live.answers.size())) {
        if (m.ref) {
            c.messages.push_back({m.role, *m.ref});
            continue;
        }
        ASSAY_TRY(auto ref, engine_.seal(workspace, m.text, blobs));
        c.messages.push_back({m.role, std::move(ref)});
    }
    ASSAY_TRY(c.answer, engine_.seal(workspace, reply.text, blobs));
    c.finish_reason = reply.finish_reason;
    c.resolved_model = reply.resolved_model;
    c.provider_request_id = reply.provider_request_id;
    c.attempts = live.attempts;
    c.input_tokens = reply.input_tokens;
    c.output_tokens = reply.output_tokens;
    c.cached_input_tokens = reply.cached_input_tokens;
    if (auto const cost = cost_of(live.owner->config->models[live.model], reply)) {
        c.cost_pico = cost->pico;
        c.currency = cost->currency;
    }
    c.latency_us = static_cast<std::uint64_t>(reply.latency.count());
    c.waited_us = static_cast<std::uint64_t>((live.called_at - live.ready_at).count());
    return c;
}

/// The call is an event before the next one is made.
void conductor::record_call(live_ptr const& live, event::call_recorded call, std::string answer,
                            bool refused, events::blob_list blobs)
{
    live->answers.push_back(std::move(answer));
    if (live->answers.size() == live->talk->calls() || refused) {
        end_with_answer(live, std::move(call), std::move(blobs), refused);
        return;
    }
    auto progress = progress_of(*live);
    progress.call = std::move(call);
    recorder_.give(live->owner->row.workspace, "runner.record", std::move(progress),
                   std::move(blobs), [this, live](result<events::receipt> r) {
                       dispatcher_.release(live);
                       if (r && r->answer.at("open").as_bool())
                           go_on(live);
                       else
                           forget(live, r);
                   });
}

void conductor::end_with_answer(live_ptr const& live, std::optional<event::call_recorded> call,
                                events::blob_list blobs, bool refused)
{
    auto progress = progress_of(*live);
    progress.call = std::move(call);
    progress.ended.emplace().outcome = refused ? outcome::refused : outcome::completed;
    if (!refused) {
        auto verdict = live->owner->grade(live->answers.back(), live->expected);
        progress.grade = std::move(verdict.grade);
        progress.grading_failed = std::move(verdict.failed);
    }
    end(live, std::move(progress), std::move(blobs));
}

void conductor::end_without(live_ptr const& live, no_answer const& why)
{
    events::blob_list blobs;
    auto progress = progress_of(*live);
    auto& ended = progress.ended.emplace();
    ended.outcome = why.how;
    ended.error_code = why.code;
    if (!why.detail.empty()) {
        if (auto sealed = engine_.seal(live->owner->row.workspace, why.detail, blobs))
            ended.error = std::move(*sealed);
    }
    end(live, std::move(progress), std::move(blobs));
}

void conductor::end(live_ptr const& live, command::record_progress progress,
                    events::blob_list blobs)
{
    live->over = true;
    progress.ended->run = live->run;
    progress.ended->cell_hash = live->cell_hash;
    if (progress.grading_failed)
        progress.grading_failed->run = live->run;
    recorder_.give(live->owner->row.workspace, "runner.record", std::move(progress),
                   std::move(blobs), [this, live](result<events::receipt> r) {
                       dispatcher_.release(live);
                       stats_.cells.fetch_add(1, std::memory_order_relaxed);
                       forget(live, r);
                   });
}

/// The run is over, here at least.
void conductor::forget(live_ptr const& live, result<events::receipt> const& r)
{
    if (!r)
        recorder_.fault("a result could not be recorded", r.error());
    live->over = true;
    live->owner->live.erase({live->cell, live->run});
}

} // namespace assay::http
