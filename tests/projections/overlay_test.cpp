#include "projections/overlay.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <random>

using namespace assay;
using namespace assay::projections;

namespace {

/// A map as the store below an overlay.
struct fixture {
    std::map<std::string, std::string, std::less<>> stored;
    std::size_t reads = 0;
    std::size_t writes = 0;
    overlay rows;

    explicit fixture(std::size_t bytes_max = 1 << 20)
        : rows(
              [this](std::string_view key) -> result<std::optional<std::string>> {
                  ++reads;
                  auto const found = stored.find(key);
                  if (found == stored.end())
                      return std::nullopt;
                  return found->second;
              },
              bytes_max)
    {
    }

    std::string at(std::string_view key)
    {
        auto const row = rows.get(key);
        REQUIRE(row);
        return *row ? std::string(**row) : "-";
    }

    void store()
    {
        rows.collect([&](std::string_view key, std::optional<std::string_view> value) {
            ++writes;
            if (value)
                stored[std::string(key)] = *value;
            else
                stored.erase(std::string(key));
        });
        rows.written();
    }
};

} // namespace

TEST_CASE("overlay: sees its own changes, stores them once collected", "[projections][overlay]")
{
    fixture f;
    f.stored = {{"a", "1"}, {"b", "2"}};
    CHECK(f.at("a") == "1");
    f.rows.put("a", "3");
    f.rows.erase("b");
    f.rows.put("c", "4");
    CHECK(f.at("a") == "3");
    CHECK(f.at("b") == "-");
    CHECK(f.at("c") == "4");
    CHECK(f.stored.at("a") == "1");
    f.store();
    CHECK(f.stored == std::map<std::string, std::string, std::less<>>{{"a", "3"}, {"c", "4"}});
    CHECK(f.rows.staged_rows() == 0);
}

TEST_CASE("overlay: undo takes back one commit and no more", "[projections][overlay]")
{
    fixture f;
    f.stored = {{"a", "1"}};
    f.rows.begin();
    f.rows.put("a", "2");
    f.rows.put("n", "new");
    f.rows.keep();

    f.rows.begin();
    f.rows.put("a", "3");
    f.rows.put("a", "4");
    f.rows.erase("n");
    f.rows.put("m", "other");
    f.rows.undo();

    CHECK(f.at("a") == "2");
    CHECK(f.at("n") == "new");
    CHECK(f.at("m") == "-");
    CHECK(f.rows.staged_rows() == 2);
}

TEST_CASE("overlay: a row that comes and goes within a drain is never written",
          "[projections][overlay]")
{
    fixture f;
    f.rows.insert("pending", "x");
    f.rows.erase("pending");
    CHECK(f.at("absent") == "-");
    f.rows.put("absent", "x");
    f.rows.erase("absent");
    f.store();
    CHECK(f.writes == 0);
    CHECK(f.reads == 1);
}

TEST_CASE("overlay: hot rows are read from the store once", "[projections][overlay]")
{
    fixture f;
    f.stored = {{"hot", "0"}};
    for (int i = 0; i < 100; ++i) {
        (void)f.at("hot");
        f.rows.put("hot", std::to_string(i));
        f.store();
        f.rows.trim();
    }
    CHECK(f.reads == 1);
    CHECK(f.stored.at("hot") == "99");
}

TEST_CASE("overlay: trim keeps the cache within its bound, and staged rows",
          "[projections][overlay]")
{
    fixture f(20'000);
    for (int i = 0; i < 1'000; ++i) {
        f.rows.put("row " + std::to_string(i), std::string(100, 'x'));
        if (i % 10 == 9) {
            f.store();
            f.rows.trim();
            CHECK(f.rows.cached_bytes() <= 20'000);
        }
    }
    f.rows.put("staged", "y");
    f.rows.trim();
    CHECK(f.rows.staged_rows() == 1);
    CHECK(f.at("staged") == "y");
    CHECK(f.stored.size() == 1'000);
}

TEST_CASE("overlay: any sequence of commits, undone ones among them, stores what a map would",
          "[projections][overlay]")
{
    auto const seed = GENERATE(take(20, random(1, 1 << 30)));
    INFO("seed " << seed);
    std::mt19937 random(static_cast<unsigned>(seed));
    fixture f(3'000);
    std::map<std::string, std::string, std::less<>> expected;
    for (int commit = 0; commit < 400; ++commit) {
        auto changed = expected;
        f.rows.begin();
        for (auto n = random() % 6; n > 0; --n) {
            auto const key = "key " + std::to_string(random() % 30);
            auto const value = std::string(random() % 60, static_cast<char>('a' + random() % 26));
            switch (random() % 4) {
            case 0:
                f.rows.erase(key);
                changed.erase(key);
                break;
            case 1:
                CHECK(f.at(key) == (changed.contains(key) ? changed.at(key) : "-"));
                if (!changed.contains(key)) {
                    f.rows.insert(key, value);
                    changed[key] = value;
                }
                break;
            default: f.rows.put(key, value); changed[key] = value;
            }
        }
        if (random() % 4 == 0) {
            f.rows.undo();
        } else {
            f.rows.keep();
            expected = changed;
        }
        if (random() % 5 == 0) {
            f.store();
            f.rows.trim();
            CHECK(f.stored == expected);
        }
    }
}
