#include "core/hash.hpp"
#include "core/pack.hpp"
#include "events/anchor.hpp"
#include "events/blobs.hpp"
#include "events/catalogue.hpp"
#include "events/merkle.hpp"
#include "events/record.hpp"
#include "events/stream_row.hpp"
#include "tests/events/fixture.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <numeric>

using namespace assay;
using namespace assay::events;

namespace {

std::filesystem::path const page = ASSAY_SOURCE_DIR "/events/log_format.md";

std::string counting_bytes(unsigned char from, std::size_t n)
{
    std::string out(n, '\0');
    std::iota(out.begin(), out.end(), static_cast<char>(from));
    return out;
}

/// The keys of the example's workspace: bytes that count up, so that a reader can type them in.
workspace_keys example_keys()
{
    workspace_keys k;
    k.workspace = uuid::parse("0192f0c0-0000-7000-8000-000000000001").value();
    k.data_key_id = uuid::parse("0192f0c0-0000-8000-8000-000000000002").value();
    k.data_key = secret_bytes(counting_bytes(0x00, 32));
    k.address_key = secret_bytes(counting_bytes(0x20, 32));
    return k;
}

uuid numbered(int n)
{
    return uuid::parse(fmt::format("0192f0c0-0000-7000-8000-0000000000{:02x}", n)).value();
}

/// A commit of the example as it is stored.
struct stored {
    std::vector<std::string> payloads;
    std::string answer;
    std::string entry;
    std::string record;
    digest leaf;
};

/// Three commits: a test is started, stopped, and one of its cells is fired again through the API
/// with an idempotency key.
class example {
public:
    example()
    {
        event::test_started started;
        started.name = "example";
        started.models = {{numbered(0x11), "m"}};
        started.agents = {{numbered(0x12), "a"}};
        started.scenarios = 2;
        blob_list blobs;
        started.config = seal(keys, "configuration", blobs);
        add("test.start", {{test, started}});
        add("test.stop", {{test, event::test_stopped{2, 0}}});
        add("invocation.run", {{test, event::test_reopened{}}, {cell, event::run_started{1}}},
            "a client's key");
    }

    workspace_keys const keys = example_keys();
    uuid const test_id =
        grid_id::test_id(uuid::parse("0192f0c0-0000-8000-8000-000000000003").value());
    stream_id const test{stream_kind::test, test_id};
    stream_id const cell{stream_kind::cell, grid_id::make(test_id, grid_kind::invocation, 0)};
    std::vector<stored> commits;
    merkle::frontier tree;

    [[nodiscard]] stored const& last() const { return commits.back(); }

    /// The idempotency hash of a client's key, scoped as http/engine scopes it.
    [[nodiscard]] digest scope(std::string_view key) const
    {
        std::string scope(keys.workspace.raw());
        scope.append(numbered(0x40).raw()).append("invocation.run").push_back('\0');
        scope.append(key).append("\0"
                                 "0",
                                 2);
        return keyed_hash(keys, "idempotency", scope);
    }

private:
    struct known {
        std::optional<std::uint64_t> head;
        std::uint64_t version = 0;
    };

    void add(std::string operation, std::vector<draft> drafts, std::string_view key = {})
    {
        stored c;
        envelope e;
        e.position = commits.size();
        e.commit = numbered(0x20 + static_cast<int>(e.position));
        e.command = numbered(0x30 + static_cast<int>(e.position));
        e.operation = std::move(operation);
        e.at = {1'795'243'874'123'456 + static_cast<std::int64_t>(e.position)};
        e.workspace = keys.workspace;
        e.partition = test_id;
        if (e.position > 0)
            e.previous = e.position - 1;
        e.profile = numbered(0x40);
        e.channel = channel::api;
        std::vector<digest> leaves;
        for (auto const& d : drafts) {
            c.payloads.push_back(encode(d.body));
            auto const type = type_of(d.body);
            auto& stream = streams_[d.stream];
            auto slot =
                std::find_if(e.streams.begin(), e.streams.end(),
                             [&](envelope_stream const& s) { return s.id == d.stream.text(); });
            if (slot == e.streams.end())
                slot = e.streams.insert(slot, {d.stream.text(), stream.head, 0});
            slot->version = ++stream.version;
            stream.head = e.position;
            e.events.push_back({sha256(c.payloads.back()),
                                static_cast<std::uint32_t>(slot - e.streams.begin()),
                                std::string(type.name), type.version});
            leaves.push_back(event_leaf(e.events.back()));
        }
        e.events_root = merkle::root_of(leaves);
        if (!key.empty())
            add_answer(key, e, c);
        c.entry = codec::to_json(e);
        c.record = write_record(c.entry, c.payloads, c.answer);
        c.leaf = merkle::leaf_hash(c.entry);
        tree.append(c.leaf);
        commits.push_back(std::move(c));
    }

    void add_answer(std::string_view key, envelope& e, stored& c) const
    {
        e.keys = {keys.data_key_id};
        e.idempotency = scope(key);
        e.body = keyed_hash(keys, "body", "{}");
        auto const nonce = counting_bytes(0x40, 12); // random in a real log
        auto context =
            std::string("assay answer").append(keys.workspace.raw()).append(e.idempotency->raw());
        c.answer = nonce + gcm_seal(keys.data_key.view(), nonce, R"({"run_id":"..."})", context);
        e.answer = sha256(c.answer);
    }

    std::map<stream_id, known> streams_;
};

/// Hexadecimal digits in lines of 32 bytes.
std::string hex_lines(std::string_view bytes)
{
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); i += 32)
        out += to_hex(bytes.substr(i, 32)) + "\n";
    return out;
}

