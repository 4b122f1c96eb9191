#pragma once

#include "core/domain/event.hpp"
#include "core/hash.hpp"
#include "core/result.hpp"
#include "http/engine/caches.hpp"
#include "http/engine/engine.hpp"
#include "http/runner/job.hpp"

#include <string>

namespace assay::http {

/// Reads from the log and the views what a run has to say and how far it had come before.
/// Not thread-safe: the scheduling thread's.
class run_loader {
public:
    explicit run_loader(engine::engine& e) : engine_(e) {}

    /// Fills in everything of `live` that follows from its test, cell and run.
    ///
    /// @returns whatever kept something from being read: nothing is then known of the rest.
    [[nodiscard]] result<void> load(live_run& live);

    /// The text behind a reference; the newest are remembered.
    [[nodiscard]] result<std::string> text_of(uuid const& workspace, content const& c);

private:
    [[nodiscard]] result<void> load_script(live_run& live, engine::frozen_scenario const& scenario);
    [[nodiscard]] result<void> load_answers(live_run& live, projections::reader const& views);
    [[nodiscard]] result<void> load_recordings(live_run& live, projections::reader const& views);

    engine::engine& engine_;
    engine::recent<digest, std::string> texts_{2048};
};

} // namespace assay::http
