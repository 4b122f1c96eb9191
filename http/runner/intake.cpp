#include "http/runner/intake.hpp"

#include "core/grid_id.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace assay::http {

namespace {

/// Cells taken at once; a commit holds at most 256 events.
constexpr std::size_t claim_max = 128;

template <class Event>
bool is(events::recorded const& e)
{
    return std::holds_alternative<Event>(e.body);
}

std::uint32_t cell_of(events::recorded const& e)
{
    return grid_id::read(e.stream.id)->cell;
}

} // namespace

intake::intake(engine::engine& e, agenda& work, lane_table& lanes, recorder& records,
               conductor& runs, runner_options const& options)
    : engine_(e), agenda_(work), lanes_(lanes), recorder_(records), conductor_(runs),
      ahead_(std::size_t{options.in_flight} * 2)
{
}

intake::~intake()
{
    // A job and its runs hold each other.
    for (auto const& [test, j] : jobs_)
        j->live.clear();
}

void intake::take_up()
{
    auto const views = engine_.read();
    auto const open = projections::list_open_tests(*views);
    if (!open) {
        spdlog::error("runner: open tests cannot be read: {}", open.error().detail);
        return;
    }
    for (auto const& test : *open) {
        if (auto const j = job_of(test.id))
            take_up_open_runs(*views, j);
    }
}

void intake::take_up_open_runs(projections::reader const& views, job_ptr const& j)
{
    auto const runs = projections::list_open_runs(views, j->row.id);
    if (!runs)
        return;
    for (auto const& r : *runs)
        conductor_.begin(j, r.cell, r.run);
}

/// The job of a test; none if the test cannot be run.
job_ptr intake::job_of(uuid const& test)
{
    if (auto const found = jobs_.find(test); found != jobs_.end())
        return found->second;
    auto row = projections::get_test(*engine_.read(), test);
    if (!row || row->phase == test_phase::completed)
        return {};
    auto j = make_job(std::move(*row));
    if (!j) {
        spdlog::error("runner: test {} cannot be run: {}", test.text(), j.error().detail);
        return {};
    }
    return jobs_.emplace(test, std::move(*j)).first->second;
}

result<job_ptr> intake::make_job(projections::test_row row)
{
    ASSAY_TRY(auto config, engine_.config_of(row));
    ASSAY_TRY(auto graders, judge::make(*config));
    auto j = std::make_shared<job>();
    for (auto const& model : config->models)
        j->lanes.push_back(&lanes_.lane_of(row.workspace, model.provider));
    j->stopped = row.phase == test_phase::stopped;
    j->more = row.started.drive == drive::automatic;
    j->row = std::move(row);
    j->config = std::move(config);
    j->grade = std::move(graders);
    return j;
}

void intake::follow(events::commit_ptr const& c)
{
    for (auto const& e : c->events)
        follow_event(c->head.partition, e);
}

void intake::follow_event(uuid const& test, events::recorded const& e)
{
    if (auto const* begun = std::get_if<event::test_started>(&e.body)) {
        if (begun->drive == drive::automatic)
            (void)job_of(test);
    } else if (auto const* fired = std::get_if<event::run_started>(&e.body)) {
        if (auto const j = job_of(test))
            conductor_.begin(j, cell_of(e), fired->run);
    } else if (is<event::cell_added>(e)) {
        if (auto const j = job_of(test))
            j->more = j->row.started.drive == drive::automatic;
    } else if (auto const* extended = std::get_if<event::test_extended>(&e.body)) {
        if (auto const j = job_of(test)) {
            j->row.started.repeats = extended->repeats;
            // Cells made by hand come after the grid: the cursor may be beyond what is new.
            auto const first = static_cast<std::uint32_t>(j->row.size().cells() - extended->cells);
            j->cursor = std::min(j->cursor, first);
            j->more = j->row.started.drive == drive::automatic;
        }
    } else if (is<event::test_reopened>(e)) {
        if (auto const j = job_of(test))
            j->stopped = false;
    } else if (auto const* deleted = std::get_if<event::item_deleted>(&e.body)) {
        if (deleted->kind == item_kind::key)
            lanes_.revoke(e.stream.id);
    } else if (auto const found = jobs_.find(test); found != jobs_.end()) {
        follow_end(found->second, e);
    }
}

void intake::follow_end(job_ptr j, events::recorded const& e)
{
    if (is<event::test_stopped>(e)) {
        j->stopped = true;
        for (auto const& [at, live] : std::map(j->live)) {
            if (!live->over && live->called_at == monotonic{}) // between calls: a safe point
                conductor_.end_stopped(live);
        }
    } else if (is<event::test_completed>(e)) {
        j->stopped = true;
        j->more = false;
        for (auto const& [at, live] : j->live)
            live->over = true;
        j->live.clear();
        jobs_.erase(j->row.id);
    } else if (is<event::cell_terminated>(e) || is<event::cell_completed>(e)) {
        std::erase_if(j->live, [cell = cell_of(e)](auto const& entry) {
            if (entry.first.first != cell)
                return false;
            entry.second->over = true;
            return true;
        });
    }
}

void intake::claim()
{
    for (auto at = jobs_.begin(); at != jobs_.end();) {
        auto const j = at->second;
        while (j->more && !j->stopped && lanes_.waiting() + j->claiming < ahead_) {
            if (!claim_some(j))
                break;
        }
        bool const idle = !j->more && j->claiming == 0 && j->live.empty();
        at = idle ? jobs_.erase(at) : std::next(at);
    }
}

/// Begins the next queued cells of a test. @returns whether there were any.
bool intake::claim_some(job_ptr const& j)
{
    auto const n = std::min(claim_max, ahead_);
    auto const cells = projections::next_queued(*engine_.read(), j->row.id, j->cursor, n);
    j->more = cells && cells->size() == n;
    if (!cells || cells->empty())
        return false;
    auto const from = j->cursor;
    auto const count = static_cast<std::uint32_t>(cells->size());
    j->cursor = cells->back() + 1;
    j->claiming += count;
    recorder_.give(
        j->row.workspace, "runner.begin", command::begin_runs{j->row.id, *cells}, {},
        [this, j, from, count](result<events::receipt> r) { begin_claimed(j, from, count, r); });
    return true;
}

void intake::begin_claimed(job_ptr const& j, std::uint32_t from, std::uint32_t count,
                           result<events::receipt> const& r)
{
    if (!r) {
        recorder_.fault("cells could not be begun", r.error());
        j->more = false;
        // Still counted as being claimed, so that the job is not forgotten meanwhile.
        agenda_.at(monotonic_now() + log_pause, [j, from, count] {
            j->claiming -= count;
            j->cursor = from;
            j->more = true;
        });
        return;
    }
    j->claiming -= count;
    for (auto const& begun : r->answer.at("begun").as_array())
        conductor_.begin(j, begun.at(0).to_number<std::uint32_t>(),
                         begun.at(1).to_number<std::uint16_t>());
}

} // namespace assay::http
