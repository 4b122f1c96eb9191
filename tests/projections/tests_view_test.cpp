#include "projections/queries.hpp"
#include "tests/projections/history.hpp"
#include "tests/projections/memory.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

using namespace assay;
using namespace assay::projections;
using test::id_of;
using test::must;

namespace {

uuid const here = id_of("workspace");
uuid const elsewhere = id_of("another workspace");

/// Names of the tests of a page, newest first.
std::vector<std::string> names(test_page const& page)
{
    std::vector<std::string> out;
    for (auto const& t : page.tests)
        out.push_back(t.started.name);
    return out;
}

using words = std::vector<std::string>;

/// Five tests here, one elsewhere: two evals, two departments, b archived.
struct some_tests {
    test::history history;
    test::memory_views views;

    some_tests()
    {
        auto const finance = id_of("finance");
        auto const law = id_of("law");
        history.must(here, test::start_command("a", {.eval = "Reading", .departments = {finance}}),
                     id_of("ana"));
        history.must(
            here,
            test::start_command("b", {.eval = "Reading", .config = "other", .departments = {law}}),
            id_of("ana"));
        history.must(elsewhere, test::start_command("x", {.eval = "Reading"}));
        history.must(here, test::start_command("c", {.models = 1, .eval = "Sums"}), id_of("ben"));
        history.must(here,
                     test::start_command("d", {.eval = "Sums", .departments = {finance, law}}),
                     id_of("ben"));
        history.must(here, test::start_command("e", {.eval = "Reading"}), id_of("ben"));
        history.must(here, command::complete_test{test::test_id_of("b")});
        history.must(here, command::archive_test{test::test_id_of("b"), true});
        views.follow(history);
    }

    words found(test_filter const& f, page p = {}) const
    {
        return names(must(list_tests(views, here, f, p)));
    }
};

} // namespace

TEST_CASE("list_tests: filters combine, newest first", "[projections][tests]")
{
    some_tests const t;
    auto const reading = id_of("Reading");
    auto const finance = id_of("finance");
    auto const law = id_of("law");
    CHECK(t.found({}) == words{"e", "d", "c", "a"});
    CHECK(t.found({.archived = std::nullopt}) == words{"e", "d", "c", "b", "a"});
    CHECK(t.found({.archived = true}) == words{"b"});
    CHECK(t.found({.evals = {reading}}) == words{"e", "a"});
    CHECK(t.found({.evals = {reading}, .archived = std::nullopt}) == words{"e", "b", "a"});
    CHECK(t.found({.departments = {finance}}) == words{"d", "a"});
    CHECK(t.found({.evals = {reading}, .departments = {finance}}) == words{"a"});
    CHECK(t.found({.departments = {finance, law}, .archived = std::nullopt}) ==
          words{"d", "b", "a"});
    CHECK(t.found({.profiles = {id_of("ana")}, .archived = std::nullopt}) == words{"b", "a"});
    CHECK(t.found({.models = {id_of("model 1")}}) == words{"e", "d", "a"});
    CHECK(t.found({.within_departments = {{law}}, .archived = std::nullopt}) ==
          words{"e", "d", "c", "b"});
    CHECK(t.found({.within_departments = std::vector<uuid>{}}) == words{"e", "c"});
    CHECK(t.found({.text = "sUm"}) == words{"d", "c"});
    CHECK(t.found({.text = "A"}) == words{"e", "a"}); // eval Reading, and the test named a
    CHECK(t.found({.evals = {id_of("no such eval")}}).empty());
    CHECK(names(must(list_tests(t.views, elsewhere, {}, {}))) == words{"x"});
    CHECK(must(list_tests(t.views, id_of("empty"), {}, {})).total == 0);
}

TEST_CASE("list_tests: any order, either way, equal names newest first", "[projections][tests]")
{
    some_tests const t;
    using order = test_order;
    auto const [by, ascending, expected] = GENERATE(table<order, bool, words>({
        {order::started, false, {"e", "d", "c", "b", "a"}},
        {order::started, true, {"a", "b", "c", "d", "e"}},
        {order::test_name, false, {"e", "d", "c", "b", "a"}},
        {order::test_name, true, {"a", "b", "c", "d", "e"}},
        {order::eval_name, false, {"d", "c", "e", "b", "a"}},
        {order::eval_name, true, {"e", "b", "a", "d", "c"}},
    }));
    test_filter const f{.archived = std::nullopt, .order = by, .ascending = ascending};
    CHECK(t.found(f) == expected);
    words pages;
    for (std::uint64_t at = 0; at < 8; at += 2)
        for (auto const& name : t.found(f, {at, 2}))
            pages.push_back(name);
    CHECK(pages == expected);
    CHECK(t.found(f, {4, UINT64_MAX}).size() == 1);
}

