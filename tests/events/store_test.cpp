#include "core/hash.hpp"
#include "events/anchor.hpp"
#include "events/store.hpp"
#include "tests/events/fixture.hpp"

#include <catch2/catch.hpp>

#include <fstream>

using namespace assay;
using namespace assay::events;
using namespace assay::test;

namespace {

/// Writes `n` commits: a workspace, a test, then one run after the other.
void write_commits(std::filesystem::path const& dir, std::uint32_t n)
{
    log_fixture log(dir);
    auto const test_id = a_test_id("t");
    for (std::uint32_t i = 0; i < n; ++i) {
        auto const next = log.store->next_position();
        if (next == 0)
            REQUIRE(log.give("workspace.create", command::create_workspace{log.workspace, "w"}));
        else if (next == 1)
            REQUIRE(log.give("test.start", a_start(test_id, 10, 100)));
        else
            REQUIRE(log.give("invocation.run",
                             command::run_cell{test_id, static_cast<std::uint32_t>(next - 2)}));
    }
}

/// The database without the store's checks.
class raw_database {
public:
    explicit raw_database(std::filesystem::path const& dir)
    {
        auto const path = (dir / "db").string();
        std::vector<std::string> names;
        REQUIRE(rocksdb::DB::ListColumnFamilies({}, path, &names).ok());
        std::vector<rocksdb::ColumnFamilyDescriptor> families;
        for (auto const& name : names)
            families.emplace_back(name, rocksdb::ColumnFamilyOptions{});
        rocksdb::DB* db = nullptr;
        REQUIRE(rocksdb::DB::Open({}, path, families, &handles_, &db).ok());
        db_.reset(db);
    }

    ~raw_database()
    {
        for (auto* h : handles_)
            db_->DestroyColumnFamilyHandle(h);
    }

    raw_database(raw_database const&) = delete;
    raw_database& operator=(raw_database const&) = delete;

    void put(std::string_view family, std::string const& key, std::string const& value)
    {
        REQUIRE(db_->Put({}, handle(family), key, value).ok());
    }

    void remove(std::string_view family, std::string const& key)
    {
        REQUIRE(db_->Delete({}, handle(family), key).ok());
    }

private:
    rocksdb::ColumnFamilyHandle* handle(std::string_view family)
    {
        for (auto* h : handles_) {
            if (h->GetName() == family)
                return h;
        }
        FAIL("no family " << family);
        return nullptr;
    }

    std::vector<rocksdb::ColumnFamilyHandle*> handles_;
    std::unique_ptr<rocksdb::DB> db_;
};

error refusal(std::filesystem::path const& dir, store_options options = {})
{
    auto const opened = store::open(dir, options);
    REQUIRE_FALSE(opened);
    return opened.error();
}

} // namespace

TEST_CASE("store: a directory is held by one process, and the holder is named", "[events][store]")
{
    temporary_directory dir;
    auto const first = store::open(dir.path()).value();
    auto e = refusal(dir.path());
    CHECK(e.code == errc::conflict);
    CHECK(e.reason == "directory_in_use");
    CHECK(e.detail == dir.path().string() + " is in use by another process");
    REQUIRE(replace_file(dir.path() / "holder", "http://127.0.0.1:8080"));
    CHECK(refusal(dir.path()).detail ==
          dir.path().string() + " is in use by http://127.0.0.1:8080");
}

TEST_CASE("store: a commit that is missing from the log is a hole, and its position is named",
          "[events][store]")
{
    temporary_directory dir;
    write_commits(dir.path(), 6);
    auto const position = GENERATE(0, 3, 5);
    raw_database(dir.path()).remove("log", be64(static_cast<std::uint64_t>(position)));
    auto const e = refusal(dir.path());
    CHECK(e.code == errc::corrupt);
    CHECK(e.reason == "log_hole");
    CHECK(e.detail ==
          fmt::format("position {} is missing from the log; the tree has 6 commits", position));
}

TEST_CASE("store: a hole below what the last opening checked is met by readers, not passed over",
          "[events][store]")
{
    temporary_directory dir;
    write_commits(dir.path(), 4);
    write_commits(dir.path(), 2); // this opening checked 0 to 3
    {
        auto const checked = store::open(dir.path()).value();
        CHECK(checked->previous_opening().position == 4);
    }
    raw_database(dir.path()).remove("log", be64(1));
    auto const s = store::open(dir.path()).value();
    CHECK(s->read(1).error().code == errc::not_found);
    std::uint64_t seen = 0;
    auto const read = s->read_range(0, 6, [&](commit_ptr const&) {
        ++seen;
        return true;
    });
    REQUIRE_FALSE(read);
    CHECK(read.error().reason == "log_hole");
    CHECK(read.error().detail == "position 1 is missing from the log");
    CHECK(seen == 1);
}

