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
uuid const elsewhere = id_of("elsewhere");
uuid const ana = id_of("ana");
uuid const ben = id_of("ben");

using words = std::vector<std::string>;

struct fixture {
    test::history history;
    test::memory_views views;

    decision give(any_command const& c, uuid const& profile = ana)
    {
        auto made = history.must(here, c, profile);
        views.follow(history);
        return made;
    }

    void draft(std::string_view id, std::string_view name, bool create = true,
               uuid const& profile = ana)
    {
        give(command::save_draft{id_of(id), create, {}, {{"name", name}}, {}}, profile);
    }

    [[nodiscard]] words drafts(note_filter const& f = {}, page p = {}) const
    {
        words out;
        for (auto const& d : must(list_drafts(views, here, ana, f, p)).drafts)
            out.emplace_back(draft_form(d).at("name").as_string());
        return out;
    }

    [[nodiscard]] words groups(note_filter const& f = {}, page p = {}) const
    {
        words out;
        for (auto const& g : must(list_groups(views, here, f, p)).groups)
            out.push_back(g.title);
        return out;
    }
};

/// The moment of the n-th commit, from 1.
instant moment(std::int64_t n)
{
    return {test::history::start_us + n * 1'000};
}

} // namespace

TEST_CASE("drafts: a change keeps what it does not name", "[projections][notes]")
{
    fixture f;
    f.give(command::save_draft{id_of("d"),
                               true,
                               {},
                               {{"name", "first"}, {"key_id", "k"}},
                               {{"description", test::content_of("a")}}});
    f.give(command::save_draft{
        id_of("d"), false, {}, {{"name", "second"}}, {{"description", test::content_of("bb")}}});
    auto const d = must(get_draft(f.views, here, ana, id_of("d")));
    CHECK(d.version == 2);
    CHECK(d.created_at == moment(1));
    CHECK(d.changed_at == moment(2));
    CHECK(draft_form(d).at("name") == "second");
    CHECK(draft_form(d).at("key_id") == "k");
    REQUIRE(d.texts.size() == 1);
    CHECK(d.texts[0].text.bytes == 2);
}

TEST_CASE("drafts: are their profile's own", "[projections][notes]")
{
    fixture f;
    f.draft("d", "mine");
    f.draft("e", "another's", true, ben);
    CHECK(f.drafts() == words{"mine"});
    CHECK(get_draft(f.views, here, ben, id_of("d")).error().code == errc::not_found);
    CHECK(get_draft(f.views, elsewhere, ana, id_of("d")).error().code == errc::not_found);
    CHECK(get_draft(f.views, here, ana, id_of("unknown")).error().code == errc::not_found);
}

TEST_CASE("drafts: newest first, by page, name and date", "[projections][notes]")
{
    fixture f;
    for (int i = 1; i <= 5; ++i)
        f.draft(fmt::format("d{}", i), fmt::format("Draft {}", i));
    f.draft("d1", "Draft 1b", false); // a change does not move it
    CHECK(f.drafts() == words{"Draft 5", "Draft 4", "Draft 3", "Draft 2", "Draft 1b"});
    CHECK(f.drafts({}, {1, 2}) == words{"Draft 4", "Draft 3"});
    CHECK(f.drafts({}, {4, 2}) == words{"Draft 1b"});
    CHECK(f.drafts({}, {5, 2}).empty());
    CHECK(f.drafts({"DRAFT 1", {}, {}, {}}) == words{"Draft 1b"});
    CHECK(f.drafts({{}, moment(2), moment(3), {}}) == words{"Draft 3", "Draft 2"});
    CHECK(f.drafts({"draft", {}, moment(3), {}}, {1, 1}) == words{"Draft 2"});
    auto const page = must(list_drafts(f.views, here, ana, {"draft", {}, moment(3), {}}, {1, 1}));
    CHECK(page.total == 3);
    CHECK(must(list_drafts(f.views, here, ana, {}, {0, 1})).total == 5);
}

TEST_CASE("drafts: an unfiltered page reads no row beside it", "[projections][notes]")
{
    fixture f;
    for (int i = 0; i < 200; ++i)
        f.draft(fmt::format("d{}", i), "d");
    f.views.rows_read = 0;
    CHECK(f.drafts({}, {100, 5}).size() == 5);
    CHECK(f.views.rows_read <= 15);
}

TEST_CASE("groups: of tests and by themselves, with their newest title", "[projections][notes]")
{
    fixture f;
    f.give(test::start_command("a test"));
    auto const of_test = grid_id::make(test::test_id_of("a test"), grid_kind::group);
    f.give(command::open_group{id_of("g")});
    CHECK(f.groups() == words{"", "a test"});
    auto const before = must(get_group(f.views, here, of_test));
    CHECK(before.of_test);
    CHECK_FALSE(before.title_id);

    f.give(command::title_group{of_test, test::test_id_of("a test"), id_of("t1"), "Renamed"});
    f.give(command::title_group{id_of("g"), {}, id_of("t2"), "Sprint"});
    CHECK(f.groups() == words{"Sprint", "Renamed"});
    CHECK(f.groups({"sPr", {}, {}, {}}) == words{"Sprint"});
    CHECK(must(get_group(f.views, here, of_test)).title_id == id_of("t1"));
    CHECK(get_group(f.views, elsewhere, of_test).error().code == errc::not_found);
}

TEST_CASE("groups: a caller of departments sees those and groups of none", "[projections][notes]")
{
    fixture f;
    f.give(test::start_command("law", {.departments = {id_of("law")}}));
    f.give(test::start_command("art", {.departments = {id_of("art")}}));
    f.give(test::start_command("open"));
    note_filter filter;
    filter.within_departments = std::vector{id_of("law")};
    CHECK(f.groups(filter) == words{"open", "law"});
    filter.within_departments = std::vector<uuid>{};
    CHECK(f.groups(filter) == words{"open"});
}

TEST_CASE("staged writes: wait, and remember how they were answered", "[projections][notes]")
{
    fixture f;
    f.give(test::start_command("a test"));
    command::stop_test const stop{test::test_id_of("a test"), {}};
    staging how{staging_step::stage, id_of("s"), "test.stop", test::content_of("body"),
                test::hash_of("body")};
    REQUIRE(f.history.take(here, stop, how, ana));
    f.views.follow(f.history);
    auto const waiting = must(get_staged_write(f.views, id_of("s")));
    REQUIRE(waiting);
    CHECK(waiting->operation == "test.stop");
    CHECK(waiting->phase == note_phase::open);
    CHECK(must(get_test(f.views, stop.test)).phase == test_phase::running);

    how.step = staging_step::accept;
    REQUIRE(f.history.take(here, stop, how, ana));
    f.views.follow(f.history);
    CHECK(must(get_staged_write(f.views, id_of("s")))->phase == note_phase::accepted);
    CHECK(must(get_test(f.views, stop.test)).phase == test_phase::stopped);
    CHECK_FALSE(must(get_staged_write(f.views, id_of("unknown"))));
}
