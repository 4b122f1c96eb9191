#include "http/api/routes.hpp"
#include "projections/queries.hpp"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <mutex>

namespace assay::api {

namespace {

struct start_body {
    uuid eval_id;
    std::optional<std::vector<uuid>> model_ids;
    std::optional<std::vector<uuid>> scenario_ids;
    std::optional<std::vector<uuid>> agent_ids;
    std::optional<bool> infinite_mode;
    std::optional<std::uint32_t> max_repeats;
    std::optional<std::string> name;
    std::optional<std::uint32_t> repeats;
    std::optional<std::string> drive;
    std::optional<bool> resume;
    std::optional<bool> reuse;

    static constexpr std::array<std::string_view, 2> drives{"automatic", "manual"};
    static constexpr auto fields = std::tuple{
        field{"eval_id", &start_body::eval_id},
        field{"model_ids", &start_body::model_ids, {.size_max = 1000}},
        field{"scenario_ids", &start_body::scenario_ids, {.size_max = scenarios_max}},
        field{"agent_ids", &start_body::agent_ids, {.size_max = 1000}},
        field{"infinite_mode", &start_body::infinite_mode},
        field{"max_repeats", &start_body::max_repeats, {.min = 1, .max = 1'000'000}},
        field{"name", &start_body::name, {.size_min = 1, .size_max = 500}},
        field{"repeats", &start_body::repeats, {.min = 1, .max = 1000}},
        field{"drive", &start_body::drive, {.words = drives}},
        field{"resume", &start_body::resume},
        field{"reuse", &start_body::reuse},
    };
};

struct driven_body {
    uuid benchmark_id;
    std::optional<bool> infinite_mode;

    static constexpr auto fields = std::tuple{
        field{"benchmark_id", &driven_body::benchmark_id},
        field{"infinite_mode", &driven_body::infinite_mode},
    };
};

struct invocation_body {
    uuid invocation_id;

    static constexpr auto fields =
        std::tuple{field{"invocation_id", &invocation_body::invocation_id}};
};

struct test_body {
    uuid test_id;

    static constexpr auto fields = std::tuple{field{"test_id", &test_body::test_id}};
};

struct stop_body {
    std::optional<uuid> test_id;
    std::optional<uuid> invocation_id;

    static constexpr auto fields = std::tuple{
        field{"test_id", &stop_body::test_id},
        field{"invocation_id", &stop_body::invocation_id},
    };
};

struct archive_body {
    std::vector<uuid> test_ids;
    std::optional<bool> archived;