TEST_CASE("store: a row beyond the tree, or with a strange key, is refused", "[events][store]")
{
    temporary_directory dir;
    write_commits(dir.path(), 3);
    auto const key = GENERATE(as<std::string>{}, be64(3), be64(4), "x", std::string(9, '\0'));
    raw_database(dir.path()).put("log", key, "record");
    auto const e = refusal(dir.path());
    CHECK(e.code == errc::corrupt);
    CHECK(e.reason == "log_hole");
    CHECK(e.detail.find("the tree has 3 commits") != std::string::npos);
}

TEST_CASE("store: a log cut short is behind its anchor", "[events][store]")
{
    temporary_directory dir;
    write_commits(dir.path(), 3);
    auto const kept = read_anchor(dir.path() / "anchor").value().value();
    CHECK(kept.size == 3);
    REQUIRE(write_anchor(dir.path() / "anchor", {kept.size + 1, kept.root}));
    auto const e = refusal(dir.path());
    CHECK(e.code == errc::corrupt);
    CHECK(e.reason == "behind_anchor");
    CHECK(e.detail.find("the log has 3 commits, its anchor saw 4") != std::string::npos);
    store_options unchecked;
    unchecked.check_anchor = false;
    CHECK(store::open(dir.path(), unchecked));
}

TEST_CASE("store: an older copy put in place of the log is behind the anchor", "[events][store]")
{
    temporary_directory dir;
    temporary_directory older;
    write_commits(dir.path(), 3);
    std::filesystem::copy(dir.path() / "db", older.path() / "db",
                          std::filesystem::copy_options::recursive);
    write_commits(dir.path(), 2);
    std::filesystem::remove_all(dir.path() / "db");
    std::filesystem::copy(older.path() / "db", dir.path() / "db",
                          std::filesystem::copy_options::recursive);
    CHECK(refusal(dir.path()).reason == "behind_anchor");
}

TEST_CASE("store: another log of the same length does not have the anchor's root",
          "[events][store]")
{
    temporary_directory dir;
    write_commits(dir.path(), 3);
    auto const size = GENERATE(1U, 2U, 3U);
    REQUIRE(write_anchor(dir.path() / "anchor", {size, sha256("another root")}));
    auto const e = refusal(dir.path());
    CHECK(e.code == errc::corrupt);
    CHECK(e.reason == "anchor_root");
}

TEST_CASE("store: an anchor that lags behind is fine", "[events][store]")
{
    temporary_directory dir;
    write_commits(dir.path(), 1);
    auto const early = read_anchor(dir.path() / "anchor").value().value();
    write_commits(dir.path(), 4);
    REQUIRE(write_anchor(dir.path() / "anchor", early));
    CHECK(store::open(dir.path()));
}

TEST_CASE("store: a damaged tree does not have its root", "[events][store]")
{
    temporary_directory dir;
    write_commits(dir.path(), 3);
    std::filesystem::remove(dir.path() / "anchor");
    auto const leaf = GENERATE(0U, 1U, 2U);
    raw_database(dir.path()).put("tree", store::tree_key(0, leaf), std::string(32, 'x'));
    auto const e = refusal(dir.path());
    CHECK(e.code == errc::corrupt);
    CHECK(e.reason == "tree_root");
}

TEST_CASE("anchor: what is no anchor file is corrupt, none is none", "[events][store]")
{
    temporary_directory dir;
    auto const file = dir.path() / "anchor";
    CHECK_FALSE(read_anchor(file).value().has_value());
    auto const root = sha256("root").hex();
    std::ofstream(file) << "assay anchor v1\n12\n" << root << "\n";
    CHECK(read_anchor(file).value()->size == 12);
    auto const text = GENERATE_COPY(
        as<std::string>{}, "", "assay anchor v1\n", "assay anchor v2\n12\n" + root + "\n",
        "assay anchor v1\n12\n" + root, "assay anchor v1\n12\n" + root + "\n\n",
        "assay anchor v1\n-1\n" + root + "\n", "assay anchor v1\n1x\n" + root + "\n",
        "assay anchor v1\n\n" + root + "\n", "assay anchor v1\n12\nzz" + root.substr(2) + "\n",
        "assay anchor v1\n18446744073709551616\n" + root + "\n");
    std::ofstream(file) << text;
    INFO(text);
    auto const read = read_anchor(file);
    REQUIRE_FALSE(read);
    CHECK(read.error().code == errc::corrupt);
}

TEST_CASE("store: a newer directory format is refused and named", "[events][store]")
{
    temporary_directory dir;
    write_commits(dir.path(), 1);
    raw_database(dir.path()).put("meta", "format", "2");
    auto const e = refusal(dir.path());
    CHECK(e.code == errc::unavailable);
    CHECK(e.reason == "newer_format");
    CHECK(e.detail.find("has format 2; this is assay " ASSAY_VERSION ", which reads format 1") !=
          std::string::npos);
}

