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

command::save_item item(std::string_view id, std::string_view name, bool create = true,
                        item_kind kind = item_kind::model)
{
    event::item_created i{kind, std::string(name), true, {}, {{"temperature", 1}}, {}};
    return {id_of(id), create, i};
}

struct fixture {
    test::history history;
    test::memory_views views;

    void give(any_command const& c, uuid const& workspace = here)
    {
        history.must(workspace, c, id_of("ana"));
        views.follow(history);
    }

    [[nodiscard]] std::vector<std::string> names(item_filter const& f = {}, page p = {}) const
    {
        std::vector<std::string> out;
        for (auto const& i : must(list_items(views, here, item_kind::model, f, p)).items)
            out.push_back(i.name);
        return out;
    }
};

using words = std::vector<std::string>;

} // namespace

TEST_CASE("catalog: an item as it is now, with its first and last writer", "[projections][catalog]")
{
    fixture f;
    auto c = item("m", "GPT");
    c.item.departments = {id_of("law")};
    c.item.texts = {{"prompt", test::content_of("be brief")}};
    f.give(c);
    auto const first = must(get_item(f.views, here, item_kind::model, id_of("m")));
    CHECK(first.name == "GPT");
    CHECK(item_body(first).at("temperature") == 1);
    CHECK(first.texts[0].text.bytes == 8);
    CHECK(first.version == 1);
    CHECK(first.created_by == id_of("ana"));

    c = item("m", "GPT 2", false);
    c.item.body["temperature"] = 2;
    c.item.active = false;
    f.give(c);
    auto const second = must(get_item(f.views, here, item_kind::model, id_of("m")));
    CHECK(second.name == "GPT 2");
    CHECK(second.version == 2);
    CHECK(second.created_at == first.created_at);
    CHECK(second.updated_at > first.updated_at);
    CHECK(item_body(second).at("temperature") == 2);
    CHECK(second.departments.empty());

    CHECK(get_item(f.views, elsewhere, item_kind::model, id_of("m")).error().code ==
          errc::not_found);
    CHECK(get_item(f.views, here, item_kind::agent, id_of("m")).error().reason ==
          "agent_not_found");
    CHECK(must(get_item(f.views, here, id_of("m"))).kind == item_kind::model);
}

TEST_CASE("catalog: lists are in the order of creation, renaming moves nothing",
          "[projections][catalog]")
{
    fixture f;
    for (auto const* word : {"zeta", "alpha", "Mid", "alphabet"})
        f.give(item(word, word));
    f.give(item("other kind", "alpha", true, item_kind::agent));
    f.give(item("foreign", "alpha"), elsewhere);
    CHECK(f.names() == words{"zeta", "alpha", "Mid", "alphabet"});
    CHECK(f.names({.newest_first = true}) == words{"alphabet", "Mid", "alpha", "zeta"});
    CHECK(f.names({}, {1, 2}) == words{"alpha", "Mid"});
    CHECK(f.names({}, {4, 2}).empty());
    CHECK(must(list_items(f.views, here, item_kind::model, {}, {1, 2})).total == 4);
    f.give(item("zeta", "omega", false));
    CHECK(f.names() == words{"omega", "alpha", "Mid", "alphabet"});
}

TEST_CASE("catalog: search by part of the name, activity and department", "[projections][catalog]")
{
    fixture f;
    for (auto const* word : {"zeta", "Alpha", "Mid", "ALPHAbet"}) {
        auto c = item(word, word);
        c.item.active = std::string_view(word) != "Mid";
        if (std::string_view(word) == "zeta")
            c.item.departments = {id_of("law")};
        f.give(c);
    }
    CHECK(f.names({.text = "alpha"}) == words{"Alpha", "ALPHAbet"});
    CHECK(f.names({.text = "LPHAB"}) == words{"ALPHAbet"});
    CHECK(f.names({.text = "no"}).empty());
    CHECK(f.names({.active = false}) == words{"Mid"});
    CHECK(f.names({.departments = {id_of("law")}}) == words{"zeta"});
    CHECK(f.names({.within_departments = std::vector<uuid>{}}) ==
          words{"Alpha", "Mid", "ALPHAbet"});
    CHECK(f.names({.within_departments = {{id_of("law")}}}).size() == 4);
    auto const page = must(list_items(f.views, here, item_kind::model, {.text = "a"}, {1, 1}));
    CHECK(page.total == 3);
    CHECK(page.items[0].name == "Alpha");
}

