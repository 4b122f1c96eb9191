#pragma once

#include "core/domain/event.hpp"
#include "core/hash.hpp"
#include "core/rate_limit.hpp"
#include "http/engine/frozen_config.hpp"
#include "http/runner/conversation.hpp"
#include "http/runner/lane.hpp"
#include "projections/tests.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

/// What the runner remembers while it works. Derived from the log and the views, and the scheduling
/// thread's alone.
namespace assay::http {

struct live_run;
using live_ptr = std::shared_ptr<live_run>;

/// A test with open cells.
struct job {
    projections::test_row row;
    std::shared_ptr<engine::frozen_config const> config;
    judge grade;
    std::vector<lane*> lanes; ///< by model
    std::uint32_t cursor = 0; ///< cells below it are taken or closed
    bool more = false;        ///< there may be queued cells from the cursor on
    bool stopped = false;
    std::uint32_t claiming = 0; ///< cells asked for and not yet begun
    std::map<std::pair<std::uint32_t, std::uint16_t>, live_ptr> live; ///< by cell and run
};

using job_ptr = std::shared_ptr<job>;

/// One run under way.
struct live_run {
    job_ptr owner;
    std::uint32_t cell = 0;
    std::uint16_t run = 0;

    // What is to be said, and to whom.
    std::uint32_t model = 0;
    std::uint32_t agent = 0;
    lane* through = nullptr;
    digest cell_hash;
    std::optional<conversation> talk;
    std::optional<std::string> expected;
    std::vector<event::call_recorded> recordings; ///< with reuse: what earlier calls answered

    // How far it has come.
    std::vector<std::string> answers; ///< of the calls made so far
    std::optional<backoff> retries;   ///< of the present call
    std::uint16_t attempts = 0;       ///< at the present call
    monotonic ready_at{};             ///< when the present call could first have been made
    monotonic called_at{};            ///< when its newest attempt began; zero between calls
    bool in_flight = false;           ///< it holds one of the runner's places
    bool over = false; ///< its end is being recorded, or nobody wants it: no further step
};

} // namespace assay::http
