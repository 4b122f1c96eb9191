#include "http/api/routes.hpp"
#include "http/api/watch_hub.hpp"
#include "http/server/problem.hpp"
#include "projections/queries.hpp"

#include <chrono>
#include <thread>

namespace assay::api {

namespace {

constexpr std::int64_t wait_seconds_max = 300;
constexpr std::int64_t wait_seconds_default = 30;
constexpr std::chrono::milliseconds look_again{50};

/// A query parameter that is an id; an empty one counts as left out.
result<std::optional<uuid>> id_param(http::request const& req, std::string_view name)
{
    auto const given = req.query_param(name);
    if (!given || given->empty())
        return std::optional<uuid>();
    auto const id = uuid::parse(*given);
    if (id)
        return std::optional(*id);
    error e{errc::invalid, "expected a UUID", "uuid_parsing"};
    e.fields.push_back({{"query", std::string(name)}, e.detail, e.reason});
    return std::unexpected(std::move(e));
}

std::unexpected<error> missing_query()
{
    error e{errc::invalid, "give group_id, run_id or test_id", "missing"};
    e.fields.push_back({{"query", "group_id"}, e.detail, e.reason});
    return std::unexpected(std::move(e));
}

/// What a request wants to watch: its ids must be of one test of the caller's.
struct subject {
    uuid test;
    std::optional<grid_id> run;
};

result<subject> subject_of(services const& s, incoming const& in, std::optional<uuid> const& group,
                           std::optional<uuid> const& run, std::optional<uuid> const& test)
{
    auto const absent = [] {
        return fail(errc::not_found, "there is no such group or run", "group_not_found");
    };
    std::optional<uuid> found = test;
    subject out;
    if (group) {
        auto const g = grid_id::read(*group, grid_kind::group);
        if (!g || (found && *found != g->test))
            return absent();
        found = g->test;
    }
    if (run) {
        out.run = grid_id::read(*run, grid_kind::run);
        if (!out.run || (found && *found != out.run->test))
            return absent();
        found = out.run->test;
    }
    auto const views = s.engine.read();
    auto const row = projections::get_test(*views, in.who.workspace, *found);
    if (!row)
        return row.error().code == errc::not_found ? absent() : std::unexpected(row.error());
    ASSAY_CHECK(check_departments(in, row->started.departments));
    if (out.run)
        ASSAY_CHECK(projections::get_run(*views, in.who.workspace, *run));
    out.test = *found;
    return out;
}

/// GET /test/watch   an event stream · 404 · 422 an id that is none
result<http::response> watch(services const& s, watch_hub& hub, http::request const& req)
{
    incoming in;
    in.request = req;
    in.who.workspace = req.caller->workspace;
    ASSAY_TRY(auto const group, id_param(req, "group_id"));
    ASSAY_TRY(auto const run, id_param(req, "run_id"));
    ASSAY_TRY(auto const test, id_param(req, "test_id"));
    if (!group && !run && !test)
        return missing_query();
    ASSAY_TRY(auto const what, subject_of(s, in, group, run, test));
    watch_request wanted{what.test, {}, {}, {}};
    if (what.run) {
        wanted.cell = what.run->cell;
        wanted.run = what.run->ordinal;
    }
    if (auto const last = req.last_event_id(); last && !last->empty()) {
        wanted.after = stream_position::parse(*last);
        if (!wanted.after) {
            error e{errc::invalid, "not an id of this stream", "last_event_id"};
            e.fields.push_back({{"header", "Last-Event-ID"}, e.detail, e.reason});
            return std::unexpected(std::move(e));
        }
    }
    http::response answer{.content_type = "text/event-stream", .body = std::string()};
    answer.body = hub.open(wanted);
    return answer;
}

struct watch_body {
    uuid group_id;
    std::optional<uuid> run_id;
    std::optional<bool> wait_for_complete;
    std::optional<std::int64_t> timeout_seconds;
    std::optional<std::string> snapshot_key;

