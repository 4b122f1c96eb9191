#include "core/hash.hpp"
#include "events/anchor.hpp"
#include "events/blobs.hpp"
#include "tests/events/fixture.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <thread>

using namespace assay;
using namespace assay::events;
using namespace assay::test;

namespace {

workspace_keys fixed_keys(std::string_view name)
{
    workspace_keys k;
    k.workspace = derive_uuid(name);
    k.data_key_id = derive_uuid(k.workspace, "data key");
    k.data_key = secret_bytes(std::string(sha256("data ", name).raw()));
    k.address_key = secret_bytes(std::string(sha256("address ", name).raw()));
    return k;
}

/// An item whose text has `bytes` bytes.
submission item_with_text(log_fixture& log, std::string_view name, std::string const& text,
                          content& reference)
{
    command::save_item c;
    c.id = derive_uuid(name);
    c.item.kind = item_kind::agent;
    c.item.name = name;
    auto s = log.submission("agent.create", c);
    auto const keys = log.vault->keys_of(log.workspace).value();
    reference = seal(*keys, text, s.blobs);
    std::get<command::save_item>(s.command).item.texts.push_back({"instructions", reference});
    return s;
}

std::size_t blob_files(std::filesystem::path const& dir)
{
    std::size_t n = 0;
    if (!std::filesystem::exists(dir / "blobs"))
        return 0;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(dir / "blobs"))
        n += entry.is_regular_file() ? 1 : 0;
    return n;
}

void touch(std::filesystem::path const& dir, std::filesystem::file_time_type time)
{
    for (auto const& entry : std::filesystem::recursive_directory_iterator(dir / "blobs")) {
        if (entry.is_regular_file())
            std::filesystem::last_write_time(entry.path(), time);
    }
}

} // namespace

TEST_CASE("seal: equal texts give equal bytes, other texts or workspaces others", "[events][blobs]")
{
    auto const keys = fixed_keys("one");
    auto const others = fixed_keys("two");
    blob_list blobs;
    auto const a = seal(keys, "text", blobs);
    auto const b = seal(keys, "text", blobs);
    auto const c = seal(keys, "other text", blobs);
    auto const d = seal(others, "text", blobs);
    REQUIRE(blobs.size() == 4);
    CHECK(blobs[0].bytes == blobs[1].bytes);
    CHECK(a.address == b.address);
    CHECK(a.bytes == 4);
    CHECK(a.key == keys.data_key_id);
    CHECK(a.sealed == sha256(blobs[0].bytes));
    CHECK(c.address != a.address);
    CHECK(d.address != a.address);
    CHECK(blobs[3].bytes != blobs[0].bytes);
    CHECK(blobs[0].bytes.find("text") == std::string::npos);
    CHECK(unseal(keys, a.address, blobs[0].bytes).value() == "text");
    CHECK(a.address != sha256("text")); // nothing in the log confirms a guess
}

TEST_CASE("unseal: another workspace, another address or a changed byte does not open",
          "[events][blobs]")
{
    auto const keys = fixed_keys("one");
    blob_list blobs;
    auto const a = seal(keys, "a text", blobs);
    auto const other = seal(keys, "b text", blobs);
    auto const& bytes = blobs[0].bytes;
    CHECK(unseal(fixed_keys("two"), a.address, bytes).error().code ==
          errc::gone); // its key is not theirs
    auto thief = fixed_keys("two");
    thief.data_key_id = keys.data_key_id;
    CHECK(unseal(thief, a.address, bytes).error().code == errc::corrupt);
    auto same_key = fixed_keys("one");
    same_key.workspace = derive_uuid("two");
    CHECK(unseal(same_key, a.address, bytes).error().code == errc::corrupt);
    CHECK(unseal(keys, other.address, bytes).error().code == errc::corrupt);
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        auto changed = bytes;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        REQUIRE_FALSE(unseal(keys, a.address, changed));
        REQUIRE_FALSE(unseal(keys, a.address, std::string_view(bytes).substr(0, i)));
    }
}

TEST_CASE("keyed_hash: depends on key, purpose and text", "[events][blobs]")
{
    auto const keys = fixed_keys("one");
    auto const h = keyed_hash(keys, "cell", "text");
    CHECK(h == keyed_hash(keys, "cell", "text"));
    CHECK(h != keyed_hash(keys, "case", "text"));
    CHECK(h != keyed_hash(keys, "cell", "texts"));
    CHECK(h != keyed_hash(fixed_keys("two"), "cell", "text"));
    CHECK(keyed_hash(keys, "a", "bc") != keyed_hash(keys, "ab", "c"));
}

