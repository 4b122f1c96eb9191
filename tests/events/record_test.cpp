#include "events/catalogue.hpp"
#include "events/merkle.hpp"
#include "events/record.hpp"
#include "tests/core/random.hpp"
#include "tests/events/samples.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::events;

namespace {

struct sample {
    envelope e;
    std::vector<std::string> payloads;
    std::string answer;

    [[nodiscard]] std::string bytes() const
    {
        return write_record(codec::to_json(e), payloads, answer);
    }
};

/// A commit of every event type, on two streams, with an answer.
sample a_commit()
{
    sample s;
    auto const test = grid_id::test_id(derive_uuid("test"));
    s.e.position = 300;
    s.e.commit = derive_uuid("commit");
    s.e.command = derive_uuid("command");
    s.e.operation = "test.start";
    s.e.at = {1'795'243'874'123'456};
    s.e.workspace = derive_uuid("workspace");
    s.e.partition = test;
    s.e.previous = 299;
    s.e.profile = derive_uuid("profile");
    s.e.channel = channel::api;
    s.e.causation = 298;
    s.e.streams = {{"test/" + test.text(), 290, 0},
                   {"workspace/" + derive_uuid("workspace").text(), {}, 0}};
    std::uint64_t versions[] = {40, 0};
    std::vector<digest> leaves;
    for (auto const& body : test::sample_events()) {
        auto const type = type_of(body);
        auto const stream = static_cast<std::uint32_t>(s.payloads.size() % 3 == 0);
        s.payloads.push_back(encode(body));
        s.e.events.push_back(
            {sha256(s.payloads.back()), stream, std::string(type.name), type.version});
        leaves.push_back(event_leaf(s.e.events.back()));
        ++versions[stream];
    }
    s.e.streams[0].version = versions[0];
    s.e.streams[1].version = versions[1];
    s.e.events_root = merkle::root_of(leaves);
    s.e.keys = {derive_uuid("a data key")};
    s.e.request = sha256("request");
    s.e.idempotency = sha256("key");
    s.e.body = sha256("body");
    s.answer = "sealed answer";
    s.e.answer = sha256(s.answer);
    return s;
}

std::string refusal(std::uint64_t position, std::string_view bytes)
{
    auto const leaf = verify_record(position, bytes);
    return leaf ? "" : leaf.error().detail;
}

} // namespace

TEST_CASE("record: a commit leads back, with the version of each event's stream",
          "[events][record]")
{
    auto const s = a_commit();
    auto const bytes = s.bytes();
    auto const c = read_commit(bytes);
    REQUIRE(c);
    auto const& head = (*c)->head;
    CHECK(head.position == 300);
    CHECK(head.commit == s.e.commit);
    CHECK(head.command == s.e.command);
    CHECK(head.at == s.e.at);
    CHECK(head.workspace == s.e.workspace);
    CHECK(head.partition == s.e.partition);
    CHECK(head.profile == s.e.profile);
    CHECK(head.channel == channel::api);
    auto const bodies = test::sample_events();
    REQUIRE((*c)->events.size() == bodies.size());
    std::uint64_t versions[] = {40, 0};
    for (std::size_t i = 0; i < bodies.size(); ++i) {
        auto const& e = (*c)->events[i];
        auto const stream = static_cast<std::size_t>(i % 3 == 0);
        REQUIRE(e.head == &head);
        REQUIRE(e.index == i);
        REQUIRE(e.stream.text() == s.e.streams[stream].id);
        REQUIRE(e.version == ++versions[stream]);
        REQUIRE(encode(e.body) == s.payloads[i]);
    }
    auto const leaf = verify_record(300, bytes);
    REQUIRE(leaf);
    CHECK(*leaf == merkle::leaf_hash(codec::to_json(s.e)));
}

TEST_CASE("record: any changed byte is refused or gives another leaf", "[events][record]")
{
    auto const bytes = a_commit().bytes();
    auto const leaf = verify_record(300, bytes).value();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        for (auto const flip : {0x01, 0x02, 0x20, 0x80, 0xFF}) {
            auto changed = bytes;
            changed[i] = static_cast<char>(changed[i] ^ flip);
            auto const seen = verify_record(300, changed);
            INFO("byte " << i << " xor " << flip);
            REQUIRE((!seen || *seen != leaf));
        }
    }
}