    static constexpr auto fields = std::tuple{
        field{"test_ids", &archive_body::test_ids, {.size_min = 1, .size_max = 1000}},
        field{"archived", &archive_body::archived},
    };
};

engine::start_request request_of(start_body const& b)
{
    return {.eval = b.eval_id,
            .models = b.model_ids,
            .scenarios = b.scenario_ids,
            .agents = b.agent_ids,
            .name = b.name.value_or(std::string()),
            .repeats = b.repeats.value_or(1),
            .drive = b.drive == "manual" ? drive::manual : drive::automatic,
            .infinite = b.infinite_mode,
            .max_repeats = b.max_repeats,
            .reuse = b.reuse.value_or(false),
            .resume = b.resume.value_or(false)};
}

/// What a start refers to must be the caller's, and so must a test that it resumes.
result<engine::prepared_start> prepare_start(services const& s, incoming const& in,
                                             engine::start_request const& asked)
{
    auto const views = s.engine.read();
    ASSAY_CHECK(check_items(*views, in, {asked.eval}));
    for (auto const* const named : {&asked.models, &asked.scenarios, &asked.agents})
        if (*named)
            ASSAY_CHECK(check_items(*views, in, **named));
    ASSAY_TRY(auto ready, s.engine.prepare_start(in.who, asked));
    if (ready.resumed)
        ASSAY_CHECK(check_test(s, in, *ready.resumed));
    return ready;
}

/// What the older API calls a benchmark: a test's rollup, which stands for its eval, or the eval
/// itself.
result<uuid> eval_of(services const& s, incoming const& in, uuid const& benchmark)
{
    auto const rollup = grid_id::read(benchmark, grid_kind::benchmark);
    if (!rollup)
        return benchmark;
    ASSAY_TRY(auto const test,
              projections::get_test(*s.engine.read(), in.who.workspace, rollup->test));
    ASSAY_CHECK(check_departments(in, test.started.departments));
    return test.started.eval;
}

/// POST /api/v5/artifacts/test/start   200 its id · 404 · 422: the client does next, run and end
void start_driven(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<driven_body>(in.body);
    auto const eval =
        asked ? eval_of(s, in, asked->benchmark_id) : result<uuid>(std::unexpected(asked.error()));
    auto ready =
        eval ? prepare_start(
                   s, in, {.eval = *eval, .drive = drive::manual, .infinite = asked->infinite_mode})
             : result<engine::prepared_start>(std::unexpected(eval.error()));
    auto const answer = [](events::receipt const& r) {
        return json::canonical(json::object{{"test_id", r.answer.at("test_id")}});
    };
    if (!ready)
        return give_again(s, in, "test.start", std::move(ready.error()), std::move(respond),
                          answer);
    give(s, std::move(ready->command), std::move(respond), answer);
}

/// POST /test/start   200 ids · 404 an id of nothing · 422 an empty grid, an inactive item
void start(services const& s, incoming in, reply respond)
{
    auto asked = read_body<start_body>(in.body);
    if (!asked)
        return respond(std::unexpected(std::move(asked.error())));
    auto ready = prepare_start(s, in, request_of(*asked));
    auto const key = echoed_key(in.who);
    auto const answer = [key](events::receipt const& r) {
        auto out = r.answer;
        out["idempotency_key"] = key;
        out["resumed"] = false;
        return json::canonical(out);
    };
    if (!ready)
        return give_again(s, in, "test.start", std::move(ready.error()), std::move(respond),
                          answer);
    if (ready->resumed) {
        auto const& test = *ready->resumed;
        return respond(json::canonical(
            json::object{{"test_id", test.text()},
                         {"invocation_id", grid_id::make(test, grid_kind::invocation).text()},
                         {"benchmark_id", grid_id::make(test, grid_kind::benchmark).text()},
                         {"idempotency_key", key},
                         {"resumed", true}}));
    }
    give(s, std::move(ready->command), std::move(respond), answer);
}

std::string stopped_message(json::object const& answer)
{
    if (answer.at("already").as_bool())
        return "The test was stopped before.";
    return fmt::format("{} queued invocations were terminated; {} running ones end at their next "
                       "safe point.",
                       answer.at("queued").to_number<std::uint64_t>(),
                       answer.at("running").to_number<std::uint64_t>());
}

/// POST /test/stop by test   200 · 404 · 409 completed
void stop_test(services const& s, incoming const& in, uuid const& test, reply respond)
{
    command::stop_test command{test, {}};
    {
        auto const views = s.engine.read();
        auto row = projections::get_test(*views, in.who.workspace, test);
        auto allowed = row ? check_departments(in, row->started.departments)
                           : result<void>(std::unexpected(row.error()));
        if (!allowed)
            return respond(std::unexpected(std::move(allowed.error())));
        auto open = projections::first_open_cell(*views, *row);
        if (open && *open)
            command.first_open = (*open)->invocation;
    }
    give(s, s.engine.prepare(in.who, "test.stop", std::move(command)), std::move(respond),
         [key = echoed_key(in.who)](events::receipt const& r) {
             auto const& a = r.answer;
             auto const* const first = a.if_contains("invocation_id");
             return json::canonical(
                 json::object{{"invocation_id", first ? *first : json::value(nullptr)},
                              {"success", true},
                              {"message", stopped_message(a)},
                              {"queued", a.at("queued")},
                              {"running", a.at("running")},
                              {"idempotency_key", key}});
         });
}

/// POST /test/stop by invocation   the same as ending that one
void stop_invocation(services const& s, incoming const& in, uuid const& invocation, reply respond)
{
    auto const cell = grid_id::read(invocation, grid_kind::invocation);
    if (!cell)
        return respond(
            fail(errc::not_found, "there is no such invocation", "invocation_not_found"));
    if (auto allowed = check_test(s, in, cell->test); !allowed)
        return respond(std::unexpected(std::move(allowed.error())));
    give(s, s.engine.prepare(in.who, "test.stop", command::terminate_cell{cell->test, cell->cell}),
         std::move(respond), [key = echoed_key(in.who)](events::receipt const& r) {
             bool const already = r.answer.contains("already");
             return json::canonical(
                 json::object{{"invocation_id", r.answer.at("invocation_id")},
                              {"success", true},
                              {"message", already ? "The invocation was terminated before."
                                                  : "The invocation was terminated."},
                              {"idempotency_key", key}});
         });
}

void stop(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<stop_body>(in.body);
    if (!asked)
        return respond(std::unexpected(asked.error()));
    if (asked->test_id)
        return stop_test(s, in, *asked->test_id, std::move(respond));
    if (asked->invocation_id)
        return stop_invocation(s, in, *asked->invocation_id, std::move(respond));
    respond(bad_field("test_id", "give a test_id or an invocation_id", "missing"));
}

/// POST /api/v5/artifacts/test/stop   the same, by invocation alone
void stop_one(services const& s, incoming const& in, reply respond)
{
    auto const asked = read_body<invocation_body>(in.body);
    if (!asked)
        return respond(std::unexpected(asked.error()));
    stop_invocation(s, in, asked->invocation_id, std::move(respond));
}

/// POST /test/complete   200 · 404 · 409 completed before
void complete(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<test_body>(in.body);
    if (!asked)
        return respond(std::unexpected(asked.error()));
    if (auto allowed = check_test(s, in, asked->test_id); !allowed)
        return respond(std::unexpected(std::move(allowed.error())));
    give(s, s.engine.prepare(in.who, "test.complete", command::complete_test{asked->test_id}),
         std::move(respond), [key = echoed_key(in.who)](events::receipt const& r) {
             auto answer = r.answer;
             answer["success"] = true;
             answer["idempotency_key"] = key;
             return json::canonical(answer);
         });
}

/// One archive request over several tests: each is a commit of its own, since each is a partition
/// of its own.
struct archiving {
    archiving(reply to, json::value key, std::size_t count)
        : respond(std::move(to)), echoed(std::move(key)), left(count)
    {
    }

