#include "tools/json_fields.hpp"
#include "tools/upload.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <map>

using namespace assay;
using namespace assay::tools;
using boost::json::array;
using boost::json::object;

namespace {

/// A catalog in memory that answers as the server does.
class catalog_in_memory final : public api::api_client {
public:
    std::size_t creates = 0;
    std::size_t largest_create = 0;

    result<boost::json::value> call(std::string_view, std::string_view path,
                                    boost::json::value const& body, std::string_view) override
    {
        std::string const kind(path.substr(1, path.find('/', 1) - 1));
        auto const operation = path.substr(kind.size() + 2);
        if (operation == "create")
            return create(kind, body.as_object());
        if (operation == "search")
            return search(kind, body.as_object());
        return get(kind, text_at(body.as_object(), "id"));
    }

    result<void> stream(std::string_view, std::string_view,
                        std::function<bool(api::stream_event const&)> const&) override
    {
        return fail(errc::internal, "there are no streams here");
    }

    std::size_t count(std::string const& kind) const
    {
        auto const found = items_.find(kind);
        return found == items_.end() ? 0 : found->second.size();
    }

    object& item(std::string const& kind, std::size_t i) { return items_[kind].at(i); }

private:
    boost::json::value create(std::string const& kind, object const& body)
    {
        ++creates;
        array results;
        auto const& asked = array_at(body, kind + "s");
        largest_create = std::max(largest_create, asked.size());
        for (auto const& one : asked) {
            auto row = one.as_object();
            auto const id = fmt::format("{}-{}", kind, items_[kind].size());
            row[kind + "_id"] = id;
            if (auto const* const prompt = row.if_contains("prompt"))
                row["system_prompt"] = prompt->at("system_prompt");
            if (auto const* const endpoint = row.if_contains("endpoint"))
                row["base_url"] = *endpoint;
            items_[kind].push_back(row);
            results.push_back(
                object{{"success", true}, {kind + "_id", id}, {"message", "created"}});
        }
        return object{{"results", std::move(results)}};
    }

    boost::json::value search(std::string const& kind, object const& body)
    {
        array rows;
        std::uint64_t total = 0;
        for (auto const& row : items_[kind]) {
            if (text_at(row, "name").find(text_at(body, "search")) == std::string::npos)
                continue;
            if (total++ >= count_at(body, "page_offset") &&
                rows.size() < count_at(body, "page_size"))
                rows.push_back(row);
        }
        return object{{kind + "s", std::move(rows)}, {"total_count", total}};
    }

    boost::json::value get(std::string const& kind, std::string const& id)
    {
        for (auto const& row : items_[kind])
            if (text_at(row, kind + "_id") == id)
                return object{{kind + "_exists", true}, {kind, row}};
        return object{{kind + "_exists", false}};
    }

    std::map<std::string, std::vector<object>> items_;
};

eval_file an_evaluation(std::size_t scenarios)
{
    eval_file e;
    e.name = "sums";
    e.providers = {{.name = "p",
                    .kind = "openai",
                    .endpoint = "http://127.0.0.1:1/v1",
                    .key_env = {},
                    .recording = {}}};
    e.models = {{.name = "m",
                 .value = "m-1",
                 .provider = "p",
                 .parameters = {{"max_tokens", 5}},
                 .pricing = {}},
                {.name = "n", .value = "n-1", .provider = "p", .parameters = {}, .pricing = {}}};
    e.agents = {{.name = "a",
                 .system_prompt = "Be brief.",
                 .instructions = {"x"},
                 .temperature = 0,
                 .reasoning = {},
                 .parameters = {}}};
    e.graders = {{.name = "g",
                  .description = {},
                  .points = 1,
                  .pass_points = 1,
                  .config = {{"kind", "numeric"}}}};
    e.pass_points = 1;
    for (std::size_t i = 0; i < scenarios; ++i)
        e.scenarios.push_back(
            {fmt::format("sums {:04}", i + 1), fmt::format("{}+1?", i), std::to_string(i + 1)});
    return e;
}

} // namespace

TEST_CASE("upload: items are made once, in few requests", "[tools]")
{
    catalog_in_memory server;
    auto const e = an_evaluation(1319);
    auto const first = upload(server, e);
    REQUIRE(first);
    CHECK(first->created == 1 + 2 + 1 + 1 + 1319 + 1);
    CHECK(first->scenario_ids.size() == 1319);
    CHECK(first->scenario_ids[7] == "scenario-7");
    CHECK(server.largest_create == 200);
    CHECK(server.creates == 1 + 2 + 1 + 1 + 7 + 1);
    CHECK(server.item("model", 1).at("provider_id") == "provider-0");
    CHECK(server.item("eval", 0).at("scenario_ids").as_array().size() == 1319);

    auto const again = upload(server, e);
    REQUIRE(again);
    CHECK(again->created == 0);
    CHECK(again->eval_id == first->eval_id);
    CHECK(again->scenario_ids == first->scenario_ids);
}

TEST_CASE("upload: what has changed is made anew, the rest is used again", "[tools]")
{
    catalog_in_memory server;
    auto e = an_evaluation(5);
    auto const first = upload(server, e);
    REQUIRE(first);
    e.scenarios[2].expected = "7";
    e.agents[0].temperature = 1;
    auto const second = upload(server, e);
    REQUIRE(second);
    CHECK(second->created == 3); // scenario, agent, eval
    CHECK(second->scenario_ids[1] == first->scenario_ids[1]);
    CHECK(second->scenario_ids[2] != first->scenario_ids[2]);
    CHECK(second->eval_id != first->eval_id);
    CHECK(server.count("scenario") == 6);

    e.scenarios[2].expected = "3"; // as it was
    e.agents[0].temperature = 0;
    auto const third = upload(server, e);
    REQUIRE(third);
    CHECK(third->created == 0);
    CHECK(third->eval_id == first->eval_id);
}

TEST_CASE("upload: an item that somebody edited or switched off is not taken", "[tools]")
{
    catalog_in_memory server;
    auto const e = an_evaluation(2);
    REQUIRE(upload(server, e));
    server.item("scenario", 0)["messages"].as_array()[0].as_object()["content"] = "edited";
    server.item("model", 1)["is_inactive"] = true;
    auto const again = upload(server, e);
    REQUIRE(again);
    CHECK(again->created == 3); // scenario, model, eval
}

TEST_CASE("upload: two equal lines of a file are two scenarios", "[tools]")
{
    catalog_in_memory server;
    auto e = an_evaluation(2);
    e.scenarios[1] = e.scenarios[0];
    auto const first = upload(server, e);
    REQUIRE(first);
    CHECK(first->scenario_ids[0] != first->scenario_ids[1]);
    auto const again = upload(server, e);
    REQUIRE(again);
    CHECK(again->created == 0);
}
