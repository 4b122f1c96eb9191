#include "tests/projections/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <random>

namespace assay::test {

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
            auto const command = draw(workspace);
            auto const profile = below(3) == 0 ? uuid{} : id_of("profile");
            if (chance(8))
                stage_and_answer(workspace, command, profile);
            else
                (void)history_.take(workspace, command, profile);
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
        if (kind < 28)
            return note_command(workspace);
        return cell_command(t);
    }

    /// Stages the command, and now and then answers it, at once or twice.
    void stage_and_answer(uuid const& workspace, any_command const& command, uuid const& profile)
    {
        staging how{staging_step::stage, derive_uuid(workspace, "staged", below(40)),
                    "an.operation", content_of("body"), hash_of("body")};
        (void)history_.take(workspace, command, how, profile);
        for (auto answers = below(3); answers > 0; --answers) {
            how.step = chance(60) ? staging_step::accept : staging_step::reject;
            (void)history_.take(workspace, command, how, profile);
        }
    }

    any_command file_command()
    {
        auto const name = fmt::format("file {}", files_++);
        event::file_stored file{id_of(name), name, "application/zip", 12, 1 << 20, {}, {}, 3,
                                {},          {}};
        file.chunks = {content_of(name)};
        return command::store_file{std::move(file)};
    }

    any_command identity_command()
    {
        if (chance(20))
            return command::note_decrypt{{id_of("invocation"), id_of("key"), chance(50), "a word"}};
        if (chance(20))
            return file_command();
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
        if (o.scenarios < 10 && chance(30))
            o.max_repeats = static_cast<std::uint32_t>(o.repeats + 1 + below(3));
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

    any_command note_command(uuid const& workspace)
    {
        auto const number = below(8);
        auto const note = [&](std::string_view kind) {
            return derive_uuid(workspace, kind, number);
        };
        switch (below(5)) {
        case 0:
            return command::save_draft{note("draft"),
                                       chance(50),
                                       chance(20) ? std::optional(1U) : std::nullopt,
                                       {{"name", fmt::format("draft {}", below(3))}},
                                       {{"description", content_of(fmt::format("{}", below(9)))}}};
        case 1: return command::open_group{note("group")};
        case 2: return command::title_group{note("group"), {}, id_of("title"), "a title"};
        case 3: {
            auto const& test = tests_[below(tests_.size())].id;
            return command::title_group{grid_id::make(test, grid_kind::group), test, id_of("title"),
                                        fmt::format("title {}", below(5))};
        }
        default:
            return command::report_problem{note("problem"), problem_kind::bug,
                                           content_of("it broke")};
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

    any_command end(uuid const& test, std::uint32_t cell)
    {
        command::end_cell c{test, cell, newest_run(test, cell), {}, {}, {}, {}, {}, 0, 0};
        if (chance(50))
            c.run = 1;
        if (chance(60))
            c.score = static_cast<double>(below(11));
        else if (chance(50))
            c.passed = chance(50);
        if (chance(30))
            c.feedback = content_of("remark");
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
            return chance(50) ? any_command(command::complete_cell{t.id, cell}) : end(t.id, cell);
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
    std::size_t files_ = 0;
    std::vector<known_test> tests_;
    std::vector<uuid> const workspaces_{id_of("workspace 1"), id_of("workspace 2")};
};

} // namespace

history random_history(std::uint64_t seed, std::size_t commands)
{
    return random_commands(seed).run(commands);
}

} // namespace assay::test
