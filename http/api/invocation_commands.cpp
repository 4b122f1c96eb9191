#include "http/api/invocation_ids.hpp"
#include "http/api/routes.hpp"
#include "projections/queries.hpp"

#include <algorithm>

namespace assay::api {

namespace {

struct create_body {
    uuid test_id;
    std::optional<uuid> invocation_id;
    std::optional<std::string> title;
    std::optional<bool> use_custom;
    std::optional<std::int64_t> position;
    std::optional<uuid> scenario_id;
    std::optional<uuid> model_id;
    std::optional<std::vector<uuid>> agent_ids;

    static constexpr auto fields = std::tuple{
        field{"test_id", &create_body::test_id},
        field{"invocation_id", &create_body::invocation_id},
        field{"title", &create_body::title, {.size_max = 500}},
        field{"use_custom", &create_body::use_custom},
        field{"position", &create_body::position, {.min = 0}},
        field{"scenario_id", &create_body::scenario_id},
        field{"model_id", &create_body::model_id},
        field{"agent_ids", &create_body::agent_ids, {.size_max = 1}},
    };
};

struct run_body {
    std::optional<uuid> invocation_id;
    std::optional<uuid> test_id;
    std::optional<uuid> test_invocation_id;
    std::optional<uuid> test_invocation_trace_id;
    std::optional<uuid> run_id;

    static constexpr auto fields = std::tuple{
        field{"invocation_id", &run_body::invocation_id},
        field{"test_id", &run_body::test_id},
        field{"test_invocation_id", &run_body::test_invocation_id},
        field{"test_invocation_trace_id", &run_body::test_invocation_trace_id},
        field{"run_id", &run_body::run_id},
    };
};

struct complete_body {
    uuid test_id;
    uuid test_invocation_id;
    std::optional<std::string> message;

    static constexpr auto fields = std::tuple{
        field{"test_id", &complete_body::test_id},
        field{"test_invocation_id", &complete_body::test_invocation_id},
        field{"message", &complete_body::message},
    };
};

struct terminate_body {
    std::optional<uuid> invocation_id;
    std::optional<uuid> test_invocation_run_id;
    std::optional<bool> success;
    std::optional<bool> error;
    std::optional<std::string> message;

