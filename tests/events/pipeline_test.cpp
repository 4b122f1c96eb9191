#include "tests/events/fixture.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::test;

TEST_CASE("pipeline: what was acknowledged is there after reopening, in order",
          "[events][pipeline]")
{
    temporary_directory dir;
    auto const test_id = a_test_id("a");
    digest root;
    {
        log_fixture log(dir.path());
        REQUIRE(log.give("workspace.create", command::create_workspace{log.workspace, "w"}));
        REQUIRE(log.give("test.start", a_start(test_id, 2, 3)));
        REQUIRE(log.give("runner.begin", command::begin_runs{test_id, {0, 1, 5}}));
        auto const stopped = log.give("test.stop", command::stop_test{test_id});
        REQUIRE(stopped);
        CHECK(stopped->answer.at("queued").as_uint64() == 3);
        CHECK(stopped->answer.at("running").as_uint64() == 3);
        log.writer->stop();
        root = log.store->tree().root();
    }
    auto const reopened = events::store::open(dir.path());
    REQUIRE(reopened);
    CHECK((*reopened)->next_position() == 4);
    CHECK((*reopened)->tree().root() == root);
    for (std::uint64_t p = 0; p < 4; ++p) {
        auto const bytes = (*reopened)->record_bytes(p);
        REQUIRE(bytes);
        auto const leaf = events::verify_record(p, *bytes);
        INFO((leaf ? "" : leaf.error().detail));
        REQUIRE(leaf);
        CHECK(*leaf == (*reopened)->tree_node(0, p).value());
    }
    std::vector<std::uint64_t> seen;
    REQUIRE((*reopened)->walk_back({stream_kind::test, test_id}, [&](std::uint64_t p) {
        seen.push_back(p);
        return true;
    }));
    CHECK(seen == std::vector<std::uint64_t>{3, 1});
}
