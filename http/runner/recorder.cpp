#include "http/runner/recorder.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace assay::http {

namespace {

std::int64_t utc_us()
{
    return std::chrono::duration_cast<std::chrono::microseconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

} // namespace

recorder::recorder(engine::engine& e, agenda& work, runner_stats& stats)
    : engine_(e), agenda_(work), stats_(stats)
{
}

void recorder::give(uuid const& workspace, std::string operation, any_command command,
                    events::blob_list blobs, done then)
{
    events::submission s;
    s.actor = {workspace, {}, events::channel::runner};
    s.command_id = events::random_uuid_v7(utc_us());
    s.operation = std::move(operation);
    s.command = std::move(command);
    s.blobs = std::move(blobs);
    ++under_way_;
    submit(std::make_shared<events::submission const>(std::move(s)), std::move(then));
}

void recorder::submit(submission_ptr s, done then)
{
    engine_.give(*s, [this, s, then = std::move(then)](result<events::receipt> r) mutable {
        agenda_.post([this, s = std::move(s), then = std::move(then), r = std::move(r)]() mutable {
            answered(std::move(s), std::move(then), std::move(r));
        });
    });
}

void recorder::answered(submission_ptr s, done then, result<events::receipt> r)
{
    bool const later = !r && !stopping_ &&
                       (r.error().code == errc::unavailable || r.error().code == errc::overloaded);
    if (!later) {
        --under_way_;
        then(std::move(r));
        return;
    }
    ++blocked_;
    agenda_.at(monotonic_now() + log_pause,
               [this, s = std::move(s), then = std::move(then)]() mutable {
                   --blocked_;
                   submit(std::move(s), std::move(then));
               });
}

void recorder::fault(std::string_view what, error const& e)
{
    stats_.faults.fetch_add(1, std::memory_order_relaxed);
    spdlog::warn("runner: {}: {}", what, e.detail);
}

} // namespace assay::http
