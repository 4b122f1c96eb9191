#include "tests/events/fixture.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace assay;
using namespace assay::test;

namespace {

std::map<std::string, std::string> stream_rows(events::store const& s)
{
    std::map<std::string, std::string> rows;
    REQUIRE(s.scan(s.handle(events::family::streams), {}, {},
                   [&](std::string_view key, std::string_view value) {
                       rows.emplace(key, value);
                       return true;
                   }));
    return rows;
}

} // namespace

TEST_CASE("stream states: folding the log again gives the rows that the writer kept",
          "[events][states]")
{
    temporary_directory dir;
    auto const test_id = a_test_id("s");
    log_fixture log(dir.path());
    REQUIRE(log.give("workspace.create", command::create_workspace{log.workspace, "w"}));
    REQUIRE(log.give("test.start", a_start(test_id, 2, 3)));
    REQUIRE(log.give("runner.begin", command::begin_runs{test_id, {0, 1, 5}}));
    command::record_progress progress{test_id, 1, 1, event::call_recorded{}, event::run_ended{},
                                      {},      {}};
    progress.ended->run = 1;
    REQUIRE(log.give("runner.record", progress));
    REQUIRE(log.give("test.stop", command::stop_test{test_id}));
    REQUIRE(log.give("invocation.run", command::run_cell{test_id, 3}));
    REQUIRE(log.give("test.grade", command::grade_cell{test_id, 1, {}, 1, false}));
    REQUIRE(log.give("test.draft", command::save_draft{derive_uuid("d"), true, {}, {}, {}}));
    log.writer->stop();

    auto const kept = stream_rows(*log.store);
    CHECK(kept.size() == 2 + 2 + 4 + 1); // two partitions, workspace and test, four cells, a note
    REQUIRE(events::rebuild_states(*log.store));
    CHECK(stream_rows(*log.store) == kept);
    CHECK_FALSE(events::ensure_states(*log.store).value());
}
