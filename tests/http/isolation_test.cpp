#include "core/permissions.hpp"
#include "tests/http/isolation_world.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

using namespace assay;
using namespace assay::test;

namespace {

/// Another workspace than the first, whose administrators look after the instance.
engine::caller stranger(isolation_world& w)
{
    auto const made = w.s.engine->create_workspace("elsewhere").value();
    return {made.workspace, made.profile, events::channel::api, {}, {}, {}};
}

/// Whether an answer holds an id of `all` that the request did not bring, or a text.
std::string leak_in(seen const& answer, ids const& all)
{
    if (answer.text.find("canary") != std::string::npos)
        return "a text";
    for (auto const& [name, id] : all)
        if (answer.text.find(id.text()) != std::string::npos)
            return name;
    return {};
}

/// The rows that nobody outside the department may see: keys and departments belong to none.
ids of_department(ids all)
{
    all.erase("$key");
    all.erase("$department");
    return all;
}

http::permission permission_of(isolation_world const& w, std::string_view route)
{
    return *std::ranges::find(w.routes.routes(), route, &http::route::name)->permission;
}

} // namespace

TEST_CASE("isolation: every route is walked", "[http][isolation]")
{
    isolation_world const w;
    std::set<std::string> covered;
    for (auto const& c : isolation_cases())
        covered.emplace(c.route);
    for (auto const& route : w.routes.routes()) {
        INFO(route.name << " needs requests in tests/http/isolation_world.cpp");
        bool const open = route.name == "healthz" || route.name == "readyz";
        CHECK(route.permission.has_value() != open);
        CHECK(covered.contains(route.name) != open);
    }
}

TEST_CASE("isolation: another workspace's rows answer like rows that are not there",
          "[http][isolation]")
{
    isolation_world w;
    auto const theirs = w.fill(w.s.who, {});
    auto const nothing = ids_of_nothing();
    auto const me = stranger(w);
    auto const who = w.member(me, "administrator");
    auto const before = w.s.engine->log().next_position();
    for (auto const& c : isolation_cases()) {
        INFO(c.route << " " << c.text);
        auto const foreign = w.send(c, theirs, who);
        auto const absent = w.send(c, nothing, who);
        CHECK(foreign.status == absent.status);
        CHECK(foreign.text == absent.text);
        CHECK(foreign.status < 500);
        CHECK(leak_in(foreign, theirs) == "");
    }
    for (auto at = before; at < w.s.engine->log().next_position(); ++at)
        CHECK(w.s.engine->log().read(at).value()->head.workspace != w.s.who.workspace);
}

TEST_CASE("isolation: another department's rows are refused by id and left out of lists",
          "[http][isolation]")
{
    isolation_world w;
    auto const mine = w.s.create(item_kind::department, {.name = "mine"});
    auto const other = w.s.create(item_kind::department, {.name = "other"});
    auto const theirs = w.fill(w.s.who, {other});
    auto const role = GENERATE(as<std::string>(), "instructor", "learner", "auditor");
    auto const who = w.member(w.s.who, role, {mine});
    auto const before = w.s.engine->log().next_position();
    for (auto const& c : isolation_cases()) {
        INFO(role << " " << c.route << " " << c.text);
        auto const answer = w.send(c, theirs, who);
        CHECK(answer.status < 500);
        bool const permitted = who->may(permission_of(w, c.route));
        if (!permitted || (c.names && c.departments))
            CHECK(answer.status == 403);
        if (c.departments)
            CHECK(leak_in(answer, of_department(theirs)) == "");
    }
    for (auto at = before; at < w.s.engine->log().next_position(); ++at)
        for (auto const& e : w.s.engine->log().read(at).value()->events)
            CHECK(e.stream.id != theirs.at("$test"));
}

TEST_CASE("isolation: a role's permissions are those of its table, on every route",
          "[http][isolation]")
{
    isolation_world w;
    auto const nothing = ids_of_nothing();
    for (auto const role : roles()) {
        auto const who = w.member(w.s.who, std::string(role));
        for (auto const& c : isolation_cases()) {
            INFO(role << " " << c.route << " " << c.text);
            auto const asked = permission_of(w, c.route);
            bool const permitted = may(role, asked.artifact, asked.operation);
            CHECK(permitted == (w.send(c, nothing, who).status != 403));
            CHECK(w.send(c, nothing, nullptr).status == 401);
        }
    }
}