TEST_CASE("record: bytes cut off or put in are refused or give another leaf", "[events][record]")
{
    auto const bytes = a_commit().bytes();
    auto const leaf = verify_record(300, bytes).value();
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        REQUIRE_FALSE(verify_record(300, std::string_view(bytes).substr(0, i)));
        auto const longer = bytes.substr(0, i) + bytes[i] + bytes.substr(i);
        auto const seen = verify_record(300, longer);
        INFO("byte " << i << " twice");
        REQUIRE((!seen || *seen != leaf));
    }
    CHECK_FALSE(verify_record(300, bytes + '\0'));
}

TEST_CASE("verify_record: says which part does not fit", "[events][record]")
{
    auto const with = [](auto const& change) {
        auto s = a_commit();
        change(s);
        return refusal(300, s.bytes());
    };
    CHECK(with([](sample&) {}).empty());
    CHECK(refusal(301, a_commit().bytes()) == "position 301: the envelope says position 300");
    CHECK(with([](sample& s) { s.payloads[3] += " "; }) ==
          "position 300: event 3 does not have its hash");
    CHECK(with([](sample& s) { std::swap(s.payloads[1], s.payloads[2]); }) ==
          "position 300: event 1 does not have its hash");
    CHECK(with([](sample& s) { s.payloads.pop_back(); }) ==
          "position 300: events listed and events held differ in number");
    CHECK(with([](sample& s) { s.e.events[0].type = "item.deleted"; }) ==
          "position 300: the events do not have their root");
    CHECK(with([](sample& s) { s.e.events_root = sha256("other"); }) ==
          "position 300: the events do not have their root");
    CHECK(with([](sample& s) { s.answer += "x"; }) ==
          "position 300: the stored answer does not have its hash");
    CHECK(with([](sample& s) { s.answer.clear(); }) ==
          "position 300: the stored answer does not have its hash");
    CHECK(with([](sample& s) { s.e.answer.reset(); }) ==
          "position 300: the stored answer does not have its hash");

    auto const s = a_commit();
    auto entry = codec::to_json(s.e);
    entry.insert(1, " ");
    CHECK(refusal(300, write_record(entry, s.payloads, s.answer)) ==
          "position 300: the envelope is not in canonical form");
    entry = codec::to_json(s.e);
    entry.insert(1, R"("aaa":1,)");
    CHECK(refusal(300, write_record(entry, s.payloads, s.answer)) ==
          "position 300: the envelope is not in canonical form");
}

TEST_CASE("read_record: another format is refused and named", "[events][record]")
{
    auto bytes = a_commit().bytes();
    bytes[0] = 2;
    auto const parts = read_record(bytes);
    REQUIRE_FALSE(parts);
    CHECK(parts.error().code == errc::unavailable);
    CHECK(parts.error().reason == "newer_format");
    CHECK(parts.error().detail == "record format 2; this program reads 1");
}

TEST_CASE("read_commit: a stream that is none, or out of range, is corrupt", "[events][record]")
{
    auto s = a_commit();
    s.e.streams[0].id = "table/1";
    auto read = read_commit(s.bytes());
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::corrupt);
    s = a_commit();
    s.e.events[4].stream = 2;
    read = read_commit(s.bytes());
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::corrupt);
}

TEST_CASE("read_commit: any bytes are read or refused", "[events][record]")
{
    auto const seed = test::random_seed();
    INFO("seed " << seed);
    test::dice dice(seed);
    auto const good = a_commit().bytes();
    for (int i = 0; i < 3000; ++i) {
        auto bytes = dice.chance(50) ? good : "\x01" + dice.bytes(dice.below(60));
        for (auto n = dice.below(4); n > 0; --n)
            bytes[dice.below(bytes.size())] = static_cast<char>(dice.bits());
        auto const read = read_commit(bytes);
        if (!read)
            CHECK((read.error().code == errc::corrupt || read.error().code == errc::unavailable));
    }
}

TEST_CASE("event_leaf: depends on type, version and payload, and on nothing else",
          "[events][record]")
{
    envelope_event const e{sha256("payload"), 0, "run.started", 1};
    auto const leaf = event_leaf(e);
    CHECK(leaf == merkle::leaf_hash(R"({"payload":")" + sha256("payload").hex() +
                                    R"(","type":"run.started","v":1})"));
    auto other = e;
    other.stream = 5;
    CHECK(event_leaf(other) == leaf);
    other = e;
    other.v = 2;
    CHECK(event_leaf(other) != leaf);
}
