#include "events/anchor.hpp"
#include "events/audit.hpp"
#include "tests/events/fixture.hpp"

#include <catch2/catch.hpp>

#include <fstream>
#include <random>

using namespace assay;
using namespace assay::events;

namespace {

constexpr int commits = 40;

/// A log of `commits` commits; `flushed` puts it from the write-ahead log into a table.
void make_log(std::filesystem::path const& dir, bool flushed)
{
    test::log_fixture f(dir);
    for (int i = 0; i < commits; ++i)
        REQUIRE(f.give("test.start", test::a_start(test::a_test_id(fmt::format("t{}", i)), 2, 3)));
    f.writer->stop();
    if (flushed) {
        rocksdb::FlushOptions options;
        for (auto const fam : {family::log, family::tree, family::meta, family::streams})
            REQUIRE(f.store->db().Flush(options, f.store->handle(fam)).ok());
    }
}

std::vector<std::filesystem::path> files_of(std::filesystem::path const& dir,
                                            std::string_view extension)
{
    std::vector<std::filesystem::path> out;
    for (auto const& entry : std::filesystem::directory_iterator(dir / "db")) {
        if (entry.path().extension() == extension && entry.file_size() > 2000)
            out.push_back(entry.path());
    }
    return out;
}

void flip(std::filesystem::path const& file, std::uint64_t offset)
{
    std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
    f.seekg(static_cast<std::streamoff>(offset));
    auto const c = static_cast<char>(f.get() ^ 0x20);
    f.seekp(static_cast<std::streamoff>(offset));
    f.put(c);
}

} // namespace

TEST_CASE("audit: a whole log checks out", "[events][audit]")
{
    test::temporary_directory const dir;
    make_log(dir.path(), GENERATE(false, true));
    std::uint64_t calls = 0;
    auto const report =
        check_log(dir.path(), [&](std::uint64_t, std::uint64_t) { return ++calls > 0; });
    REQUIRE(report);
    INFO((report->found ? report->found->what : std::string()));
    CHECK_FALSE(report->found);
    CHECK(report->commits == commits);
    CHECK(report->sound == commits);
    CHECK(report->anchored == commits);
    CHECK(calls > 0);
}

TEST_CASE("audit: a flipped byte in a table or in the write-ahead log is found with a position",
          "[events][audit]")
{
    bool const flushed = GENERATE(false, true);
    test::temporary_directory const dir;
    make_log(dir.path(), flushed);
    auto const files = files_of(dir.path(), flushed ? ".sst" : ".log");
    REQUIRE_FALSE(files.empty());
    std::filesystem::path const kept = dir.path() / "kept";
    std::mt19937_64 random(20261121); // any seed: every byte must be found or harmless
    int found = 0;
    for (int i = 0; i < 25; ++i) {
        auto const& file = files[random() % files.size()];
        auto const offset = random() % std::filesystem::file_size(file);
        std::filesystem::copy_file(file, kept, std::filesystem::copy_options::overwrite_existing);
        flip(file, offset);
        auto const report = check_log(dir.path());
        INFO(file << " at " << offset << (report ? "" : ": " + report.error().detail));
        if (report && report->found) {
            ++found;
            INFO(report->found->what);
            CHECK(report->sound <= report->commits);
            if (report->found->position)
                CHECK(*report->found->position == report->sound);
        }
        std::filesystem::copy_file(kept, file, std::filesystem::copy_options::overwrite_existing);
    }
    // Bytes of other families' rows and of padding are not the log's.
    CHECK(found >= 10);
    CHECK_FALSE(check_log(dir.path())->found);
}

TEST_CASE("audit: a rewritten record is found though the database is content", "[events][audit]")
{
    test::temporary_directory const dir;
    make_log(dir.path(), true);
    {
        auto const s = store::open(dir.path()).value();
        auto bytes = s->record_bytes(17).value();
        bytes[bytes.size() / 2] ^= 1;
        rocksdb::WriteBatch batch;
        batch.Put(s->handle(family::log), be64(17), bytes);
        REQUIRE(s->write(batch, true));
    }
    auto const report = check_log(dir.path());
    REQUIRE(report);
    REQUIRE(report->found);
    CHECK(report->found->position == 17u);
    CHECK(report->sound == 17);
}

TEST_CASE("audit: a missing record, a wrong tree row, a lost tail and a foreign anchor are found",
          "[events][audit]")
{
    test::temporary_directory const dir;
    make_log(dir.path(), true);
    auto const [what, position] = GENERATE(table<std::string, std::optional<std::uint64_t>>({
        {"missing", 23u},
        {"tree", 5u},
        {"tail", 40u},
        {"anchor", std::nullopt},
    }));
    if (what == "missing" || what == "tree") {
        auto const s = store::open(dir.path()).value();
        rocksdb::WriteBatch batch;
        if (what == "missing")
            batch.Delete(s->handle(family::log), be64(23));
        else
            batch.Put(s->handle(family::tree), store::tree_key(0, 5), std::string(32, 'x'));
        REQUIRE(s->write(batch, true));
    } else {
        auto const size = what == "tail" ? commits + 1 : commits;
        REQUIRE(write_anchor(dir.path() / "anchor",
                             {static_cast<std::uint64_t>(size), sha256("other")}));
    }
    auto const report = check_log(dir.path());
    REQUIRE(report);
    REQUIRE(report->found);
    INFO(report->found->what);
    CHECK(report->found->position == position);
}

TEST_CASE("audit: no log is an error, an empty one is whole", "[events][audit]")
{
    test::temporary_directory const dir;
    CHECK(check_log(dir.path()).error().code == errc::not_found);
    (void)store::open(dir.path()).value();
    auto const report = check_log(dir.path());
    REQUIRE(report);
    CHECK_FALSE(report->found);
    CHECK(report->commits == 0);
}