    static constexpr auto fields = std::tuple{
        field{"invocation_id", &terminate_body::invocation_id},
        field{"test_invocation_run_id", &terminate_body::test_invocation_run_id},
        field{"success", &terminate_body::success},
        field{"error", &terminate_body::error},
        field{"message", &terminate_body::message},
    };
};

template <class List>
std::optional<std::uint16_t> index_of(List const& items, uuid const& id)
{
    auto const found = std::ranges::find(items, id, &named::id);
    if (found == items.end())
        return std::nullopt;
    return static_cast<std::uint16_t>(found - items.begin());
}

result<std::uint32_t> scenario_number(services const& s, projections::test_row const& test,
                                      uuid const& id)
{
    for (std::uint32_t chunk = 0; chunk < test.started.scenario_chunks.size(); ++chunk) {
        ASSAY_TRY(auto const scenarios, s.engine.scenarios_of(test, chunk));
        auto const found = std::ranges::find(*scenarios, id, &engine::frozen_scenario::id);
        if (found != scenarios->end())
            return chunk * engine::scenario_chunk +
                   static_cast<std::uint32_t>(found - scenarios->begin());
    }
    return bad_field("scenario_id", "the scenario is not part of this test", "not_in_grid");
}

/// The new cell: as the invocation that is named, else the first of everything, with what the
/// request says over it.
result<command::add_cell> cell_of(services const& s, incoming const& in, create_body const& asked)
{
    auto const views = s.engine.read();
    ASSAY_TRY(auto const test, test_of(*views, in, asked.test_id));
    command::add_cell out{asked.test_id, {}};
    if (asked.invocation_id) {
        ASSAY_TRY(auto const place, place_of_invocation(*asked.invocation_id, asked.test_id));
        ASSAY_TRY(auto const like, projections::get_cell(*views, test, place.cell));
        out.cell.model = static_cast<std::uint16_t>(like.place.model);
        out.cell.agent = static_cast<std::uint16_t>(like.place.agent);
        out.cell.scenario = like.place.scenario;
    }
    if (asked.model_id) {
        auto const model = index_of(test.started.models, *asked.model_id);
        if (!model)
            return bad_field("model_id", "the model is not part of this test", "not_in_grid");
        out.cell.model = *model;
    }
    if (asked.agent_ids && !asked.agent_ids->empty()) {
        auto const agent = index_of(test.started.agents, asked.agent_ids->front());
        if (!agent)
            return bad_field("agent_ids", "the agent is not part of this test", "not_in_grid");
        out.cell.agent = *agent;
    }
    if (asked.scenario_id) {
        ASSAY_TRY(out.cell.scenario, scenario_number(s, test, *asked.scenario_id));
    }
    out.cell.title = asked.title.value_or(std::string());
    out.cell.custom = asked.use_custom.value_or(false);
    return out;
}

/// POST /test/invocation_create   200 its id · 404 · 409 completed · 422 not part of the grid
void create(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<create_body>(in.body);
    auto command =
        asked ? cell_of(s, in, *asked) : result<command::add_cell>(std::unexpected(asked.error()));
    if (!command)
        return respond(std::unexpected(std::move(command.error())));
    give(s, s.engine.prepare(in.who, "test.invocation_create", std::move(*command)),
         std::move(respond), [key = echoed_key(in.who)](events::receipt const& r) {
             auto answer = r.answer;
             answer["idempotency_key"] = key;
             return json::canonical(answer);
         });
}

void start_run(services const& s, incoming const& in, uuid const& invocation,
               std::optional<uuid> const& test, reply respond)
{
    auto const place = place_of_invocation(invocation, test);
    auto const allowed =
        place ? check_test(s, in, place->test) : result<void>(std::unexpected(place.error()));
    if (!allowed)
        return respond(std::unexpected(allowed.error()));
    give(s,
         s.engine.prepare(in.who, "test.invocation_run",
                          command::run_cell{place->test, place->cell}),
         std::move(respond), [key = echoed_key(in.who)](events::receipt const& r) {
             auto const& run = r.answer.at("run_id");
             return json::canonical(json::object{{"test_invocation_run_id", run},
                                                 {"run_id", run},
                                                 {"invocation_id", r.answer.at("invocation_id")},
                                                 {"success", true},
                                                 {"idempotency_key", key}});
         });
}

/// Names a run that is there: nothing changes, the binding's handle is answered.
result<std::string> bind_run(services const& s, incoming const& in, run_body const& asked)
{
    auto const views = s.engine.read();
    ASSAY_TRY(auto const test, test_of(*views, in, *asked.test_id));
    ASSAY_TRY(auto const place,
              place_of_run(*asked.test_id, *asked.test_invocation_id, *asked.run_id));
    ASSAY_CHECK(projections::get_cell(*views, test, place.cell));
    ASSAY_CHECK(projections::get_run(*views, place.test, place.cell, place.ordinal));
    if (asked.test_invocation_trace_id) {
        auto const trace = grid_id::read(*asked.test_invocation_trace_id, grid_kind::trace);
        auto const absent = fail(errc::not_found, "there is no such trace", "trace_not_found");
        if (!trace || trace->test != place.test || trace->cell != place.cell)
            return absent;
        ASSAY_TRY(auto const row,
                  projections::get_trace(*views, trace->test, trace->cell, trace->ordinal));
        if (!row)
            return absent;
    }
    return json::canonical(json::object{{"test_invocation_run_id", asked.run_id->text()},
                                        {"run_id", asked.run_id->text()},
                                        {"invocation_id", asked.test_invocation_id->text()},
                                        {"success", true},
                                        {"idempotency_key", echoed_key(in.who)}});
}

/// POST /test/invocation_run   200 the run's id · 404 · 409 running, completed
void run(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<run_body>(in.body);
    if (!asked)
        return respond(std::unexpected(asked.error()));
    if (asked->invocation_id)
        return start_run(s, in, *asked->invocation_id, asked->test_id, std::move(respond));
    body_problems bad;
    for (auto const& [name, given] : {std::pair{"test_id", asked->test_id.has_value()},
                                      {"test_invocation_id", asked->test_invocation_id.has_value()},
                                      {"run_id", asked->run_id.has_value()}}) {
        if (given)
            continue;
        bad.enter(name);
        bad.add("missing", "give invocation_id, or test_id, test_invocation_id and run_id");
        bad.leave();
    }
    if (auto const whole = std::move(bad).verdict(); !whole)
        return respond(std::unexpected(whole.error()));
    respond(bind_run(s, in, *asked));
}

/// POST /test/invocation_complete   200 · 404 · 409 not open
void complete(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<complete_body>(in.body);
    if (!asked)
        return respond(std::unexpected(asked.error()));
    auto const place = place_of_invocation(asked->test_invocation_id, asked->test_id);
    auto const allowed =
        place ? check_test(s, in, place->test) : result<void>(std::unexpected(place.error()));
    if (!allowed)
        return respond(std::unexpected(allowed.error()));
    give(s,
         s.engine.prepare(in.who, "test.invocation_complete",
                          command::complete_cell{place->test, place->cell}),
         std::move(respond), [key = echoed_key(in.who)](events::receipt const& r) {
             auto answer = r.answer;
             answer["success"] = true;
             answer["idempotency_key"] = key;
             return json::canonical(answer);
         });
}

/// Whether `run` is the run that its cell is busy with, so that ending it ends the right one.
result<void> check_newest(services const& s, incoming const& in, grid_id const& run)
{
    auto const views = s.engine.read();
    auto const test = test_of(*views, in, run.test);
    if (!test)
        return test.error().code == errc::not_found ? no_run() : std::unexpected(test.error());
    ASSAY_TRY(auto const cell, projections::get_cell(*views, *test, run.cell));
    if (run.ordinal == 0 || run.ordinal > cell.row.own.runs)
        return no_run();
    if (run.ordinal < cell.row.own.runs)
        return fail(errc::conflict, "the run has ended; the invocation was fired again since",
                    "run_ended");
    return {};
}

std::string ended(events::receipt const& r, json::value const& key)
{
    auto const member = [&](std::string_view name) {
        auto const* const v = r.answer.if_contains(name);
        return v ? *v : json::value(nullptr);
    };
    return json::canonical(json::object{{"test_invocation_run_id", member("run_id")},
                                        {"invocation_id", member("invocation_id")},
                                        {"completion_id", member("completion_id")},
                                        {"success", true},
                                        {"idempotency_key", key}});
}

/// By run: `success` says that the client carried it out itself, which completes the invocation.
void end_run(services const& s, incoming const& in, terminate_body const& asked, reply respond)
{
    auto const run = grid_id::read(*asked.test_invocation_run_id, grid_kind::run);
    auto const good = run ? check_newest(s, in, *run) : result<void>(no_run());
    if (!good)
        return respond(std::unexpected(good.error()));
    bool const completes = asked.success.value_or(false) && !asked.error.value_or(false);
    any_command command = command::terminate_cell{run->test, run->cell};
    if (completes)
        command = command::complete_cell{run->test, run->cell};
    give(s, s.engine.prepare(in.who, "test.invocation_terminate", std::move(command)),
         std::move(respond),
         [key = echoed_key(in.who), id = asked.test_invocation_run_id](events::receipt const& r) {
             auto with_run = r;
             with_run.answer["run_id"] = id->text();
             return ended(with_run, key);
         });
}

/// POST /test/invocation_terminate   200 · 404 · 409 not open
void terminate(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<terminate_body>(in.body);
    if (!asked)
        return respond(std::unexpected(asked.error()));
    if (asked->test_invocation_run_id && !asked->invocation_id)
        return end_run(s, in, *asked, std::move(respond));
    if (!asked->invocation_id)
        return respond(bad_field("invocation_id",
                                 "give an invocation_id or a test_invocation_run_id", "missing"));
    auto const place = place_of_invocation(*asked->invocation_id);
    auto const allowed =
        place ? check_test(s, in, place->test) : result<void>(std::unexpected(place.error()));
    if (!allowed)
        return respond(std::unexpected(allowed.error()));
    give(s,
         s.engine.prepare(in.who, "test.invocation_terminate",
                          command::terminate_cell{place->test, place->cell}),
         std::move(respond),
         [key = echoed_key(in.who)](events::receipt const& r) { return ended(r, key); });
}

} // namespace

void add_invocation_commands(http::router& to, services const& s)
{
    add_slow_command(to, s,
                     {.name = "test.invocation_create",
                      .path = "/test/invocation_create",
                      .permission = {"test", "invocation_create"},
                      .tags = "test,tests,benchmark",
                      .summary = "Add an invocation beside the grid.",
                      .params = params_of<create_body>()},
                     [s](incoming in, reply r) { create(s, std::move(in), std::move(r)); });
    add_slow_command(to, s,
                     {.name = "test.invocation_run",
                      .path = "/test/invocation_run",
                      .permission = {"test", "invocation_run"},
                      .tags = "test,tests,benchmark",
                      .summary = "Start an invocation, or fire it again.",
                      .params = params_of<run_body>(),
                      .staged = true},
                     [s](incoming in, reply r) { run(s, std::move(in), std::move(r)); });
    add_slow_command(to, s,
                     {.name = "test.invocation_complete",
                      .path = "/test/invocation_complete",
                      .permission = {"test", "invocation_complete"},
                      .tags = "test,tests,benchmark",
                      .summary = "Close an invocation by hand.",
                      .params = params_of<complete_body>(),
                      .staged = true},
                     [s](incoming in, reply r) { complete(s, std::move(in), std::move(r)); });
    add_slow_command(to, s,
                     {.name = "test.invocation_terminate",
                      .path = "/test/invocation_terminate",
                      .permission = {"test", "invocation_terminate"},
                      .tags = "test,tests,benchmark",
                      .summary = "End a running invocation at its next safe point.",
                      .params = params_of<terminate_body>()},
                     [s](incoming in, reply r) { terminate(s, std::move(in), std::move(r)); });
}

} // namespace assay::api
