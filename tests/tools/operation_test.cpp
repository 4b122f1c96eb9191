#include "tests/events/fixture.hpp"
#include "tools/operation.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace assay;
using namespace assay::tools;
using boost::json::array;
using boost::json::object;
using boost::json::value;

TEST_CASE("operation: --body is JSON or a file", "[tools]")
{
    test::temporary_directory const dir;
    std::ofstream(dir.path() / "body.json") << R"({"test_id": "x"})";
    CHECK(read_body_argument(R"({"a": 1})").value() == object{{"a", 1}});
    CHECK(read_body_argument("@" + (dir.path() / "body.json").string()).value() ==
          object{{"test_id", "x"}});
    for (auto const* const bad : {"", "{", "[]", "7", "@/nowhere/at/all", R"({"a": 1, "a": 2})"}) {
        INFO(bad);
        auto const read = read_body_argument(bad);
        REQUIRE_FALSE(read);
        CHECK(read.error().reason == "usage");
    }
}

TEST_CASE("operation: flags become members", "[tools]")
{
    auto const made = [](member_kind kind, std::vector<std::string> const& texts) {
        return flag_value({"--x", "x", kind, {}}, texts);
    };
    CHECK(made(member_kind::text, {"7"}).value() == "7");
    CHECK(made(member_kind::count, {"7"}).value() == 7);
    CHECK(made(member_kind::number, {"0.5"}).value() == 0.5);
    CHECK(made(member_kind::texts, {"a", "b"}).value() == array{"a", "b"});
    CHECK(made(member_kind::items, {R"({"name": "n"})"}).value() == array{object{{"name", "n"}}});
    CHECK(made(member_kind::items, {R"([{"name": "n"}])"}).value() == array{object{{"name", "n"}}});
    CHECK_FALSE(made(member_kind::count, {"-1"}));
    CHECK_FALSE(made(member_kind::count, {"1.5"}));
    CHECK_FALSE(made(member_kind::count, {""}));
    CHECK_FALSE(made(member_kind::number, {"much"}));
    CHECK_FALSE(made(member_kind::items, {"{"}));
}

TEST_CASE("operation: answers for people", "[tools]")
{
    value const list =
        object{{"tests", array{object{{"test_id", "t1"}, {"n", 5}, {"more", object{}}},
                               object{{"test_id", "t2"}, {"n", nullptr}}}},
               {"total_count", 7}};
    CHECK(answer_text(list, "tests", {}, 80) ==
          "test_id  n\n"
          "t1       5\n"
          "t2       -\n"
          "\n2 of 7 shown; --limit and --offset show others\n");
    CHECK(answer_text(object{{"tests", array{}}}, "tests", {}, 80) == "none\n");
    CHECK(answer_text(
              object{{"success", true}, {"none", nullptr}, {"message", "a\x1b"}, {"list", array{}}},
              {}, {}, 80) == "success  yes\nmessage  a?\n");
    CHECK(answer_text(object{{"x", 1}, {"rows", array{object{{"a", 1}}}}}, {}, {}, 80) ==
          "x  1\n\nrows\na\n1\n");
    CHECK(answer_text(object{}, {}, {}, 80) == "done\n");
}