/// The block of the page behind `<!-- example: name -->`, where it begins and ends.
struct block {
    std::size_t from = std::string::npos;
    std::size_t size = 0;
};

block block_of(std::string const& text, std::string_view name)
{
    auto const mark = text.find(fmt::format("<!-- example: {} -->\n```", name));
    REQUIRE(mark != std::string::npos);
    auto const from = text.find('\n', text.find("```", mark)) + 1;
    auto const end = text.find("\n```\n", from - 1) + 1;
    REQUIRE(end > 0);
    return {from, end - from};
}

/// Compares an example with the page, or, with ASSAY_WRITE_EXAMPLES=1, puts it there.
void check_example(std::string_view name, std::string const& produced)
{
    auto text = read_file(page).value();
    auto const at = block_of(text, name);
    if (std::getenv("ASSAY_WRITE_EXAMPLES")) {
        text.replace(at.from, at.size, produced);
        std::ofstream(page) << text;
        return;
    }
    INFO("example " << name << " in " << page.string());
    CHECK(text.substr(at.from, at.size) == produced);
}

std::string framing(stored const& c)
{
    std::string out;
    std::size_t at = 0;
    auto const line = [&](std::string_view bytes, std::string const& what) {
        auto const shown = bytes.size() > 8 ? to_hex(bytes.substr(0, 4)) + ".." +
                                                  to_hex(bytes.substr(bytes.size() - 2))
                                            : to_hex(bytes);
        out += fmt::format("{:5} {:>5}  {:<18} {}\n", at, bytes.size(), shown, what);
        at += bytes.size();
    };
    auto const varint = [](std::uint64_t n) { return pack::to_bytes(n); };
    line(std::string(1, static_cast<char>(record_format)), "format of the record");
    line(varint(c.payloads.size()), "number of events");
    line(varint(c.entry.size()), fmt::format("length of the entry, {}", c.entry.size()));
    line(c.entry, "the entry: the envelope's canonical JSON");
    for (auto const& p : c.payloads) {
        line(varint(p.size()), fmt::format("length of the payload, {}", p.size()));
        line(p, p);
    }
    line(varint(c.answer.size()), fmt::format("length of the sealed answer, {}", c.answer.size()));
    line(c.answer, "the sealed answer");
    REQUIRE(at == c.record.size());
    return out + fmt::format("SHA-256 of all {} bytes: {}\n", at, sha256(c.record).hex());
}

} // namespace

TEST_CASE("log_format.md: the example is a log that checks out and reads", "[events][docs]")
{
    example const e;
    std::vector<digest> leaves;
    partition_state state;
    state.workspace = e.keys.workspace;
    for (std::uint64_t p = 0; p < e.commits.size(); ++p) {
        leaves.push_back(verify_record(p, e.commits[p].record).value());
        auto const c = read_commit(e.commits[p].record).value();
        for (auto const& event : c->events)
            apply(state, event.stream, event.body, {c->head.workspace, c->head.at});
    }
    CHECK(merkle::root_of(leaves) == e.tree.root());
    CHECK(state.test.counts.running == 1);
    CHECK(state.test.counts.terminated == 1);
    CHECK(state.test.phase == test_phase::running);
}

