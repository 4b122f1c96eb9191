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
        field{"name", &start_body::name, {.size_min = 1, .size_max = 500}},
        field{"repeats", &start_body::repeats, {.min = 1, .max = 1000}},
        field{"drive", &start_body::drive, {.words = drives}},
        field{"resume", &start_body::resume},
        field{"reuse", &start_body::reuse},
    };
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
            .infinite = b.infinite_mode.value_or(false),
            .reuse = b.reuse.value_or(false),
            .resume = b.resume.value_or(false)};
}

result<engine::prepared_start> prepare_start(services const& s, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<start_body>(in.body));
    auto const views = s.engine.read();
    ASSAY_CHECK(check_items(*views, in, {asked.eval_id}));
    for (auto const* const named : {&asked.model_ids, &asked.scenario_ids, &asked.agent_ids})
        if (*named)
            ASSAY_CHECK(check_items(*views, in, **named));
    ASSAY_TRY(auto ready, s.engine.prepare_start(in.who, request_of(asked)));
    if (ready.resumed)
        ASSAY_CHECK(check_test(s, in, *ready.resumed));
    return ready;
}

/// POST /test/start   200 ids · 404 an id of nothing · 422 an empty grid, an inactive item
void start(services const& s, incoming in, reply respond)
{
    auto ready = prepare_start(s, in);
    if (!ready)
        return respond(std::unexpected(std::move(ready.error())));
    auto const key = echoed_key(in.who);
    if (ready->resumed) {
        auto const& test = *ready->resumed;
        return respond(json::canonical(
            json::object{{"test_id", test.text()},
                         {"invocation_id", grid_id::make(test, grid_kind::invocation).text()},
                         {"benchmark_id", grid_id::make(test, grid_kind::benchmark).text()},
                         {"idempotency_key", key},
                         {"resumed", true}}));
    }
    give(s, std::move(ready->command), std::move(respond), [key](events::receipt const& r) {
        auto answer = r.answer;
        answer["idempotency_key"] = key;
        answer["resumed"] = false;
        return json::canonical(answer);
    });
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
    std::optional<error> problem;

    void take(result<events::receipt> done)
    {
        std::lock_guard const lock(mutex);
        if (!done && !problem)
            problem = std::move(done.error());
        else if (done && done->answer.at("changed").as_bool())
            ++updated;
        if (--left > 0)
            return;
        if (problem)
            return respond(std::unexpected(std::move(*problem)));
        respond(
            json::canonical(json::object{{"updated_count", updated}, {"idempotency_key", echoed}}));
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
void archive(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<archive_body>(in.body);
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
    add_slow_command(to, s,
                     {.name = "test.start",
                      .path = "/test/start",
                      .permission = {"test", "start"},
                      .tags = "test,tests,benchmark",
                      .body_bytes_max = 8 << 20},
                     [s](incoming in, reply r) { start(s, std::move(in), std::move(r)); });
    add_slow_command(to, s,
                     {.name = "test.stop",
                      .path = "/test/stop",
                      .permission = {"test", "stop"},
                      .tags = "test,tests,benchmark"},
                     [s](incoming in, reply r) { stop(s, std::move(in), std::move(r)); });
    add_command(to,
                {.name = "test.complete",
                 .path = "/test/complete",
                 .permission = {"test", "complete"},
                 .tags = "test,tests,benchmark"},
                [s](incoming in, reply r) { complete(s, std::move(in), std::move(r)); });
    add_slow_command(to, s,
                     {.name = "test.archive",
                      .path = "/test/archive",
                      .permission = {"test", "archive"},
                      .tags = "benchmark,test,artifacts"},
                     [s](incoming in, reply r) { archive(s, std::move(in), std::move(r)); });
}

} // namespace assay::api