TEST_CASE("blobs: a small text is a row, a large one a file; both lead back after reopening",
          "[events][blobs]")
{
    temporary_directory dir;
    auto const [bytes, files] = GENERATE(table<std::size_t, std::size_t>(
        {{0, 0}, {11, 0}, {row_blob_max - 33, 0}, {row_blob_max - 32, 1}, {1'000'000, 1}}));
    INFO(bytes << " bytes");
    std::string text(bytes, 'x');
    content reference;
    uuid data_key;
    {
        log_fixture log(dir.path());
        auto const done = log.writer->submit_and_wait(item_with_text(log, "a", text, reference));
        REQUIRE(done);
        CHECK(blob_files(dir.path()) == files);
        auto const e = log.store->read_envelope_at(*done->position).value();
        data_key = log.vault->keys_of(log.workspace).value()->data_key_id;
        CHECK(e.keys == std::vector<uuid>{data_key});
    }
    log_fixture log(dir.path());
    blob_store blobs(*log.store, *log.vault);
    CHECK(blobs.read(log.workspace, reference).value() == text);
    auto missing = reference;
    missing.address = sha256("unknown");
    CHECK(blobs.read(log.workspace, missing).error().code == errc::corrupt);
    CHECK(blobs.read(log.workspace, missing).error().reason == "blob_missing");
    auto erased = reference;
    erased.key = derive_uuid("a destroyed key");
    CHECK(blobs.read(log.workspace, erased).error().code == errc::gone);
    CHECK(blobs.read(derive_uuid("elsewhere"), reference).error().code == errc::not_found);
}

TEST_CASE("blobs: a damaged file is corrupt, not another text", "[events][blobs]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    content reference;
    REQUIRE(log.writer->submit_and_wait(
        item_with_text(log, "a", std::string(100'000, 'x'), reference)));
    for (auto const& entry : std::filesystem::recursive_directory_iterator(dir.path() / "blobs")) {
        if (entry.is_regular_file()) {
            std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
            file.seekp(50'000).put('\x7F');
        }
    }
    blob_store blobs(*log.store, *log.vault);
    CHECK(blobs.read(log.workspace, reference).error().code == errc::corrupt);
}

TEST_CASE("blobs: many who send the same large text at a time all succeed", "[events][blobs]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    for (int round = 0; round < 10; ++round) {
        std::string const text(300'000, static_cast<char>('a' + round));
        std::vector<std::jthread> threads;
        std::atomic<int> stored{0};
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&, i] {
                content reference;
                auto s = item_with_text(log, fmt::format("{} {}", round, i), text, reference);
                stored += log.writer->submit_and_wait(std::move(s)).has_value() ? 1 : 0;
            });
        }
        threads.clear();
        REQUIRE(stored == 8);
    }
    CHECK(blob_files(dir.path()) == 10);
}

TEST_CASE("sweep: removes what no commit refers to and nothing else", "[events][blobs]")
{
    temporary_directory dir;
    content kept;
    {
        log_fixture log(dir.path());
        REQUIRE(
            log.writer->submit_and_wait(item_with_text(log, "a", std::string(100'000, 'k'), kept)));
        // A crash between a file's sync and its commit leaves an orphan, or a file half written.
        blob_store blobs(*log.store, *log.vault);
        blob_list orphan;
        (void)seal(*log.vault->keys_of(log.workspace).value(), std::string(100'000, 'o'), orphan);
        REQUIRE(blobs.write_large(orphan));
        CHECK(orphan.empty());
        std::ofstream(dir.path() / "blobs" / "half.new") << "half";
        CHECK(blob_files(dir.path()) == 3);
    }
    log_fixture log(dir.path());
    blob_store blobs(*log.store, *log.vault);
    CHECK(blobs.sweep().value() == 2);
    CHECK(blob_files(dir.path()) == 1);
    CHECK(blobs.read(log.workspace, kept).value() == std::string(100'000, 'k'));
    CHECK(blobs.sweep().value() == 0);
}

TEST_CASE("sweep: a copied directory, whose files all look new, loses nothing", "[events][blobs]")
{
    temporary_directory dir;
    content kept;
    {
        log_fixture log(dir.path());
        REQUIRE(
            log.writer->submit_and_wait(item_with_text(log, "a", std::string(100'000, 'k'), kept)));
    }
    {
        log_fixture log(dir.path()); // the commit now lies before the previous opening
    }
    touch(dir.path(), std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
    log_fixture log(dir.path());
    blob_store blobs(*log.store, *log.vault);
    CHECK(blobs.sweep().value() == 0);
    CHECK(blobs.read(log.workspace, kept).value() == std::string(100'000, 'k'));
}
