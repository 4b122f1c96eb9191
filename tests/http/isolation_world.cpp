#include "tests/http/isolation_world.hpp"

#include "core/grid_id.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <regex>
#include <utility>

namespace assay::test {

namespace {

constexpr std::array<std::string_view, 9> kinds{"eval",  "rubric",   "provider",   "model",  "key",
                                                "agent", "scenario", "department", "profile"};

std::string text_of(http::response& answer)
{
    if (auto* const whole = std::get_if<std::string>(&answer.body))
        return *whole;
    auto* const source = std::get_if<http::body_source>(&answer.body);
    REQUIRE(source); // no case may get an event stream
    std::string out;
    for (bool more = true; more;) {
        std::string part;
        more = (*source)(part).value();
        out += part;
    }
    return out;
}

void replace_all(std::string& in, std::string_view from, std::string_view to)
{
    for (auto at = in.find(from); at != std::string::npos; at = in.find(from, at + to.size()))
        in.replace(at, from.size(), to);
}

/// Longer names first: one may be how another begins.
std::vector<std::string> names_of(ids const& all)
{
    std::vector<std::string> out;
    for (auto const& [name, id] : all)
        out.push_back(name);
    std::ranges::sort(out, std::ranges::greater{}, [](auto const& name) { return name.size(); });
    return out;
}

std::string filled(std::string text, ids const& with)
{
    for (auto const& name : names_of(with))
        replace_all(text, name, with.at(name).text());
    INFO(text);
    REQUIRE(text.find('$') == std::string::npos);
    return text;
}

void add_grid_ids(ids& to, uuid const& test)
{
    to["$test"] = test;
    for (auto const& [name, kind] : {std::pair{"$group", grid_kind::group},
                                     {"$benchmark", grid_kind::benchmark},
                                     {"$invocation", grid_kind::invocation}})
        to[name] = grid_id::make(test, kind);
    for (auto const& [name, kind] : {std::pair{"$run", grid_kind::run},
                                     {"$trace", grid_kind::trace},
                                     {"$grade", grid_kind::grade},
                                     {"$call", grid_kind::call},
                                     {"$message", grid_kind::message}})
        to[name] = grid_id::make(test, kind, 0, 1);
}

std::vector<isolation_case> cases_of_kind(std::string_view kind)
{
    bool const departments = kind != "key" && kind != "department";
    std::vector<isolation_case> out;
    auto const add = [&](std::string_view operation, std::string text, bool names) {
        // The table lives as long as the program, and so do the names that it refers to.
        static std::deque<std::string> routes;
        out.push_back({routes.emplace_back(fmt::format("{}.{}", kind, operation)), std::move(text),
                       names, departments});
    };
    add("get", fmt::format(R"({{"id":"${}"}})", kind), true);
    add("search", R"({"page_size":1000})", false);
    add("search", R"({"page_size":1000,"search":"canary"})", false);
    add("search", R"({"filter_department_ids":["$department"]})", false);
    add("search", R"({"filter_agent_ids":["$agent"],"filter_model_ids":["$model"]})", false);
    add("create", "{}", false);
    auto const id_name = kind == "profile" ? "profile_id" : "id";
    add("update", fmt::format(R"({{"{0}s":[{{"{1}":"${0}","name":"taken"}}]}})", kind, id_name),
        true);
    add("delete", fmt::format(R"({{"{0}_ids":["${0}"]}})", kind), true);
    return out;
}

} // namespace

std::vector<isolation_case> isolation_cases()
{
    std::vector<isolation_case> out{
        {"test.start", R"({"eval_id":"$eval"})"},
        {"test.start", R"({"eval_id":"$eval","resume":true,"reuse":true})"},
        {"test.stop", R"({"test_id":"$test"})"},
        {"test.stop", R"({"invocation_id":"$invocation"})"},
        {"test.complete", R"({"test_id":"$test"})"},
        {"test.archive", R"({"test_ids":["$test"]})"},
        {"test.get", R"({"test_id":"$test"})"},
        {"test.get", R"({"test_id":"$test","summary":true})"},
        {"test.get", R"({"test_id":"$test","snapshot_key":"k"})"},
        {"test.search", R"({"page_size":1000})", false},
        {"test.search", R"({"eval_ids":["$eval"],"department_ids":["$department"]})", false},
        {"test.search", R"({"search":"canary","is_archived":false})", false},
        {"test.search", R"({"history_page":1,"history_eval_ids":["$eval"]})", false},
        {"test.benchmark", R"({"test_id":"$test"})"},
        {"test.benchmark", R"({"benchmark_id":"$benchmark"})"},
        {"test.benchmark", R"({"history_search":"canary"})", false},
        {"test.invocations", R"({"test_id":"$test"})"},
        {"test.invocations", R"({"history_page":1})", false},
        {"test.invocation_get", R"({"invocation_id":"$invocation"})"},
        {"test.invocation_get", R"({"id":"$invocation","test_id":"$test"})"},
        {"test.invocation_create", R"({"test_id":"$test"})"},
        {"test.invocation_create", R"({"test_id":"$test","invocation_id":"$invocation"})"},
        {"test.invocation_run", R"({"invocation_id":"$invocation"})"},
        {"test.invocation_run",
         R"({"test_id":"$test","test_invocation_id":"$invocation","run_id":"$run"})"},
        {"test.invocation_complete", R"({"test_id":"$test","test_invocation_id":"$invocation"})"},
        {"test.invocation_terminate", R"({"invocation_id":"$invocation"})"},
        {"test.invocation_terminate", R"({"test_invocation_run_id":"$run"})"},
        {"test.invocation_trace", R"({"invocation_id":"$invocation"})"},
        {"test.invocation_trace", R"({"invocation_id":"$invocation","run_id":"$run"})"},
        {"test.grade", R"({"invocation_id":"$invocation","full":true})"},
        {"test.grade", R"({"invocation_id":"$invocation","run_id":"$run","score":1})"},
        {"test.feedback", R"({"grade_id":"$grade","tool_call_id":"$call",)"
                          R"("standard_group_id":"$standard_group","score":3})"},
        {"test.watch", "?test_id=$test"},
        {"test.watch", "?group_id=$group"},
        {"test.watch", "?run_id=$run"},
        {"test.watch_once", R"({"group_id":"$group"})"},
        {"test.watch_once", R"({"group_id":"$group","run_id":"$run"})"},
        {"test.group", R"({"group_id":"$group"})"},
        {"test.title", R"({"group_id":"$group","title":"taken"})"},
        {"test.generations", "{}", false},
        {"test.generations", R"({"search":"canary"})", false},
        {"test.problem", "{}", false},
        {"test.context", R"({"entity_id":"$test"})"},
        {"test.context", "{}", false},
        {"test.docs", "{}", false},
        {"v5.test.docs", "{}", false},
        {"test.benchmark.export", "{}", false},
        {"test.invocation.export", R"({"test_id":"$test"})"},
        {"test.invocation.export", R"({"test_id":"$test","invocation_entry_id":"$invocation"})"},
        {"test.export", R"({"test_id":"$test"})"},
        {"test.export", R"({"view":"invocations","test_id":"$test"})"},
        {"v5.test.export", R"({"test_id":"$test"})"},
        {"test.file_download", R"({"file_id":"$file"})"},
        {"test.file_download.alias", R"({"file_id":"$file"})"},
        {"test.file_download.get", "/api/test/download/$file"},
        {"test.text_download", R"({"text_id":"$message"})"},
        {"test.text_download.alias", R"({"text_id":"$message"})"},
        {"test.call_download", R"({"call_id":"$call"})"},
        {"test.call_download.alias", R"({"call_id":"$call"})"},
        {"test.decrypt", R"({"invocation_id":"$invocation","key_id":"$key"})"},
        {"test.invocation.decrypt", R"({"invocation_id":"$invocation","key_id":"$key"})"},
        {"test.benchmark_get", R"({"test_id":"$test"})"},
        {"test.benchmark_search", "{}", false},
        {"v5.test.start", R"({"benchmark_id":"$eval"})"},
        {"v5.test.start", R"({"benchmark_id":"$benchmark"})"},
        {"v5.test.next", R"({"test_id":"$test"})"},
        {"v5.test.run",
         R"({"test_id":"$test","test_invocation_id":"$invocation","run_id":"$run"})"},
        {"v5.test.end",
         R"({"test_id":"$test","test_invocation_id":"$invocation","run_id":"$run"})"},
        {"v5.test.stop", R"({"invocation_id":"$invocation"})"},
        {"v5.test.archive", R"({"test_ids":["$test"]})"},
        {"v5.test.get", R"({"test_id":"$test"})"},
        {"v5.test.search", R"({"page_size":1000})", false},
        {"admin.workspace_create", "{}", false},
        {"admin.workspace_list", "{}", false},
        {"admin.api_key_create", R"({"profile_id":"$profile"})"},
        {"admin.api_key_list", "{}", false},
        {"admin.api_key_revoke", R"({"api_key_id":"$api_key"})", true, false},
        {"metrics", "?", false},
        // A reference to what is not the caller's.
        {"eval.create", R"({"evals":[{"name":"n","model_ids":["$model"]}]})"},
        {"eval.create", R"({"evals":[{"name":"n","scenario_ids":["$scenario"]}]})"},
        {"eval.create", R"({"evals":[{"name":"n","rubric_ids":["$rubric"]}]})"},
        {"model.create", R"({"models":[{"name":"n","value":"v","provider_id":"$provider"}]})"},
        {"agent.create", R"({"agents":[{"name":"n","model_id":"$model"}]})"},
    };
    for (auto const* const route :
         {"test.refresh", "v5.test.refresh", "test.benchmark_refresh", "test.invocation_refresh"})
        out.push_back({route, R"({"targets":["catalog"]})", false});
    // Drafts are their maker's alone, whatever the department.
    for (auto const* const route :
         {"test.draft", "test.invocation_draft", "test.invocation_draft_patch"})
        out.push_back({route, R"({"draft_id":"$draft","name":"taken"})", true, false});
    for (auto const* const route :
         {"test.drafts", "test.invocation_drafts", "test.invocation_drafts_old"})
        out.push_back({route, "{}", false});
    for (auto const kind : kinds)
        std::ranges::move(cases_of_kind(kind), std::back_inserter(out));
    return out;
}

ids ids_of_nothing()
{
    ids out;
    add_grid_ids(out, grid_id::test_id(derive_uuid("no test")));
    for (auto const kind : kinds)
        out[fmt::format("${}", kind)] = derive_uuid(fmt::format("no {}", kind));
    out["$standard_group"] = derive_uuid("no standard group");
    out["$api_key"] = derive_uuid("no key");
    out["$draft"] = derive_uuid("no draft");
    out["$file"] = derive_uuid("no file");
    return out;
}

isolation_world::isolation_world()
{
    app = api::application::open(*s.engine, pool, numbers).value();
    routes = app->routes();
}

uuid isolation_world::create(engine::caller const& owner, item_kind kind, engine::item_draft draft)
{
    auto const mine = std::exchange(s.who, owner);
    auto const id = s.create(kind, std::move(draft));
    s.who = mine;
    return id;
}

ids isolation_world::fill(engine::caller const& owner, std::vector<uuid> const& departments)
{
    ids out;
    auto const make = [&](item_kind kind, std::string_view word, json::object body,
                          std::vector<std::pair<std::string, std::string>> texts = {}) {
        bool const shared = kind == item_kind::key || kind == item_kind::department;
        engine::item_draft draft{.name = fmt::format("{} {}", shared ? "shared" : canary, word)};
        draft.body = std::move(body);
        draft.texts = std::move(texts);
        if (!shared)
            draft.departments = departments;
        auto const id = create(owner, kind, std::move(draft));
        out[fmt::format("${}", word)] = id;
        return id.text();
    };
    auto const text = std::string(canary) + " text";
    auto const provider = make(item_kind::provider, "provider", recorded_provider());
    make(item_kind::key, "key", {{"provider_id", provider}, {"key_masked", "..."}});
    auto const model =
        make(item_kind::model, "model", {{"value", "6b_finetuning"}, {"provider_id", provider}});
    auto const agent = make(item_kind::agent, "agent", {{"model_id", model}});
    auto const scenario = make(item_kind::scenario, "scenario", {}, {{"problem_statement", text}});
    auto const group = derive_uuid("canary group");
    out["$standard_group"] = group;
    auto const rubric = make(item_kind::rubric, "rubric",
                             {{"points", 1},
                              {"pass_points", 1},
                              {"standard_groups",
                               {{{"id", group.text()},
                                 {"name", "canary group"},
                                 {"points", 1},
                                 {"pass_points", 1},
                                 {"grader", {{"kind", "numeric"}}}}}}});
    make(item_kind::department, "department", {});
    make(item_kind::profile, "profile", {{"role", "learner"}});
    make(item_kind::eval, "eval",
         {{"model_ids", json::array{model}},
          {"scenario_ids", json::array{scenario}},
          {"agent_ids", json::array{agent}},
          {"rubric_ids", json::array{rubric}}});
    auto const mine = std::exchange(s.who, owner);
    auto const test = s.start({.eval = out["$eval"], .name = text, .drive = drive::manual});
    s.who = mine;
    add_grid_ids(out, test);
    auto const give = [&](any_command command) {
        auto p = s.engine->prepare(owner, "test.fill", std::move(command));
        REQUIRE(p);
        auto const done = s.engine->give_and_wait(std::move(*p));
        INFO((done ? "" : done.error().detail));
        REQUIRE(done);
    };
    give(command::run_cell{test, 0});
    give(command::open_trace{test, 0, 1, {}, {}});
    give(command::complete_cell{test, 0});
    give(command::grade_cell{test, 0, {}, 1, false});
    out["$api_key"] = s.engine->create_api_key(owner, out["$profile"], "canary key").value().id;
    auto const as_owner = app->keys().local(owner.profile, events::channel::api);
    auto const id_in = [](seen const& answer, std::string const& name) {
        INFO(answer.text);
        auto const at = answer.text.find("\"" + name + "\":\"");
        REQUIRE(at != std::string::npos);
        return uuid::parse(std::string_view(answer.text).substr(at + name.size() + 4, 36)).value();
    };
    out["$draft"] =
        id_in(send({"test.draft", R"({"name":"canary draft"})"}, out, as_owner), "draft_id");
    out["$file"] = id_in(send({"test.export", R"({"test_id":"$test"})"}, out, as_owner), "file_id");
    return out;
}

std::shared_ptr<http::identity const> isolation_world::member(engine::caller const& owner,
                                                              std::string role,
                                                              std::vector<uuid> departments)
{
    engine::item_draft draft{.name = "somebody"};
    draft.departments = std::move(departments);
    draft.body = {{"role", role}};
    return app->keys().local(create(owner, item_kind::profile, std::move(draft)),
                             events::channel::api);
}

seen isolation_world::send(isolation_case const& c, ids const& with,
                           std::shared_ptr<http::identity const> const& who) const
{
    auto const& all = routes.routes();
    auto const route = std::ranges::find(all, c.route, &http::route::name);
    REQUIRE(route != all.end());
    http::request req;
    req.method = route->method;
    req.path = route->pattern;
    req.peer = "127.0.0.1:1";
    auto const text = filled(c.text, with);
    if (text.starts_with('/')) {
        req.path = text;
    } else if (text.starts_with('?')) {
        req.query = http::parse_query(std::string_view(text).substr(1)).value();
    } else {
        req.body = text;
        req.headers.add("Content-Type", "application/json");
    }
    auto answer = api::local_client(routes, who).send(std::move(req));
    seen out{answer.status, {}};
    for (auto const& [name, value] : answer.headers)
        out.text += fmt::format("{}: {}\n", name, value);
    out.text += answer.content_type + "\n" + text_of(answer);
    // It counts the rebuilds of the whole instance.
    out.text = std::regex_replace(out.text, std::regex("\"generation\":[0-9]+"), "generation");
    for (auto const& name : names_of(with))
        if (c.text.find(name) != std::string::npos)
            replace_all(out.text, with.at(name).text(), name);
    return out;
}

} // namespace assay::test