    reply respond;
    json::value echoed;
    std::mutex mutex;
    std::size_t left;
    std::uint64_t updated = 0;
    events::receipt newest; ///< of them all one is staged, or all are
    std::optional<error> problem;

    void take(result<events::receipt> done)
    {
        std::lock_guard const lock(mutex);
        if (!done && !problem)
            problem = std::move(done.error());
        else if (done && done->answer.at("changed").as_bool())
            ++updated;
        if (done)
            newest = std::move(*done);
        if (--left > 0)
            return;
        if (problem)
            return respond(std::unexpected(std::move(*problem)));
        if (is_pending(newest))
            respond.nothing_stale();
        respond(marked(
            json::canonical(json::object{{"updated_count", updated}, {"idempotency_key", echoed}}),
            newest));
    }
};

/// What would refuse one of the tests refuses all of them before any is changed.
result<void> check_archivable(services const& s, incoming const& in, archive_body const& asked)
{
    auto const views = s.engine.read();
    for (auto const& test : asked.test_ids) {
        ASSAY_TRY(auto row, projections::get_test(*views, in.who.workspace, test));
        ASSAY_CHECK(check_departments(in, row.started.departments));
    }
    return {};
}

/// POST /test/archive   200 how many changed · 404
///
/// @param otherwise  what to set when the request does not say; none: each test is toggled
void archive(services const& s, incoming in, reply respond, std::optional<bool> otherwise)
{
    auto asked = read_body<archive_body>(in.body);
    if (asked && !asked->archived)
        asked->archived = otherwise;
    auto checked =
        asked ? check_archivable(s, in, *asked) : result<void>(std::unexpected(asked.error()));
    std::vector<engine::prepared> commands;
    for (std::size_t i = 0; checked && i < asked->test_ids.size(); ++i) {
        auto command = s.engine.prepare(
            in.who, "test.archive", command::archive_test{asked->test_ids[i], asked->archived}, i);
        if (command)
            commands.push_back(std::move(*command));
        else
            checked = std::unexpected(std::move(command.error()));
    }
    if (!checked)
        return respond(std::unexpected(std::move(checked.error())));
    auto const job =
        std::make_shared<archiving>(std::move(respond), echoed_key(in.who), commands.size());
    for (auto& command : commands)
        s.engine.give(std::move(command),
                      [job](result<events::receipt> done) { job->take(std::move(done)); });
}

} // namespace

void add_test_commands(http::router& to, services const& s)
{
    auto const add = [&](operation op, auto serve) {
        add_slow_command(to, s, std::move(op), [s, serve](incoming in, reply r) {
            serve(s, std::move(in), std::move(r));
        });
    };
    constexpr std::string_view tags = "test,tests,benchmark";
    add({.name = "test.start",
         .path = "/test/start",
         .permission = {"test", "start"},
         .tags = tags,
         .body_bytes_max = 8 << 20,
         .summary = "Start a test: the grid of an eval's models, scenarios and agents.",
         .params = params_of<start_body>(),
         .staged = true},
        start);
    add({.name = "v5.test.start",
         .path = "/api/v5/artifacts/test/start",
         .permission = {"test", "start"},
         .tags = tags,
         .summary = "Start a test that its client drives.",
         .params = params_of<driven_body>()},
        start_driven);
    add({.name = "test.stop",
         .path = "/test/stop",
         .permission = {"test", "stop"},
         .tags = tags,
         .summary = "Stop a test, or one of its invocations.",
         .params = params_of<stop_body>(),
         .staged = true},
        stop);
    add({.name = "v5.test.stop",
         .path = "/api/v5/artifacts/test/stop",
         .permission = {"test", "stop"},
         .tags = tags,
         .summary = "Stop one invocation.",
         .params = params_of<invocation_body>()},
        stop_one);
    add({.name = "test.complete",
         .path = "/test/complete",
         .permission = {"test", "complete"},
         .tags = tags,
         .summary = "Close a test for good.",
         .params = params_of<test_body>(),
         .staged = true},
        complete);
    constexpr std::string_view archive_tags = "benchmark,test,artifacts";
    add({.name = "test.archive",
         .path = "/test/archive",
         .permission = {"test", "archive"},
         .tags = archive_tags,
         .summary = "Hide tests from search, or show them again.",
         .params = params_of<archive_body>(),
         .staged = true},
        [](services const& with, incoming in, reply r) {
            archive(with, std::move(in), std::move(r), std::nullopt);
        });
    add({.name = "v5.test.archive",
         .path = "/api/v5/artifacts/test/archive",
         .permission = {"test", "archive"},
         .tags = archive_tags,
         .summary = "Hide tests from search, unless it says otherwise.",
         .params = params_of<archive_body>()},
        [](services const& with, incoming in, reply r) {
            archive(with, std::move(in), std::move(r), true);
        });
}

} // namespace assay::api
