#include "tests/events/fixture.hpp"
#include "tests/events/held_writer.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::events;
using namespace assay::test;

namespace {

uuid const test_id = a_test_id("t");

submission keyed(log_fixture const& log, any_command c, std::string_view key, std::string_view body)
{
    auto s = log.submission("test.write", std::move(c));
    auto const keys = log.vault->keys_of(log.workspace).value();
    s.idempotency =
        idempotency{keyed_hash(*keys, "idempotency", key), keyed_hash(*keys, "body", body)};
    return s;
}

std::string answer_of(result<receipt> const& r)
{
    return r ? json::canonical(r->answer) : r.error().reason;
}

} // namespace

TEST_CASE("idempotency: the same key and body give the first answer, also after reopening",
          "[events][idempotency]")
{
    temporary_directory dir;
    std::string first;
    std::optional<std::uint64_t> position;
    {
        log_fixture log(dir.path());
        auto const done =
            log.writer->submit_and_wait(keyed(log, a_start(test_id, 2, 3), "key", "body"));
        REQUIRE(done);
        CHECK_FALSE(done->replayed);
        first = answer_of(done);
        position = done->position;

        // What happened in between does not matter: the first answer is given again.
        REQUIRE(log.give("test.stop", command::stop_test{test_id}));
        auto const again =
            log.writer->submit_and_wait(keyed(log, a_start(test_id, 2, 3), "key", "body"));
        CHECK(answer_of(again) == first);
        CHECK(again->replayed);
        CHECK(again->position == position);
        CHECK(log.store->next_position() == 2);
    }
    log_fixture log(dir.path());
    auto const again =
        log.writer->submit_and_wait(keyed(log, a_start(test_id, 2, 3), "key", "body"));
    CHECK(answer_of(again) == first);
    CHECK(again->replayed);
    CHECK(again->position == position);
    CHECK(log.store->next_position() == 2);
}

TEST_CASE("idempotency: the same key with another body is refused", "[events][idempotency]")
{
    temporary_directory dir;
    for (int opening = 0; opening < 2; ++opening) {
        log_fixture log(dir.path());
        REQUIRE(log.writer->submit_and_wait(keyed(log, a_start(test_id, 2, 3), "key", "body")));
        auto const other = log.writer->submit_and_wait(
            keyed(log, command::stop_test{test_id}, "key", "other body"));
        REQUIRE_FALSE(other);
        CHECK(other.error().code == errc::idempotency_reused);
        CHECK(other.error().reason == "idempotency_key_reused");
        CHECK(log.store->next_position() == 1);
    }
}

TEST_CASE("idempotency: holds inside one drain", "[events][idempotency]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    held_writer held(*log.writer);
    pending first(*log.writer, keyed(log, a_start(test_id, 2, 3), "key", "body"));
    pending second(*log.writer, keyed(log, a_start(test_id, 2, 3), "key", "body"));
    pending other(*log.writer, keyed(log, a_start(test_id, 2, 3), "key", "other body"));
    pending free(*log.writer, keyed(log, command::stop_test{test_id}, "key 2", "body"));
    CHECK_FALSE(first.ready());
    held.release();
    auto const one = first.get();
    auto const two = second.get();
    CHECK(answer_of(one) == answer_of(two));
    CHECK_FALSE(one->replayed);
    CHECK(two->replayed);
    CHECK(two->position == one->position);
    CHECK(answer_of(other.get()) == "idempotency_key_reused");
    CHECK(free.get()->position == 1);
    CHECK(log.writer->stats().drains == 1);
    CHECK(log.store->next_position() == 2);
}

TEST_CASE("idempotency: a refusal is not remembered, the key stays free", "[events][idempotency]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    CHECK(answer_of(log.writer->submit_and_wait(
              keyed(log, command::stop_test{test_id}, "key", "body"))) == "test_not_found");
    REQUIRE(log.give("test.start", a_start(test_id, 2, 3)));
    auto const done =
        log.writer->submit_and_wait(keyed(log, command::stop_test{test_id}, "key", "body"));
    REQUIRE(done);
    CHECK_FALSE(done->replayed);
}

TEST_CASE("idempotency: is checked before the expected version", "[events][idempotency]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    auto const first =
        log.writer->submit_and_wait(keyed(log, a_start(test_id, 2, 3), "key", "body"));
    auto s = keyed(log, a_start(test_id, 2, 3), "key", "body");
    s.expects.push_back({{stream_kind::test, test_id}, expectation::kind::none});
    CHECK(answer_of(log.writer->submit_and_wait(std::move(s))) == answer_of(first));
}

TEST_CASE("idempotency: the log holds hashes and a sealed answer, no key and no answer in clear",
          "[events][idempotency]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    REQUIRE(log.writer->submit_and_wait(
        keyed(log, a_start(test_id, 2, 3), "secret key", "secret body")));
    auto const bytes = log.store->record_bytes(0).value();
    CHECK(bytes.find("secret") == std::string::npos);
    CHECK(bytes.find("benchmark_id") == std::string::npos);
    auto const e = log.store->read_envelope_at(0).value();
    auto const keys = log.vault->keys_of(log.workspace).value();
    CHECK(e.idempotency == keyed_hash(*keys, "idempotency", "secret key"));
    CHECK(e.body == keyed_hash(*keys, "body", "secret body"));
    CHECK(e.keys == std::vector<uuid>{keys->data_key_id});
    CHECK(e.answer);
    CHECK(verify_record(0, bytes));
}
