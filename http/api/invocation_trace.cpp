#include "http/api/routes.hpp"
#include "http/api/run_rows.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace assay::api {

namespace {

struct trace_body {
    std::optional<uuid> invocation_id;
    std::optional<uuid> test_id;
    std::optional<uuid> test_invocation_id;
    std::optional<uuid> run_id;
    std::optional<std::string> prompt_text;
    std::optional<std::vector<std::string>> instructions;

    static constexpr auto fields = std::tuple{
        field{"invocation_id", &trace_body::invocation_id},
        field{"test_id", &trace_body::test_id},
        field{"test_invocation_id", &trace_body::test_invocation_id},
        field{"run_id", &trace_body::run_id},
        field{"prompt_text", &trace_body::prompt_text, {.size_max = 256 * 1024}},
        field{"instructions", &trace_body::instructions, {.size_max = 100}},
    };
};

constexpr std::array<std::string_view, 8> bundle_lists{
    "tool_ids",
    "modality_ids",
    "voice_ids",
    "temperature_level_ids",
    "reasoning_level_ids",
    "quality_ids",
    "prompt_ids",
    "instruction_ids",
};

/// The lists of ids that a request names, as the bundle keeps them.
result<json::object> bundle_of(json::object const& body)
{
    json::object out;
    body_problems bad;
    for (auto const name : bundle_lists) {
        auto const* const v = body.if_contains(name);
        if (!v || v->is_null())
            continue;
        std::vector<uuid> ids;
        bad.enter(name);
        read_value(*v, {.size_max = 1000}, bad, ids);
        bad.leave();
        json::array list;
        for (auto const& id : ids)
            list.emplace_back(id.text());
        out[name] = std::move(list);
    }
    ASSAY_CHECK(std::move(bad).verdict());
    return out;
}

result<grid_id> place_of(trace_body const& asked)
{
    auto const& id = asked.invocation_id ? asked.invocation_id : asked.test_invocation_id;
    if (!id)
        return bad_field("invocation_id", "give invocation_id, or test_id and test_invocation_id",
                         "missing");
    if (!asked.invocation_id && !asked.test_id)
        return bad_field("test_id", "this field is required beside test_invocation_id", "missing");
    auto const place = grid_id::read(*id, grid_kind::invocation);
    if (!place || (asked.test_id && place->test != *asked.test_id))
        return fail(errc::not_found, "there is no such invocation", "invocation_not_found");
    return *place;
}

result<std::uint16_t> run_of(trace_body const& asked, grid_id const& place)
{
    if (!asked.run_id)
        return std::uint16_t{0};
    auto const run = grid_id::read(*asked.run_id, grid_kind::run);
    if (!run || run->ordinal == 0 || run->test != place.test || run->cell != place.cell)
        return fail(errc::not_found, "there is no such run", "run_not_found");
    return run->ordinal;
}

result<engine::prepared> prepare_trace(services const& s, incoming const& in,
                                       trace_body const& asked, grid_id const& place,
                                       std::uint16_t run, json::object bundle)
{
    command::open_trace command{place.test, place.cell, run, std::move(bundle), {}};
    events::blob_list blobs;
    auto const seal = [&](std::string name, std::string const& text) -> result<void> {
        ASSAY_TRY(auto sealed, s.engine.seal(in.who.workspace, text, blobs));
        command.texts.push_back({std::move(name), std::move(sealed)});
        return {};
    };
    if (asked.prompt_text)
        ASSAY_CHECK(seal("prompt_text", *asked.prompt_text));
    auto const instructions = asked.instructions.value_or(std::vector<std::string>());
    for (std::size_t i = 0; i < instructions.size(); ++i)
        ASSAY_CHECK(seal(fmt::format("instructions[{}]", i), instructions[i]));
    ASSAY_TRY(auto prepared, s.engine.prepare(in.who, "test.invocation_trace", std::move(command)));
    prepared.blobs = std::move(blobs);
    return prepared;
}

struct traced {
    uuid id;
    events::receipt receipt; ///< of nothing, when the trace was there
};

/// The id of the trace that the request is about: the newest if it says nothing of its own, else a
/// new one.
result<traced> find_or_open(services const& s, incoming const& in, trace_body const& asked,
                            grid_id const& place)
{
    ASSAY_TRY(auto bundle, bundle_of(in.body));
    ASSAY_TRY(auto const run, run_of(asked, place));
    bool const plain = bundle.empty() && run == 0 && !asked.prompt_text && !asked.instructions;
    if (plain) {
        auto const views = s.engine.read();
        ASSAY_TRY(auto const traces, projections::list_traces(*views, place.test, place.cell));
        if (!traces.empty())
            return traced{
                grid_id::make(place.test, grid_kind::trace, place.cell, traces.back().trace), {}};
    }
    ASSAY_TRY(auto command, prepare_trace(s, in, asked, place, run, std::move(bundle)));
    ASSAY_TRY(auto receipt, s.engine.give_and_wait(std::move(command)));
    auto const id = uuid::parse(std::string_view(receipt.answer.at("trace_id").as_string()));
    if (!id)
        return fail(errc::internal, "a trace without an id");
    return traced{*id, std::move(receipt)};
}

/// POST /test/invocation_trace   200 id and trace · 404 · 409 test completed and no trace yet
result<std::string> trace(services const& s, incoming const& in, reply& respond)
{
    ASSAY_TRY(auto const asked, read_body<trace_body>(in.body));
    ASSAY_TRY(auto const place, place_of(asked));
    {
        auto const opened = test_data::open(s, in, s.engine.read(), place.test);
        if (!opened && opened.error().code == errc::not_found)
            return fail(errc::not_found, "there is no such invocation", "invocation_not_found");
        if (!opened)
            return std::unexpected(opened.error());
        ASSAY_CHECK(projections::get_cell((*opened)->views(), (*opened)->test(), place.cell));
    }
    ASSAY_TRY(auto const found, find_or_open(s, in, asked, place));
    auto const& id = found.id;
    if (is_pending(found.receipt))
        respond.nothing_stale();

    std::string body;
    json_writer w(body);
    w.begin_object()
        .member("test_invocation_trace_id", id)
        .member("success", true)
        .member("idempotency_key", echoed_key(in.who));
    // Runs go on after the first answer; one that will be repeated must not hold them.
    if (in.who.idempotency_key.empty()) {
        ASSAY_TRY(auto const data, test_data::open(s, in, s.engine.read(), place.test));
        ASSAY_TRY(auto const cell, data->cell(place.cell));
        auto const ordinal = grid_id::read(id)->ordinal;
        auto const row = std::ranges::find(cell.traces, ordinal, &projections::trace_row::trace);
        w.name("trace");
        ASSAY_CHECK(write_trace(w, s, *data, cell, row == cell.traces.end() ? nullptr : &*row));
    }
    w.end_object();
    return marked(std::move(body), found.receipt);
}

} // namespace

void add_invocation_trace(http::router& to, services const& s)
{
    add_slow_command(to, s,
                     {.name = "test.invocation_trace",
                      .path = "/test/invocation_trace",
                      .permission = {"test", "invocation_trace"},
                      .tags = "test",
                      .summary = "Bind an invocation to its configuration, and read its trace.",
                      .params = params_of<trace_body>(),
                      .staged = true},
                     [s](incoming in, reply respond) { respond(trace(s, in, respond)); });
}

} // namespace assay::api
