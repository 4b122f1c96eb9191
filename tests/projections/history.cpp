#include "tests/projections/history.hpp"

#include <fmt/format.h>

#include <stdexcept>

namespace assay::test {

uuid id_of(std::string_view word)
{
    return derive_uuid(word);
}

uuid test_id_of(std::string_view word)
{
    return grid_id::test_id(derive_uuid(word));
}

digest hash_of(std::string_view word)
{
    return sha256(word);
}

content content_of(std::string_view word)
{
    return {sha256(word), sha256(fmt::format("sealed {}", word)), id_of("key"),
            static_cast<std::uint32_t>(word.size())};
}

uuid invocation_of(uuid const& test, std::uint32_t cell)
{
    return grid_id::make(test, grid_kind::invocation, cell);
}

result<decision> history::take(uuid const& workspace, any_command const& command,
                               uuid const& profile)
{
    auto const partition = footprint_of(command, workspace).partition;
    auto& state = partitions_[partition];
    state.workspace = workspace;
    auto made = decide(state, command);
    if (made && !made->events.empty())
        append(workspace, partition, made->events, profile);
    return made;
}

result<decision> history::take(uuid const& workspace, any_command const& command,
                               staging const& how, uuid const& profile)
{
    auto const partition = footprint_of(command, workspace).partition;
    auto& state = partitions_[partition];
    state.workspace = workspace;
    auto made = decide(state, command, how);
    if (made && !made->events.empty())
        append(workspace, partition, made->events, profile);
    return made;
}

decision history::must(uuid const& workspace, any_command const& command, uuid const& profile)
{
    auto made = take(workspace, command, profile);
    if (!made)
        throw std::runtime_error("a command of the test was refused: " + made.error().detail);
    return *made;
}

void history::append(uuid const& workspace, uuid const& partition, std::vector<draft> drafts,
                     uuid const& profile)
{
    auto c = std::make_shared<events::commit>();
    auto const position = commits_.size();
    now_us_ += step_us;
    c->head = {position,
               derive_uuid(id_of("commit"), "commit", position),
               derive_uuid(id_of("command"), "command", position),
               {now_us_},
               workspace,
               partition,
               profile,
               events::channel::api};
    for (auto& d : drafts) {
        apply(partitions_[partition], d.stream, d.body, {workspace, c->head.at});
        auto const index = static_cast<std::uint32_t>(c->events.size());
        c->events.push_back({&c->head, index, d.stream, ++versions_[d.stream], std::move(d.body)});
    }
    events_ += c->events.size();
    commits_.push_back(std::move(c));
}

command::start_test start_command(std::string_view word, start_options const& options)
{
    command::start_test c;
    c.test = test_id_of(word);
    auto& s = c.started;
    s.eval = id_of(options.eval);
    s.eval_name = options.eval;
    s.name = word;
    for (std::uint32_t i = 0; i < options.models; ++i)
        s.models.push_back({id_of(fmt::format("model {}", i)), fmt::format("model {}", i)});
    for (std::uint32_t i = 0; i < options.agents; ++i)
        s.agents.push_back({id_of(fmt::format("agent {}", i)), fmt::format("agent {}", i)});
    s.scenarios = options.scenarios;
    s.repeats = options.repeats;
    s.drive = options.how;
    s.rubric = named{id_of("rubric"), "rubric"};
    s.total_points = 10;
    s.pass_points = 6;
    s.standards = {{id_of("accuracy"), "accuracy", 5, 3}, {id_of("style"), "style", 5, 3}};
    s.departments = options.departments;
    s.config = content_of(options.config);
    s.config_hash = hash_of(options.config);
    s.infinite = options.max_repeats.has_value();
    s.max_repeats = options.max_repeats;
    return c;
}

namespace {

event::grade_recorded grade_of(std::uint32_t score_ppm)
{
    event::grade_recorded g;
    g.score_ppm = score_ppm;
    g.total_points = 10;
    g.pass_points = 6;
    g.passed = score_ppm >= 600'000;
    g.time_taken_us = 7;
    g.grader = "numeric/1";
    g.standards = {{id_of("accuracy"), score_ppm, g.passed},
                   {id_of("style"), score_ppm / 2, false}};
    return g;
}

event::call_recorded call_of(std::uint64_t latency_us)
{
    event::call_recorded c;
    c.messages = {{"system", content_of("be brief")}, {"user", content_of("what is 6 times 7?")}};
    c.answer = content_of("42");
    c.finish_reason = "stop";
    c.resolved_model = "model-2026";
    c.provider_request_id = "req-1";
    c.input_tokens = 120;
    c.output_tokens = 40;
    c.cost_pico = 1'500'000;
    c.currency = "USD";
    c.latency_us = latency_us;
    return c;
}

} // namespace

command::record_progress progress(uuid const& test, std::uint32_t cell, std::uint16_t run,
                                  outcome how, std::optional<std::uint32_t> score_ppm)
{
    command::record_progress c;
    c.test = test;
    c.cell = cell;
    c.run = run;
    c.call = call_of(20'000 + cell % 1000);
    c.ended = event::run_ended{run,
                               how,
                               how == outcome::completed ? "" : "failed",
                               {},
                               hash_of(fmt::format("cell {}", cell))};
    if (how != outcome::completed)
        c.call->answer.reset();
    if (score_ppm && how == outcome::completed)
        c.grade = grade_of(*score_ppm);
    return c;
}

void visit_big_history(std::uint32_t tests, std::uint32_t models, std::uint32_t scenarios,
                       std::function<void(events::commit_ptr)> const& visit)
{
    auto const workspace = id_of("workspace");
    std::uint64_t position = 0;
    auto const commit = [&](uuid const& partition, std::vector<draft> drafts,
                            std::uint64_t version) {
        auto c = std::make_shared<events::commit>();
        c->head = {position,
                   derive_uuid(workspace, "commit", position),
                   derive_uuid(workspace, "command", position),
                   {history::start_us + static_cast<std::int64_t>(position) * 100},
                   workspace,
                   partition,
                   {},
                   events::channel::runner};
        for (std::size_t i = 0; i < drafts.size(); ++i) {
            auto const same = i > 0 && drafts[i].stream == drafts[i - 1].stream;
            version = same ? version + 1 : version;
            c->events.push_back({&c->head, static_cast<std::uint32_t>(i), drafts[i].stream, version,
                                 std::move(drafts[i].body)});
        }
        ++position;
        visit(std::move(c));
    };

    constexpr std::uint32_t in_flight = 64;
    for (std::uint32_t t = 0; t < tests; ++t) {
        auto const start =
            start_command(fmt::format("big {}", t), {.models = models, .scenarios = scenarios});
        commit(start.test, {{{stream_kind::test, start.test}, start.started}}, 1);
        auto const cells = models * scenarios;
        for (std::uint32_t first = 0; first < cells; first += in_flight) {
            auto const last = std::min(cells, first + in_flight);
            std::vector<draft> begun;
            for (auto cell = first; cell < last; ++cell)
                begun.push_back(
                    {{stream_kind::cell, invocation_of(start.test, cell)}, event::run_started{1}});
            commit(start.test, std::move(begun), 1);
            for (auto cell = first; cell < last; ++cell) {
                auto p = progress(start.test, cell, 1, outcome::completed, cell % 11 * 100'000);
                p.call->run = 1;
                p.call->call = 1;
                p.call->latency_us = 15'000 + cell * 7919ULL % 40'000;
                p.grade->grade = 1;
                p.grade->run = 1;
                stream_id const stream{stream_kind::cell, invocation_of(start.test, cell)};
                commit(start.test, {{stream, *p.call}, {stream, *p.ended}, {stream, *p.grade}}, 2);
            }
        }
    }
}

} // namespace assay::test