    static constexpr auto fields = std::tuple{
        field{"group_id", &watch_body::group_id},
        field{"run_id", &watch_body::run_id},
        field{"wait_for_complete", &watch_body::wait_for_complete},
        field{"timeout_seconds",
              &watch_body::timeout_seconds,
              {.min = 0, .max = double(wait_seconds_max)}},
        field{"snapshot_key", &watch_body::snapshot_key},
    };
};

struct run_status {
    uuid id;
    std::string_view status;
    std::string error;
};

run_status status_of(projections::run_view const& run)
{
    auto const& row = run.row;
    if (!row.ended_at)
        return {run.id, "pending", {}};
    bool const good =
        row.closed_by_hand || row.outcome == outcome::completed || row.outcome == outcome::refused;
    return {run.id, good ? "completed" : "failed", row.error_code};
}

/// How the runs that a request watches stand: the one it names, or those that were under way when
/// it came.
result<std::vector<run_status>> look(services const& s, std::vector<grid_id> const& runs)
{
    auto const views = s.engine.read();
    std::vector<run_status> out;
    for (auto const& r : runs) {
        ASSAY_TRY(auto const run, projections::get_run(*views, r.test, r.cell, r.ordinal));
        out.push_back(status_of(run));
    }
    return out;
}

/// A POST that waits: looks again until every run has ended or its time is over, and lets others
/// have the thread in between.
struct waiting : std::enable_shared_from_this<waiting> {
    services s;
    watch_hub& hub;
    reply respond;
    uuid group;
    std::vector<grid_id> runs;
    std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();
    std::chrono::seconds limit{0};

    waiting(services with, watch_hub& h, reply to) : s(with), hub(h), respond(std::move(to)) {}

    void answer(std::vector<run_status> const& found, bool timed_out)
    {
        std::chrono::duration<double> const took = std::chrono::steady_clock::now() - began;
        std::string body;
        json_writer w(body);
        w.begin_object().member("group_id", group).name("runs").begin_array();
        for (auto const& r : found)
            w.begin_object()
                .member("run_id", r.id)
                .member("status", r.status)
                .member("modality", "text")
                .member("error", r.error.empty() ? std::nullopt : std::optional(r.error))
                .end_object();
        w.end_array()
            .member("timed_out", timed_out)
            .member("waited_seconds", took.count())
            .end_object();
        respond(std::move(body));
    }

    void turn()
    {
        auto const found = look(s, runs);
        if (!found)
            return respond(std::unexpected(found.error()));
        bool const pending =
            std::ranges::any_of(*found, [](run_status const& r) { return r.status == "pending"; });
        bool const over = hub.closing() || std::chrono::steady_clock::now() - began >= limit;
        if (!pending || over)
            return answer(*found, pending && limit.count() > 0);
        std::this_thread::sleep_for(look_again);
        s.pool.run([self = shared_from_this()] { self->turn(); });
    }
};

/// POST /test/watch   200 how the runs stand · 404
void watch_once(services const& s, watch_hub& hub, incoming in, reply respond)
{
    auto const asked = read_body<watch_body>(in.body);
    auto const what = asked ? subject_of(s, in, asked->group_id, asked->run_id, {})
                            : result<subject>(std::unexpected(asked.error()));
    if (!what)
        return respond(std::unexpected(what.error()));
    auto const job = std::make_shared<waiting>(s, hub, std::move(respond));
    job->group = asked->group_id;
    if (what->run) {
        job->runs.push_back(*what->run);
    } else {
        auto const open = projections::list_open_runs(*s.engine.read(), what->test);
        if (!open)
            return job->respond(std::unexpected(open.error()));
        for (auto const& r : *open)
            job->runs.push_back({what->test, grid_kind::run, r.cell, r.run});
    }
    if (asked->wait_for_complete.value_or(false))
        job->limit = std::chrono::seconds(asked->timeout_seconds.value_or(wait_seconds_default));
    job->turn();
}

} // namespace

void add_watch(http::router& to, services const& s, watch_hub& hub)
{
    to.add({.method = http::method::get,
            .pattern = "/test/watch",
            .name = "test.watch",
            .permission = http::permission{"test", "watch"},
            .documented_errors = true,
            .serve = http::on_pool(
                s.pool, [s, &hub](http::request const& req) -> result<http::response> {
                    auto answer = watch(s, hub, req);
                    if (!answer)
                        return std::unexpected(documented(std::move(answer.error())));
                    return answer;
                })});
    add_slow_command(
        to, s, {.name = "test.watch_once", .path = "/test/watch", .permission = {"test", "watch"}},
        [s, &hub](incoming in, reply r) { watch_once(s, hub, std::move(in), std::move(r)); });
}

} // namespace assay::api