TEST_CASE("list_tests: dates are inclusive on both ends", "[projections][tests]")
{
    some_tests const t;
    auto const at = [&](std::string_view word) {
        return must(get_test(t.views, test::test_id_of(word))).started_at;
    };
    CHECK(t.found({.from = at("c")}) == words{"e", "d", "c"});
    CHECK(t.found({.from = instant{at("c").us + 1}}) == words{"e", "d"});
    CHECK(t.found({.to = at("c")}) == words{"c", "a"});
    CHECK(t.found({.to = instant{at("c").us - 1}}) == words{"a"});
    CHECK(t.found({.from = at("c"), .to = at("d")}) == words{"d", "c"});
    CHECK(t.found({.from = at("d"), .to = at("c")}).empty());
    auto const page = must(list_tests(t.views, here, {.text = "a"}, {}));
    CHECK(page.earliest == at("a"));
    CHECK(page.latest == at("e"));
}

TEST_CASE("list_tests: pages cut the same list, totals are of all pages", "[projections][tests]")
{
    some_tests const t;
    CHECK(t.found({}, {0, 2}) == words{"e", "d"});
    CHECK(t.found({}, {2, 2}) == words{"c", "a"});
    CHECK(t.found({}, {3, 10}) == words{"a"});
    CHECK(t.found({}, {9, 2}).empty());
    CHECK(must(list_tests(t.views, here, {}, {2, 1})).total == 4);
}

TEST_CASE("list_tests: facets count what another choice would give", "[projections][tests]")
{
    some_tests const t;
    auto const page = must(list_tests(t.views, here, {.evals = {id_of("Sums")}}, {}));
    REQUIRE(page.evals.size() == 2); // the choice among evals does not narrow the evals
    CHECK(page.evals[0].tests == 2);
    CHECK(page.evals[1].tests == 2);
    auto const sums = page.evals[0].name == "Sums" ? page.evals[0] : page.evals[1];
    CHECK(sums.value == id_of("Sums"));
    // But it narrows everything else.
    REQUIRE(page.departments.size() == 2);
    CHECK(page.departments[0].tests == 1);
    REQUIRE(page.profiles.size() == 1);
    CHECK(page.profiles[0].value == id_of("ben"));
    CHECK(page.profiles[0].tests == 2);
    REQUIRE(page.models.size() == 2);
    CHECK(page.models[0].value == id_of("model 0"));
    CHECK(page.models[0].tests == 2);
    CHECK(page.models[1].tests == 1);
}

TEST_CASE("get_test: another workspace's is not there", "[projections][tests]")
{
    some_tests const t;
    auto const a = test::test_id_of("a");
    CHECK(must(get_test(t.views, here, a)).profile == id_of("ana"));
    auto const foreign = get_test(t.views, elsewhere, a);
    REQUIRE_FALSE(foreign);
    CHECK(foreign.error().code == errc::not_found);
    CHECK(get_test(t.views, here, test::test_id_of("none")).error().detail ==
          foreign.error().detail);
}

TEST_CASE("get_test: lifecycle leaves its marks", "[projections][tests]")
{
    some_tests t;
    auto const a = test::test_id_of("a");
    t.history.must(here, command::stop_test{a});
    t.views.follow(t.history);
    auto row = must(get_test(t.views, a));
    CHECK(row.phase == test_phase::stopped);
    CHECK(row.stopped_at);
    t.history.must(here, command::run_cell{a, 0});
    t.views.follow(t.history);
    CHECK(must(get_test(t.views, a)).phase == test_phase::running);
    t.history.must(here, command::complete_test{a});
    t.history.must(here, command::archive_test{a, {}});
    t.history.must(here, command::archive_test{test::test_id_of("b"), {}});
    t.views.follow(t.history);
    row = must(get_test(t.views, a));
    CHECK(row.phase == test_phase::completed);
    CHECK(row.completed_at);
    CHECK(row.archived);
    CHECK(t.found({.archived = true}) == words{"a"});
}

TEST_CASE("find_tests_by_config: newest first, this workspace only", "[projections][tests]")
{
    some_tests const t;
    auto const of = [](std::string_view word) { return test::test_id_of(word); };
    auto const config = test::hash_of("config");
    CHECK(must(find_tests_by_config(t.views, here, config)) ==
          std::vector{of("e"), of("d"), of("c"), of("a")});
    CHECK(must(find_tests_by_config(t.views, here, config, 1)) == std::vector{of("e")});
    CHECK(must(find_tests_by_config(t.views, here, test::hash_of("other"))) ==
          std::vector{of("b")});
    CHECK(must(find_tests_by_config(t.views, elsewhere, config)) == std::vector{of("x")});
    CHECK(must(find_tests_by_config(t.views, here, test::hash_of("never"))).empty());
}

TEST_CASE("list_tests: a page of many tests reads the page", "[projections][tests]")
{
    test::history history;
    for (int i = 0; i < 3'000; ++i)
        history.must(here, test::start_command(fmt::format("t{}", i),
                                               {.eval = i % 3 == 0 ? "Reading" : "Sums"}));
    test::memory_views views;
    views.follow(history);
    views.rows_read = 0;
    auto const page = must(list_tests(views, here, {.evals = {id_of("Reading")}}, {500, 20}));
    CHECK(page.total == 1'000);
    CHECK(page.tests.size() == 20);
    CHECK(page.tests[0].started.name == "t1497");
    CHECK(views.rows_read < 120);
}
