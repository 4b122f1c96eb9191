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

namespace {

/// Draws commands. Every choice comes from one generator, so a seed is a history.
class random_commands {
public:
    explicit random_commands(std::uint64_t seed) : random_(seed) {}

    history run(std::size_t commands)
    {
        for (auto const& w : workspaces_)
            history_.must(w, command::create_workspace{w, "workspace"});
        std::size_t accepted = 0;
        for (std::size_t tries = 0; accepted < commands && tries < commands * 20; ++tries) {
            auto const before = history_.commits().size();
            auto const& workspace = workspaces_[below(2)];
            (void)history_.take(workspace, draw(workspace),
                                below(3) == 0 ? uuid{} : id_of("profile"));
            accepted += history_.commits().size() - before;
        }
        return std::move(history_);
    }

private:
    std::uint64_t below(std::uint64_t n) { return random_() % n; }

    bool chance(unsigned percent) { return below(100) < percent; }

    any_command draw(uuid const& workspace)
    {
        auto const kind = below(100);
        if (kind < 4)
            return identity_command();
        if (kind < 14)
            return catalog_command();
        if (kind < 18 || tests_.empty())
            return start();
        auto const& t = tests_[below(tests_.size())];
        // Now and then the wrong workspace asks; it must leave no trace.
        (void)workspace;
        if (kind < 22)
            return test_command(t.id);
        return cell_command(t);
    }

    any_command identity_command()
    {
        auto const id = id_of(fmt::format("api key {}", below(6)));
        if (chance(60))
            return command::create_api_key{id, id_of("profile"), "key", hash_of(id.text())};
        return command::revoke_api_key{id, "lost"};
    }

    any_command catalog_command()
    {
        auto const number = below(12);
        auto const id = id_of(fmt::format("item {}", number));
        auto const kind = static_cast<item_kind>(number % 4);
        if (chance(15))
            return command::delete_item{id, kind};
        event::item_created item{kind, fmt::format("Name {}", below(5)), chance(80), {}, {}, {}};
        if (chance(40))
            item.departments.push_back(id_of("department"));
        item.body["temperature"] = below(10);
        item.texts.push_back({"prompt", content_of("prompt")});
        return command::save_item{id, chance(50), item};
    }

    any_command start()
    {
        start_options o;
        o.models = static_cast<std::uint32_t>(1 + below(3));
        o.scenarios = static_cast<std::uint32_t>(chance(15) ? 1'000 + below(1'100) : 1 + below(5));
        o.agents = static_cast<std::uint32_t>(1 + below(2));
        o.repeats = static_cast<std::uint32_t>(1 + below(2));
        auto const eval = fmt::format("Eval {}", below(4));
        o.eval = eval;
        auto const config = fmt::format("config {}", below(3));
        o.config = config;
        o.how = chance(30) ? drive::manual : drive::automatic;
        if (chance(50))
            o.departments.push_back(id_of(fmt::format("department {}", below(2))));
        auto c = start_command(fmt::format("test {}", tests_.size()), o);
        tests_.push_back({c.test, o.models * o.scenarios * o.agents * o.repeats});
        return c;
    }

    any_command test_command(uuid const& test)
    {
        switch (below(6)) {
        case 0:
        case 1: return command::stop_test{test};
        case 2:
            return chance(30) ? any_command(command::complete_test{test})
                              : any_command(command::stop_test{test});
        case 3: return command::archive_test{test, {}};
        default: return command::archive_test{test, chance(50)};
        }
    }

    struct known_test {
        uuid id;
        std::uint32_t cells;
    };

    std::uint32_t any_cell(known_test const& t)
    {
        if (chance(10))
            return added_cells_from + static_cast<std::uint32_t>(below(3));
        return static_cast<std::uint32_t>(chance(60) ? below(std::min<std::uint32_t>(t.cells, 6))
                                                     : below(t.cells));
    }

    std::uint16_t newest_run(uuid const& test, std::uint32_t cell)
    {
        auto const& cells = history_.partition(test).cells;
        auto const found = cells.find(cell);
        return found == cells.end() ? std::uint16_t{0} : found->second.runs;
    }

    any_command record(known_test const& t, std::uint32_t cell)
    {
        auto const run = newest_run(t.id, cell);
        auto c =
            progress(t.id, cell, run, static_cast<outcome>(below(6)),
                     chance(85) ? std::optional(static_cast<std::uint32_t>(below(11) * 100'000))
                                : std::nullopt);
        if (chance(30)) {
            c.ended.reset();
            c.grade.reset();
        } else if (c.grade && chance(20)) {
            c.grading_failed = event::grading_failed{run, "judge/1", "unreadable"};
            c.grade.reset();
        }
        c.call->latency_us = below(4) == 0 ? 0 : below(5'000'000);
        c.call->reused = chance(20);
        if (chance(30)) {
            c.call->input_tokens.reset();
            c.call->cost_pico.reset();
        }
        if (chance(20))
            c.call->currency = "EUR";
        if (chance(10))
            c.call.reset();
        return c;
    }

    any_command cell_command(known_test const& t)
    {
        auto const cell = any_cell(t);
        auto const kind = below(100);
        if (kind < 20) {
            command::begin_runs c{t.id, {}};
            for (auto i = below(6); i > 0; --i)
                c.cells.push_back(any_cell(t));
            std::sort(c.cells.begin(), c.cells.end());
            c.cells.erase(std::unique(c.cells.begin(), c.cells.end()), c.cells.end());
            return c;
        }
        if (kind < 32)
            return command::run_cell{t.id, cell};
        if (kind < 65)
            return record(t, cell);
        if (kind < 68)
            return command::fail_cells{t.id, {cell}, static_cast<fail_reason>(below(3))};
        if (kind < 72)
            return command::terminate_cell{t.id, cell};
        if (kind < 76)
            return command::complete_cell{t.id, cell};
        if (kind < 79)
            return command::add_cell{t.id, {0, 0, 0, "by hand", chance(50)}};
        if (kind < 88)
            return command::grade_cell{
                t.id, cell, {}, static_cast<std::int64_t>(below(12)), chance(10)};
        if (kind < 94)
            return command::give_feedback{
                t.id,
                cell,
                static_cast<std::uint16_t>(1 + below(2)),
                grid_id::make(t.id, grid_kind::call, cell, static_cast<std::uint16_t>(below(2))),
                id_of("accuracy"),
                static_cast<std::uint8_t>(below(6)),
                content_of("remark")};
        return command::open_trace{
            t.id, cell, static_cast<std::uint16_t>(below(2)), {{"tools", "none"}}, {}};
    }

    std::mt19937_64 random_;
    history history_;
    std::vector<known_test> tests_;
    std::vector<uuid> const workspaces_{id_of("workspace 1"), id_of("workspace 2")};
};

} // namespace

history random_history(std::uint64_t seed, std::size_t commands)
{
    return random_commands(seed).run(commands);
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
