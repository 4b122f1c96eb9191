#include "projections/projector.hpp"
#include "projections/queries.hpp"
#include "tests/events/fixture.hpp"
#include "tests/projections/history.hpp"
#include "tests/projections/stored_log.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <malloc.h>
#include <sys/resource.h>

using namespace assay;
using namespace assay::projections;

namespace {

using clock_type = std::chrono::steady_clock;

double seconds_since(clock_type::time_point from)
{
    return std::chrono::duration<double>(clock_type::now() - from).count();
}

double cpu_seconds()
{
    rusage u{};
    getrusage(RUSAGE_SELF, &u);
    auto const of = [](timeval const& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return of(u.ru_utime) + of(u.ru_stime);
}

/// Events to measure with; ASSAY_BENCH_EVENTS sets another number.
std::uint32_t bench_cells()
{
    auto const* given = std::getenv("ASSAY_BENCH_EVENTS");
    return (given ? static_cast<std::uint32_t>(std::atoi(given)) : 1'000'000U) / 4;
}

/// Applies one decoded log to one view through an overlay with nothing below it.
double apply_seconds(view const& v, std::vector<events::commit_ptr> const& commits)
{
    overlay rows(
        [](std::string_view) -> result<std::optional<std::string>> { return std::nullopt; },
        1 << 30);
    auto const start = clock_type::now();
    for (auto const& c : commits) {
        for (auto const& e : c->events)
            REQUIRE(v.apply(e, rows));
    }
    return seconds_since(start);
}

} // namespace

TEST_CASE("apply: time of each view on its own", "[.bench]")
{
    std::vector<events::commit_ptr> commits;
    std::size_t events = 0;
    test::visit_big_history(4, 4, 3'000, [&](events::commit_ptr c) {
        events += c->events.size();
        commits.push_back(std::move(c));
    });
    double total = 0;
    for (auto const& v : all_views()) {
        auto const took = apply_seconds(v, commits);
        total += took;
        fmt::print("{:>12}: {:.3f} us an event\n", v.name,
                   took * 1e6 / static_cast<double>(events));
    }
    fmt::print("{:>12}: {:.3f} us an event\n", "all", total * 1e6 / static_cast<double>(events));
}

TEST_CASE("rebuild: all views from a big log", "[.bench]")
{
    test::temporary_directory dir;
    auto s = test::must(events::store::open(dir.path()));
    {
        auto const start = clock_type::now();
        test::log_writer log(*s);
        test::visit_big_history(10, 4, bench_cells() / 40,
                                [&](events::commit_ptr const& c) { log.append(*c); });
        log.flush();
        fmt::print("log of {} commits written in {:.1f} s\n", s->next_position(),
                   seconds_since(start));
    }
    auto start = clock_type::now();
    auto cpu = cpu_seconds();
    std::size_t events = 0;
    REQUIRE(s->read_range(0, s->next_position(), [&](events::commit_ptr const& c) {
        events += c->events.size();
        return true;
    }));
    auto took = seconds_since(start);
    fmt::print("bare scan and decode: {:.0f} events/s, {:.2f} us CPU an event\n",
               static_cast<double>(events) / took,
               (cpu_seconds() - cpu) * 1e6 / static_cast<double>(events));

    start = clock_type::now();
    cpu = cpu_seconds();
    auto p = test::must(projector::open(*s));
    took = seconds_since(start);
    fmt::print("all views from {} events: {:.2f} s, {:.0f} events/s, {:.2f} us CPU an event\n",
               events, took, static_cast<double>(events) / took,
               (cpu_seconds() - cpu) * 1e6 / static_cast<double>(events));
    for (auto const& v : all_views()) {
        std::uint64_t bytes = 0;
        auto* const f = test::must(s->view_family(v.name, 1));
        s->db().GetIntProperty(f, "rocksdb.total-sst-files-size", &bytes);
        fmt::print("{:>12}: {:.1f} bytes a cell on disk\n", v.name,
                   static_cast<double>(bytes) / (static_cast<double>(events) / 4));
    }
    rusage u{};
    getrusage(RUSAGE_SELF, &u);
    fmt::print("peak memory {} MiB\n", u.ru_maxrss / 1024);
}

namespace {

/// Runs `f` for a moment and tells what one call takes.
template <class F>
void measure(std::string_view what, F const& f)
{
    std::size_t calls = 0;
    auto const start = clock_type::now();
    while (seconds_since(start) < 0.5) {
        f();
        ++calls;
    }
    fmt::print("{:>44}: {:10.1f} us\n", what,
               seconds_since(start) * 1e6 / static_cast<double>(calls));
}

} // namespace

