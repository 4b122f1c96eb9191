#include "core/pack.hpp"
#include "tests/core/history.hpp"
#include "tests/core/random.hpp"

#include <catch2/catch.hpp>

#include <set>

using namespace assay;
using namespace assay::test;

namespace {

std::vector<std::uint32_t> cells_of(test_state const& test)
{
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < test.size.cells(); ++i)
        out.push_back(i);
    for (std::uint32_t i = 0; i < test.added; ++i)
        out.push_back(added_cells_from + i);
    return out;
}

cell_status status_of(partition_state const& state, std::uint32_t cell)
{
    auto const found = state.cells.find(cell);
    return effective_status(state.test, found == state.cells.end() ? cell_state{} : found->second);
}

cell_counts recount(partition_state const& state)
{
    cell_counts out;
    for (auto const cell : cells_of(state.test))
        ++out.of(status_of(state, cell));
    return out;
}

/// The edges that domain.md allows.
bool legal(cell_status from, cell_status to)
{
    using enum cell_status;
    static std::set<std::pair<cell_status, cell_status>> const edges{
        {queued, running},     {queued, failed},     {queued, terminated},
        {queued, completed},   {running, completed}, {running, failed},
        {running, terminated}, {failed, running},    {terminated, running}};
    return from == to || edges.contains({from, to});
}

any_command random_command(dice& dice, partition_state const& state)
{
    auto const all = cells_of(state.test);
    auto const cell = [&] { return dice.chance(5) ? 1'000'000 : all[dice.below(all.size())]; };
    auto const run_of = [&](std::uint32_t c) {
        auto const found = state.cells.find(c);
        auto const runs = found == state.cells.end() ? 0U : found->second.runs;
        return static_cast<std::uint16_t>(dice.chance(80) ? runs : dice.below(runs + 2));
    };
    switch (dice.below(22)) {
    case 0:
        return dice.chance(20) ? any_command(command::stop_test{test_id})
                               : command::run_cell{test_id, cell()};
    case 1:
        return dice.chance(4) ? any_command(command::complete_test{test_id})
                              : command::add_cell{test_id, {}};
    case 2: return command::archive_test{test_id, {}};
    case 3: return command::terminate_cell{test_id, cell()};
    case 4: return command::complete_cell{test_id, cell()};
    case 5: return command::fail_cells{test_id, {cell(), cell()}, {}};
    case 6: return grading(cell(), 5);
    case 7: return tracing(cell(), 0);
    case 8:
    case 9:
    case 10:
    case 11: return command::begin_runs{test_id, {cell(), cell(), cell()}};
    case 12:
    case 13:
    case 14: return command::run_cell{test_id, cell()};
    default: {
        auto const c = cell();
        auto p = progress(c, run_of(c));
        if (dice.chance(60))
            p.call.emplace();
        if (dice.chance(60))
            p.ended = ended(p.run, static_cast<outcome>(dice.below(6)));
        if (p.ended && dice.chance(50))
            p.grade.emplace();
        return p;
    }
    }
}

} // namespace

TEST_CASE("counts: sum to the cells and equal a recount after every event of any history",
          "[core][state]")
{
    auto const seed = random_seed();
    INFO("seed " << seed);
    dice dice(seed);
    for (int round = 0; round < 60; ++round) {
        history const start{of_test(a_grid(1 + static_cast<std::uint32_t>(dice.below(3)),
                                           1 + static_cast<std::uint32_t>(dice.below(4))))};
        auto state = replay(start);
        auto log = start;
        for (int step = 0; step < 150; ++step) {
            auto const when = random_command(dice, state);
            auto const made = decide(state, when);
            if (!made)
                continue;
            for (auto const& e : made->events) {
                auto const before = state;
                apply(state, e.stream, e.body, {workspace, {}});
                log.push_back(e);
                INFO("round " << round << " step " << step << ": " << describe(e));
                auto const counted = recount(state);
                REQUIRE(pack::to_bytes(state.test.counts) == pack::to_bytes(counted));
                REQUIRE(state.test.counts.total() == state.test.cells());
                for (auto const cell : cells_of(before.test))
                    REQUIRE(legal(status_of(before, cell), status_of(state, cell)));
            }
        }
        auto const replayed = replay(log);
        REQUIRE(pack::to_bytes(replayed.test) == pack::to_bytes(state.test));
        for (auto const& [index, cell] : state.cells)
            REQUIRE(pack::to_bytes(replayed.cells.at(index)) == pack::to_bytes(cell));
    }
}

TEST_CASE("counts: what stop and complete announce is what they change", "[core][state]")
{
    auto const seed = random_seed();
    INFO("seed " << seed);
    dice dice(seed);
    for (int round = 0; round < 200; ++round) {
        auto state = replay({of_test(a_grid(2, 3))});
        auto const run = [&](any_command const& c) {
            if (auto const made = decide(state, c)) {
                for (auto const& e : made->events)
                    apply(state, e.stream, e.body, {workspace, {}});
            }
        };
        for (int step = 0; step < 12; ++step)
            run(random_command(dice, state));
        if (state.test.phase == test_phase::completed)
            continue;
        auto const before = state.test.counts;
        bool const ends = dice.chance(50);
        auto const made = decide(state, ends ? any_command(command::complete_test{test_id})
                                             : command::stop_test{test_id});
        REQUIRE(made);
        for (auto const& e : made->events)
            apply(state, e.stream, e.body, {workspace, {}});
        auto const& after = state.test.counts;
        CHECK(after.queued == 0);
        CHECK(after.completed == before.completed);
        CHECK(after.failed == before.failed);
        CHECK(after.running == (ends ? 0 : before.running));
        CHECK(after.terminated == before.terminated + before.queued + (ends ? before.running : 0));
        if (ends)
            CHECK(made->answer.at("completed_count").to_number<std::uint32_t>() ==
                  before.completed);
    }
}
