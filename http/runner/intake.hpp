#pragma once

#include "core/result.hpp"
#include "core/uuid.hpp"
#include "events/pipeline.hpp"
#include "http/engine/engine.hpp"
#include "http/runner/agenda.hpp"
#include "http/runner/conductor.hpp"
#include "http/runner/job.hpp"
#include "http/runner/lane.hpp"
#include "http/runner/options.hpp"
#include "http/runner/recorder.hpp"
#include "projections/queries.hpp"

#include <cstddef>
#include <cstdint>
#include <map>

namespace assay::http {

/// Knows which tests have work, hears what others do to them, and takes their queued cells.
/// Not thread-safe: the scheduling thread's.
class intake {
public:
    intake(engine::engine& e, agenda& work, lane_table& lanes, recorder& records, conductor& runs,
           runner_options const& options);
    ~intake();
    intake(intake const&) = delete;
    intake& operator=(intake const&) = delete;

    /// Takes up what the views show as open.
    void take_up();

    /// Follows what others did: a start, a stop, a cell fired again or cut off, a key deleted.
    void follow(events::commit_ptr const& c);

    /// Takes queued cells while there is room ahead of the calls, and forgets tests without work.
    void claim();

private:
    [[nodiscard]] job_ptr job_of(uuid const& test);
    [[nodiscard]] result<job_ptr> make_job(projections::test_row row);
    void take_up_open_runs(projections::reader const& views, job_ptr const& j);
    void follow_event(uuid const& test, events::recorded const& e);
    void follow_end(job_ptr j, events::recorded const& e);
    [[nodiscard]] bool claim_some(job_ptr const& j);
    void begin_claimed(job_ptr const& j, std::uint32_t from, std::uint32_t count,
                       result<events::receipt> const& r);

    engine::engine& engine_;
    agenda& agenda_;
    lane_table& lanes_;
    recorder& recorder_;
    conductor& conductor_;
    std::size_t const ahead_; ///< cells that may wait before the calls
    std::map<uuid, job_ptr> jobs_;
};

} // namespace assay::http
