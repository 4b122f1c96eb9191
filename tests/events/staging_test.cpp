#include "events/catalogue.hpp"
#include "events/stream_states.hpp"
#include "tests/events/fixture.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::events;
using namespace assay::test;

namespace {

uuid const test_id = a_test_id("t");
uuid const note = derive_uuid("a staged write");

submission stop(log_fixture const& log, staging_step step)
{
    auto s = log.submission("test.stop", command::stop_test{test_id});
    s.staging = staging{step, note, "test.stop", {}, sha256("body")};
    return s;
}

std::vector<std::string> types_at(log_fixture const& log, std::uint64_t position)
{
    std::vector<std::string> out;
    for (auto const& e : log.store->read(position).value()->events)
        out.emplace_back(type_of(e.body).name);
    return out;
}

} // namespace

TEST_CASE("staging: what is accepted takes place in the commit that says so", "[events][staging]")
{
    temporary_directory dir;
    {
        log_fixture log(dir.path());
        REQUIRE(log.give("test.start", a_start(test_id, 2, 3)));
        auto const staged = log.writer->submit_and_wait(stop(log, staging_step::stage));
        REQUIRE(staged);
        CHECK(staged->answer.at("queued") == 6);
        CHECK(types_at(log, 1) == std::vector<std::string>{"write.staged"});
    }
    {
        log_fixture log(dir.path()); // the state of the note is read again
        auto const accepted = log.writer->submit_and_wait(stop(log, staging_step::accept));
        REQUIRE(accepted);
        CHECK(accepted->answer.at("staged") == "accepted");
        CHECK(types_at(log, 2) == std::vector<std::string>{"test.stopped", "write.accepted"});
    }
    {
        auto store = events::store::open(dir.path()).value();
        REQUIRE(rebuild_states(*store)); // and when it is folded again from the log
    }
    log_fixture log(dir.path());
    auto const late = log.writer->submit_and_wait(stop(log, staging_step::reject));
    REQUIRE_FALSE(late);
    CHECK(late.error().reason == "write_accepted");
    CHECK(log.store->next_position() == 3);
}

TEST_CASE("staging: what is rejected leaves the test as it was", "[events][staging]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    REQUIRE(log.give("test.start", a_start(test_id, 1, 1)));
    REQUIRE(log.writer->submit_and_wait(stop(log, staging_step::stage)));
    auto const rejected = log.writer->submit_and_wait(stop(log, staging_step::reject));
    REQUIRE(rejected);
    CHECK(rejected->answer.at("staged") == "rejected");
    auto const stopped = log.give("test.stop", command::stop_test{test_id});
    REQUIRE(stopped);
    CHECK(stopped->answer.at("already") == false);
}