TEST_CASE("catalog: deleted items are gone from every list, the name is free",
          "[projections][catalog]")
{
    fixture f;
    f.give(item("a", "same"));
    f.give(item("b", "same"));
    f.give(item("c", "third"));
    CHECK(must(find_items_by_name(f.views, here, item_kind::model, "same")) ==
          std::vector{id_of("a"), id_of("b")});
    f.give(command::delete_item{id_of("a"), item_kind::model});
    CHECK(f.names() == words{"same", "third"});
    CHECK(must(count_items(f.views, here, item_kind::model)) == 2);
    CHECK(get_item(f.views, here, item_kind::model, id_of("a")).error().code == errc::not_found);
    CHECK(must(find_items_by_name(f.views, here, item_kind::model, "same")) ==
          std::vector{id_of("b")});
    f.give(item("b", "renamed", false));
    CHECK(must(find_items_by_name(f.views, here, item_kind::model, "same")).empty());
    CHECK(must(find_items_by_name(f.views, here, item_kind::model, "renamed")) ==
          std::vector{id_of("b")});
    CHECK(must(find_items_by_name(f.views, elsewhere, item_kind::model, "renamed")).empty());
    f.give(command::delete_item{id_of("b"), item_kind::model});
    f.give(command::delete_item{id_of("c"), item_kind::model});
    CHECK(f.views.rows(view_id::catalog).size() == 1); // the count, at zero
    CHECK(must(count_items(f.views, here, item_kind::model)) == 0);
}

TEST_CASE("identity: keys are found by hash, revoked ones say so", "[projections][identity]")
{
    fixture f;
    f.give(command::create_workspace{here, "Here"});
    f.give(command::create_workspace{elsewhere, "There"}, elsewhere);
    f.give(command::create_api_key{id_of("k1"), id_of("ana"), "laptop", test::hash_of("secret 1")});
    f.give(command::create_api_key{id_of("k2"), id_of("ben"), "ci", test::hash_of("secret 2")});
    f.give(command::create_api_key{id_of("k3"), id_of("eve"), "x", test::hash_of("secret 3")},
           elsewhere);

    auto const found = must(find_api_key(f.views, test::hash_of("secret 1")));
    REQUIRE(found);
    CHECK(found->id == id_of("k1"));
    CHECK(found->workspace == here);
    CHECK(found->profile == id_of("ana"));
    CHECK(found->name == "laptop");
    CHECK_FALSE(found->revoked_at);
    CHECK_FALSE(must(find_api_key(f.views, test::hash_of("guess"))));

    f.give(command::revoke_api_key{id_of("k1"), "lost"});
    CHECK(must(find_api_key(f.views, test::hash_of("secret 1")))->revoked_at);
    CHECK(must(get_api_key(f.views, here, id_of("k1"))).revoked_because == "lost");
    CHECK(get_api_key(f.views, here, id_of("k3")).error().code == errc::not_found);
    auto const keys = must(list_api_keys(f.views, here));
    REQUIRE(keys.size() == 2);
    CHECK(keys[0].id == id_of("k1"));
    CHECK(keys[1].id == id_of("k2"));
    CHECK(must(list_workspaces(f.views)).size() == 2);
    CHECK(must(get_workspace(f.views, elsewhere)).name == "There");
    CHECK(get_workspace(f.views, id_of("k1")).error().code == errc::not_found);
}