TEST_CASE("log_format.md: envelope, payloads and hashes are what the program writes",
          "[events][docs]")
{
    example const e;
    auto const& c = e.last();
    auto const read = codec::from_json<envelope>(c.entry).value();
    check_example("entry", c.entry + "\n");
    std::string hashes;
    for (std::size_t i = 0; i < c.payloads.size(); ++i) {
        hashes += fmt::format("payload {}       {}\n", i, c.payloads[i]);
        hashes += fmt::format("  SHA-256       {}\n", sha256(c.payloads[i]).hex());
        hashes += fmt::format("  leaf          {}\n", event_leaf(read.events[i]).hex());
    }
    hashes += fmt::format("events_root     {}\n", read.events_root.hex());
    check_example("payloads", hashes);
}

TEST_CASE("log_format.md: the record's bytes are what the program writes", "[events][docs]")
{
    check_example("record", framing(example().last()));
}

TEST_CASE("log_format.md: leaves, frontier, root and anchor are what the program writes",
          "[events][docs]")
{
    example const e;
    std::string out;
    for (std::size_t p = 0; p < e.commits.size(); ++p)
        out += fmt::format("leaf {}          {}\n", p, e.commits[p].leaf.hex());
    out += fmt::format("node of 0 and 1 {}\n",
                       merkle::node_hash(e.commits[0].leaf, e.commits[1].leaf).hex());
    out += fmt::format("root of 3       {}\n", e.tree.root().hex());
    out += "meta row \"tree\":\n" + hex_lines(e.tree.bytes());
    check_example("tree", out);

    test::temporary_directory dir;
    REQUIRE(write_anchor(dir.path() / "anchor", {e.tree.size(), e.tree.root()}));
    check_example("anchor", read_file(dir.path() / "anchor").value());
}

TEST_CASE("log_format.md: keys of rows are what the program writes", "[events][docs]")
{
    example const e;
    auto const address = keyed_hash(e.keys, "text", "What is 6 x 7?");
    check_example(
        "keys",
        fmt::format(
            "log          {}\ntree         {}\nstreams      {}  the cell\nstreams      {}  the "
            "partition\nidempotency  {}\nblobs        {}\n             {}\n",
            to_hex(be64(2)), to_hex(store::tree_key(0, 2)), to_hex(stream_key(e.cell)),
            to_hex(partition_key(e.test_id)), e.scope("a client's key").hex(),
            to_hex(blob_store::key(e.keys.workspace, address).substr(0, 16)), address.hex()));
}

TEST_CASE("log_format.md: the sealed text is what the program writes", "[events][docs]")
{
    auto const keys = example_keys();
    blob_list blobs;
    auto const c = seal(keys, "What is 6 x 7?", blobs);
    auto const name = std::string("assay blob").append(c.address.raw());
    auto const& bytes = blobs.at(0).bytes;
    check_example("sealed",
                  fmt::format("data key     {}\naddress key  {}\naddress      {}\nblob key     {}\n"
                              "stored       {} {}\n             {}\nsealed       {}\n",
                              to_hex(keys.data_key.view()), to_hex(keys.address_key.view()),
                              c.address.hex(), hmac_sha256(keys.data_key.view(), name).hex(),
                              to_hex(bytes.substr(0, 1)), to_hex(bytes.substr(1, 16)),
                              to_hex(bytes.substr(17)), c.sealed.hex()));
    CHECK(unseal(keys, c.address, bytes).value() == "What is 6 x 7?");
}

TEST_CASE("log_format.md: names every event type, every family and every field of the envelope",
          "[events][docs]")
{
    auto const text = read_file(page).value();
    auto const names = [&](std::string const& word) {
        return text.find("`" + word + "`") != std::string::npos;
    };
    for (auto const& type : event_types()) {
        INFO(type.name);
        CHECK(names(std::string(type.name)));
    }
    boost::mp11::mp_for_each<codec::members_of<envelope>>([&](auto member) {
        INFO(member.name);
        CHECK(names(member.name));
    });
    test::temporary_directory dir;
    (void)store::open(dir.path()).value();
    std::vector<std::string> families;
    REQUIRE(rocksdb::DB::ListColumnFamilies({}, (dir.path() / "db").string(), &families).ok());
    for (auto const& family : families) {
        INFO(family);
        CHECK(names(family));
    }
}
