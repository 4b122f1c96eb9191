#include "tests/core/history.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::test;

namespace {

uuid const item = derive_uuid("an item");
uuid const key = derive_uuid("a key");

event::item_created a_model()
{
    event::item_created e;
    e.kind = item_kind::model;
    e.name = "m";
    return e;
}

draft of_key(event_body body)
{
    return {{stream_kind::api_key, key}, std::move(body)};
}

draft const created = of_item(item, a_model());
draft const deleted = of_item(item, event::item_deleted{item_kind::model});
draft const key_created = of_key(event::api_key_created{});
draft const key_revoked = of_key(event::api_key_revoked{});

command::save_item update(item_kind kind)
{
    auto e = a_model();
    e.kind = kind;
    return {item, false, e};
}

} // namespace

TEST_CASE("catalog: outcome for each item history", "[core][decide]")
{
    auto const [given, when, then] = GENERATE(table<history, any_command, std::string>({
        {{}, command::save_item{item, true, a_model()}, "item_created"},
        {{}, update(item_kind::model), "model_not_found"},
        {{}, command::delete_item{item, item_kind::model}, "model_not_found"},
        {{created}, command::save_item{item, true, a_model()}, "item_exists"},
        {{created}, update(item_kind::model), "item_updated"},
        {{created}, update(item_kind::agent), "agent_not_found"},
        {{created}, command::delete_item{item, item_kind::model}, "item_deleted"},
        {{created}, command::delete_item{item, item_kind::eval}, "eval_not_found"},
        {{created, deleted}, command::save_item{item, true, a_model()}, "item_exists"},
        {{created, deleted}, update(item_kind::model), "model_not_found"},
        {{created, deleted}, command::delete_item{item, item_kind::model}, "model_not_found"},
    }));
    CHECK(outcome_of(decide(replay(given), when)) == then);
}

TEST_CASE("catalog: another workspace's item is not found", "[core][decide]")
{
    auto const state = replay({created}, other_workspace);
    CHECK(outcome_of(decide(state, update(item_kind::model))) == "model_not_found");
    CHECK(outcome_of(decide(state, command::delete_item{item, item_kind::model})) ==
          "model_not_found");
}

TEST_CASE("identity: outcome for each history", "[core][decide]")
{
    draft const there{{stream_kind::workspace, workspace}, event::workspace_created{"w"}};
    auto const [given, when, then] = GENERATE_COPY(table<history, any_command, std::string>({
        {{}, command::create_workspace{workspace, "w"}, "workspace_created"},
        {{}, command::create_workspace{workspace, ""}, "name_length"},
        {{}, command::create_workspace{workspace, std::string(200, 'w')}, "workspace_created"},
        {{}, command::create_workspace{workspace, std::string(201, 'w')}, "name_length"},
        {{there}, command::create_workspace{workspace, "w"}, "workspace_exists"},
        {{}, command::create_api_key{key, {}, "k", {}}, "api_key_created"},
        {{key_created}, command::create_api_key{key, {}, "k", {}}, "api_key_exists"},
        {{}, command::revoke_api_key{key, "lost"}, "api_key_not_found"},
        {{key_created}, command::revoke_api_key{key, "lost"}, "api_key_revoked"},
        {{key_created, key_revoked}, command::revoke_api_key{key, "lost"}, "nothing"},
    }));
    CHECK(outcome_of(decide(replay(given), when)) == then);
}

TEST_CASE("identity: another workspace's API key is not found", "[core][decide]")
{
    CHECK(outcome_of(decide(replay({key_created}, other_workspace),
                            command::revoke_api_key{key, "lost"})) == "api_key_not_found");
}

TEST_CASE("start: outcome for each size of grid", "[core][decide]")
{
    auto const [models, scenarios, repeats, then] =
        GENERATE(table<std::uint32_t, std::uint32_t, std::uint32_t, std::string>({
            {1, 1, 1, "test_started"},
            {4, 1319, 1, "test_started"},
            {1, 100'000, 10'000, "test_started"},
            {0, 1, 1, "empty_grid"},
            {1, 0, 1, "empty_grid"},
            {1, 1, 0, "empty_grid"},
            {1, 100'001, 1, "grid_too_large"},
            {1, 100'000, 20'000, "grid_too_large"},
            {1024, 65536, 1U << 31, "grid_too_large"},
            {2048, 0x8000'0000, 0x8000'0000, "grid_too_large"}, // 2^73, which is 0 in 64 bits
        }));
    CHECK(outcome_of(decide(replay({}), starting(a_grid(models, scenarios, repeats)))) == then);
    auto without_agents = a_grid(1, 1);
    without_agents.agents.clear();
    CHECK(outcome_of(decide(replay({}), starting(without_agents))) == "empty_grid");
}

TEST_CASE("grid: a place leads to its cell and back; repeats append at the end", "[core][grid]")
{
    grid_size const size{3, 5, 2, 4};
    for (std::uint32_t cell = 0; cell < size.cells(); ++cell) {
        auto const place = place_of(size, cell);
        REQUIRE(place.model < 3);
        REQUIRE(place.scenario < 5);
        REQUIRE(place.agent < 2);
        REQUIRE(place.repeat == cell / 30);
        REQUIRE(cell_at(size, place) == cell);
    }
    grid_size const more{3, 5, 2, 9};
    CHECK(cell_at(more, {2, 4, 1, 3}) == cell_at(size, {2, 4, 1, 3}));
}

TEST_CASE("footprint: names every stream that the decision reads, in one partition",
          "[core][decide]")
{
    auto const cell = [](std::uint32_t n) {
        return stream_id{stream_kind::cell, grid_id::make(test_id, grid_kind::invocation, n)};
    };
    stream_id const test{stream_kind::test, test_id};
    auto const f = footprint_of(command::begin_runs{test_id, {4, 2}}, workspace);
    CHECK(f.partition == test_id);
    CHECK(f.streams == std::vector<stream_id>{test, cell(4), cell(2)});
    CHECK(footprint_of(command::run_cell{test_id, 7}, workspace).streams ==
          std::vector<stream_id>{test, cell(7)});
    CHECK(footprint_of(command::stop_test{test_id}, workspace).streams ==
          std::vector<stream_id>{test});
    CHECK(footprint_of(command::add_cell{test_id, {}}, workspace).streams ==
          std::vector<stream_id>{test});
    CHECK(footprint_of(remark(3, 1, {}), workspace).streams ==
          std::vector<stream_id>{test, cell(3)});
    auto const catalog = footprint_of(command::delete_item{item, item_kind::model}, workspace);
    CHECK(catalog.partition == workspace);
    CHECK(catalog.streams == std::vector<stream_id>{{stream_kind::item, item}});
    CHECK(footprint_of(command::create_workspace{other_workspace, "w"}, workspace).partition ==
          other_workspace);
}

TEST_CASE("stream_id: text leads back, anything else is none", "[core][state]")
{
    stream_id const id{stream_kind::api_key, key};
    CHECK(id.text() == "api_key/" + key.text());
    CHECK(stream_id::parse(id.text()) == id);
    auto const text = GENERATE(as<std::string>{}, "", "/", "cell", "cell/", "cell/x",
                               "Cell/017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
                               "/017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
                               "cell/017f22e2-79b0-7cc3-98c4-dc0c0c07398f/");
    INFO(text);
    CHECK_FALSE(stream_id::parse(text));
}