TEST_CASE("store: read-only, it reads beside its writer and writes nothing", "[events][store]")
{
    temporary_directory dir;
    write_commits(dir.path(), 3);
    store_options options;
    options.read_only = true;
    auto const before = read_file(dir.path() / "anchor").value();
    auto const writer = store::open(dir.path()).value();
    auto const reader = store::open(dir.path(), options);
    REQUIRE(reader);
    CHECK((*reader)->next_position() == 3);
    CHECK((*reader)->read(2).value()->head.position == 2);
    CHECK((*reader)->tree().root() == writer->tree().root());
    rocksdb::WriteBatch batch;
    batch.Put((*reader)->handle(family::meta), "x", "y");
    CHECK_FALSE((*reader)->write(batch, false));
    CHECK((*reader)->view_family("view", 1).error().code == errc::not_found);
    CHECK(read_file(dir.path() / "anchor").value() == before);
}

TEST_CASE("store: what is no data directory is refused", "[events][store]")
{
    temporary_directory dir;
    store_options options;
    options.create = false;
    CHECK(refusal(dir.path(), options).code == errc::io);
    CHECK(refusal(dir.path() / "missing", options).code == errc::io);
    options.read_only = true;
    CHECK(refusal(dir.path(), options).code == errc::io);
    std::ofstream(dir.path() / "file") << "x";
    CHECK(refusal(dir.path() / "file").code == errc::io);
}

TEST_CASE("store: reads say not found beyond the end", "[events][store]")
{
    temporary_directory dir;
    write_commits(dir.path(), 2);
    auto const s = store::open(dir.path()).value();
    CHECK(s->read(2).error().code == errc::not_found);
    CHECK(s->record_bytes(UINT64_MAX).error().code == errc::not_found);
    CHECK(s->tree_node(0, 2).error().code == errc::corrupt);
    CHECK(s->walk_back({stream_kind::test, a_test_id("unknown")},
                       [](std::uint64_t) { return true; }));
    CHECK_FALSE(s->get(family::meta, "unknown").value());
}

TEST_CASE("store: a snapshot sees one position", "[events][store]")
{
    temporary_directory dir;
    log_fixture log(dir.path());
    REQUIRE(log.give("workspace.create", command::create_workspace{log.workspace, "w"}));
    auto const then = log.store->take_snapshot();
    REQUIRE(log.give("test.start", a_start(a_test_id("t"), 1, 1)));
    CHECK_FALSE(log.store->get(family::log, be64(1), then).value());
    CHECK(log.store->get(family::log, be64(1)).value());
}

TEST_CASE("store: a partition is walked back over all its streams", "[events][store]")
{
    temporary_directory dir;
    write_commits(dir.path(), 6);
    auto const s = store::open(dir.path()).value();
    std::vector<std::uint64_t> seen;
    REQUIRE(s->walk_partition_back(a_test_id("t"), [&](std::uint64_t p) {
        seen.push_back(p);
        return p > 2;
    }));
    CHECK(seen == std::vector<std::uint64_t>{5, 4, 3, 2});
}

TEST_CASE("store: view families are made, found again and dropped", "[events][store]")
{
    temporary_directory dir;
    {
        auto const s = store::open(dir.path()).value();
        auto* const rows = s->view_family("cells", 1).value();
        CHECK(s->view_family("cells", 1).value() == rows);
        REQUIRE(s->view_family("cells", 12));
        REQUIRE(s->view_family("cells_open", 3));
        rocksdb::WriteBatch batch;
        batch.Put(rows, "key", "value");
        REQUIRE(s->write(batch, true));
    }
    auto const s = store::open(dir.path()).value();
    CHECK(s->view_generations("cells") == std::vector<std::uint64_t>{1, 12});
    CHECK(s->get(s->view_family("cells", 1).value(), "key").value() == "value");
    REQUIRE(s->drop_view_family("cells", 1));
    CHECK(s->drop_view_family("cells", 1));
    CHECK(s->view_generations("cells") == std::vector<std::uint64_t>{12});
    CHECK_FALSE(s->get(s->view_family("cells", 1).value(), "key").value());
}

TEST_CASE("be64, be32: sort as numbers do", "[events][store]")
{
    CHECK(be64(1) < be64(256));
    CHECK(be64(UINT64_MAX) > be64(UINT64_MAX - 1));
    CHECK(be32(255) < be32(256));
    CHECK(read_be64(be64(0x0123456789ABCDEF)) == 0x0123456789ABCDEF);
    CHECK(read_be32(be32(0x89ABCDEF)) == 0x89ABCDEF);
}
