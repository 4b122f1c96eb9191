#include "http/server/problem.hpp"
#include "http/server/router.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>
#include <string>
#include <vector>

using namespace assay;
using namespace assay::http;

namespace {

route make(http::method m, std::string pattern, std::string name)
{
    return {.method = m,
            .pattern = std::move(pattern),
            .name = std::move(name),
            .serve = on_io_thread([](request const&) { return text(200, ""); })};
}

} // namespace

TEST_CASE("router: which route serves a path", "[http][router]")
{
    router routes;
    routes.add(make(method::get, "/", "root"));
    routes.add(make(method::get, "/t/{id}", "one"));
    routes.add(make(method::del, "/t/{id}", "delete"));
    routes.add(make(method::get, "/t/all", "all"));
    routes.add(make(method::get, "/t/{id}/cells/{cell}", "cell"));
    routes.add(make(method::post, "/t/{other}", "post"));

    auto const [m, path, name, params] =
        GENERATE(table<method, std::string, std::string, std::string>({
            {method::get, "/", "root", ""},
            {method::get, "/t/1", "one", "id=1;"},
            {method::head, "/t/1", "one", "id=1;"},
            {method::del, "/t/1", "delete", "id=1;"},
            {method::post, "/t/1", "post", "other=1;"},
            {method::get, "/t/all", "all", ""},
            {method::get, "/t/%61ll", "all", ""},
            {method::get, "/t/a%2Fb/cells/%25", "cell", "id=a/b;cell=%;"},
            {method::get, "/t/", "", ""},
            {method::get, "/t", "", ""},
            {method::get, "/t/1/", "", ""},
            {method::get, "/t%2F1", "", ""},
            {method::get, "/t/%zz", "", ""},
            {method::get, "//t/1", "", ""},
            {method::get, "", "", ""},
            {method::put, "/t/all", "", ""},
        }));
    INFO(path);
    auto const match = routes.find(m, path);
    CHECK((match.found ? match.found->name : "") == name);
    std::string bound;
    for (auto const& [key, value] : match.params)
        bound += key + "=" + value + ";";
    CHECK(bound == params);
    CHECK(routes.find(method::put, "/t/all").allow == "GET, HEAD");
    CHECK(routes.find(method::put, "/t/1").allow == "GET, HEAD, DELETE");
}

TEST_CASE("router: what is taken cannot be taken again", "[http][router]")
{
    router routes;
    routes.add(make(method::get, "/a", "a"));
    CHECK_THROWS_AS(routes.add(make(method::get, "/a", "b")), std::logic_error);
    CHECK_THROWS_AS(routes.add(make(method::get, "/c", "a")), std::logic_error);
    CHECK_THROWS_AS(routes.add(make(method::get, "no-slash", "d")), std::logic_error);
    CHECK_THROWS_AS(routes.add({.pattern = "/nothing", .name = "e"}), std::logic_error);
}

TEST_CASE("request: queries are decoded", "[http][router]")
{
    auto const pairs = parse_query("a=1&b&&c=x%3Dy+z&a=2");
    REQUIRE(pairs);
    CHECK(*pairs == std::vector<name_value>{{"a", "1"}, {"b", ""}, {"c", "x=y z"}, {"a", "2"}});
    CHECK(parse_query("a=%4").error().code == errc::malformed);
    std::string many;
    for (int i = 0; i < 300; ++i)
        many += "a&";
    CHECK(parse_query(many).error().code == errc::malformed);
}

TEST_CASE("problem: every code has a status and a name", "[http][problem]")
{
    for (auto code = static_cast<int>(errc::malformed); code <= static_cast<int>(errc::cancelled);
         ++code) {
        auto const status = to_status(static_cast<errc>(code));
        CHECK(status >= 400);
        CHECK(status <= 504);
        CHECK_FALSE(to_name(static_cast<errc>(code)).empty());
    }
}