TEST_CASE("queries: time of each over views of some size", "[.bench]")
{
    test::temporary_directory dir;
    auto s = test::must(events::store::open(dir.path()));
    auto const here = test::id_of("workspace");
    constexpr std::uint32_t many_tests = 100'000;
    constexpr std::uint32_t many_items = 100'000;
    auto const million = test::start_command("million", {.models = 10, .scenarios = 100'000});
    auto const small = test::start_command("small", {.models = 4, .scenarios = 4});
    {
        test::history history;
        test::log_writer log(*s);
        std::size_t written = 0;
        auto const write = [&] {
            for (; written < history.commits().size(); ++written)
                log.append(*history.commits()[written]);
        };
        for (std::uint32_t i = 0; i < many_tests; ++i) {
            auto const eval = fmt::format("eval {}", i % 50);
            history.must(
                here, test::start_command(fmt::format("test {}", i), {.models = 4, .eval = eval}));
        }
        for (std::uint32_t i = 0; i < many_items; ++i) {
            event::item_created item{
                item_kind::scenario, fmt::format("question number {}", i), true, {}, {}, {}};
            history.must(here,
                         command::save_item{test::id_of(fmt::format("item {}", i)), true, item});
        }
        history.must(here, million);
        history.must(here, small);
        for (std::uint32_t cell = 0; cell < 16; ++cell) {
            history.must(here, command::begin_runs{small.test, {cell}});
            history.must(here, test::progress(small.test, cell, 1));
        }
        write();
    }
    auto const p = test::must(projector::open(*s));
    auto const now = p->read();

    measure("read(): a snapshot of all views", [&] { (void)p->read(); });
    measure("get_test", [&] { (void)test::must(get_test(*now, here, small.test)); });
    auto const small_test = test::must(get_test(*now, small.test));
    auto const million_test = test::must(get_test(*now, million.test));
    measure("get_test_counts", [&] { (void)test::must(get_test_counts(*now, small.test)); });
    measure("list_cells of 16 run cells",
            [&] { (void)test::must(list_cells(*now, small_test, {0, 16})); });
    measure("read, get_test, counts, 16 cells", [&] {
        auto const fresh = p->read();
        auto const test = test::must(get_test(*fresh, here, small.test));
        (void)test::must(get_test_counts(*fresh, test.id));
        (void)test::must(list_cells(*fresh, test, {0, 16}));
    });
    measure("list_cells, 50 of a million",
            [&] { (void)test::must(list_cells(*now, million_test, {700'000, 50})); });
    measure("next_queued, 64 of a million",
            [&] { (void)test::must(next_queued(*now, million.test, 500'000, 64)); });
    measure("list_runs of a cell", [&] { (void)test::must(list_runs(*now, small.test, 3)); });
    measure("get_benchmark of 4 models",
            [&] { (void)test::must(get_benchmark(*now, small_test)); });
    measure("paired", [&] { (void)test::must(paired(*now, small_test, 0, 1, 0)); });
    measure("list_tests, page 50 of 100,000, no facets",
            [&] { (void)test::must(list_tests(*now, here, {}, {0, 50}, false)); });
    measure("list_tests, page 50 of 100,000, facets",
            [&] { (void)test::must(list_tests(*now, here, {}, {0, 50})); });
    measure("list_tests, two filters, facets", [&] {
        (void)test::must(list_tests(
            *now, here, {.evals = {test::id_of("eval 7")}, .models = {test::id_of("model 0")}},
            {0, 50}));
    });
    measure("list_tests, text among 100,000",
            [&] { (void)test::must(list_tests(*now, here, {.text = "9999"}, {0, 50}, false)); });
    measure("list_eval_cards, 50 evals, 100,000 tests",
            [&] { (void)test::must(list_eval_cards(*now, here)); });
    measure("list_items, first 50 of 100,000",
            [&] { (void)test::must(list_items(*now, here, item_kind::scenario, {}, {0, 50})); });
    measure("list_items, text among 100,000", [&] {
        (void)test::must(
            list_items(*now, here, item_kind::scenario, {.text = "NUMBER 9999"}, {0, 50}));
    });
    measure("find_items_by_name", [&] {
        (void)test::must(find_items_by_name(*now, here, item_kind::scenario, "question number 77"));
    });
}
