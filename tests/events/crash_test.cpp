#include "events/stream_states.hpp"
#include "tests/core/random.hpp"
#include "tests/events/crash_child.hpp"
#include "tests/events/fixture.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>
#include <thread>

using namespace assay;
using namespace assay::events;
using namespace assay::test;

namespace {

/// Everything that any child was told, kept outside the database.
class witness {
public:
    /// Takes in what one child was told: in the order of positions, each command and position once.
    void hear(std::vector<acknowledged> const& told)
    {
        for (auto const& a : told) {
            REQUIRE((heard_.empty() || a.position > heard_.rbegin()->first));
            REQUIRE(commands_.insert(a.command).second);
            heard_.emplace(a.position, a);
        }
    }

    [[nodiscard]] std::size_t size() const { return heard_.size(); }

    /// Every acknowledged commit is there, once, at its place; what was never acknowledged is there
    /// whole or not at all.
    void check(std::filesystem::path const& dir) const
    {
        auto const opened = store::open(dir);
        INFO((opened ? "" : opened.error().detail));
        REQUIRE(opened);
        auto& s = **opened;
        std::vector<digest> leaves;
        std::set<uuid> seen;
        std::size_t found = 0;
        REQUIRE(s.scan_records(0, s.next_position(),
                               [&](std::uint64_t position, std::string_view bytes) {
                                   auto const leaf = verify_record(position, bytes);
                                   REQUIRE(leaf);
                                   leaves.push_back(*leaf);
                                   auto const c = read_commit(bytes).value();
                                   REQUIRE(seen.insert(c->head.command).second);
                                   if (auto const at = heard_.find(position); at != heard_.end()) {
                                       REQUIRE(c->head.command.text() == at->second.command);
                                       REQUIRE(c->events.back().stream.text() == at->second.stream);
                                       REQUIRE(c->events.back().version == at->second.version);
                                       ++found;
                                   }
                                   return true;
                               }));
        REQUIRE(found == heard_.size());
        REQUIRE(leaves.size() == s.next_position());
        REQUIRE(merkle::root_of(leaves) == s.tree().root());
        check_view(s);
    }

private:
    static void check_view(store& s)
    {
        std::uint64_t rows = 0;
        REQUIRE(s.scan(s.view_family(crash_view, 1).value(), {}, {},
                       [&](std::string_view key, std::string_view) {
                           REQUIRE(read_be64(key) == rows);
                           ++rows;
                           return true;
                       }));
        REQUIRE(rows == s.next_position());
    }

    std::map<std::uint64_t, acknowledged> heard_;
    std::set<std::string> commands_;
};

std::map<std::string, std::string> stream_rows(store const& s)
{
    std::map<std::string, std::string> rows;
    REQUIRE(s.scan(s.handle(family::streams), {}, {},
                   [&](std::string_view key, std::string_view value) {
                       rows.emplace(key, value);
                       return true;
                   }));
    return rows;
}

/// Every text that the log refers to opens, in rows and in files.
void check_texts(store& s, vault& v)
{
    blob_store const blobs(s, v);
    std::size_t texts = 0;
    REQUIRE(s.read_range(0, s.next_position(), [&](commit_ptr const& c) {
        for (auto const& e : c->events) {
            auto const* const item = std::get_if<event::item_created>(&e.body);
            if (!item)
                continue;
            auto const text = blobs.read(c->head.workspace, item->texts.at(0).text);
            REQUIRE(text);
            REQUIRE(text->starts_with(item->name));
            ++texts;
        }
        return true;
    }));
    CHECK(texts > 0);
}

} // namespace

TEST_CASE("crash: after SIGKILL at any moment every acknowledged commit is there, once, in order",
          "[events][crash]")
{
    auto const seed = random_seed();
    INFO("seed " << seed);
    dice dice(seed);
    temporary_directory dir;
    witness all;
    for (std::uint64_t round = 0; round < 20; ++round) {
        INFO("round " << round);
        crash_child child(dir.path(), round);
        // Some die while they open the directory, most while they write.
        if (!dice.chance(15))
            REQUIRE(child.wait_for(1 + dice.below(60)));
        std::this_thread::sleep_for(std::chrono::microseconds(dice.below(150'000)));
        all.hear(child.kill());
        if (std::filesystem::exists(dir.path() / "db" / "CURRENT"))
            all.check(dir.path());
    }
    CHECK(all.size() > 100);

    auto const s = store::open(dir.path()).value();
    auto const v = vault::open(dir.path()).value();
    check_texts(*s, *v);
    auto const kept = stream_rows(*s);
    REQUIRE(rebuild_states(*s));
    CHECK(stream_rows(*s) == kept);
}
