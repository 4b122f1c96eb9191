#include "core/grid_id.hpp"
#include "tests/core/random.hpp"

#include <catch2/catch.hpp>

#include <vector>

using namespace assay;

namespace {

bool whole_test(grid_kind kind)
{
    return kind == grid_kind::test || kind == grid_kind::group || kind == grid_kind::benchmark;
}

} // namespace

TEST_CASE("grid_id: an id leads back to its test, kind, cell and ordinal", "[core][grid_id]")
{
    auto const seed = test::random_seed();
    INFO("seed " << seed);
    test::dice dice(seed);
    for (int i = 0; i < 2000; ++i) {
        auto const test = grid_id::test_id(uuid::from_raw(dice.bytes(16)));
        auto const kind = static_cast<grid_kind>(1 + dice.below(11));
        auto const cell = whole_test(kind) ? 0U : static_cast<std::uint32_t>(dice.magnitude());
        auto const ordinal = static_cast<std::uint16_t>(whole_test(kind) ? 0 : dice.magnitude());
        auto const id = grid_id::make(test, kind, cell, ordinal);
        auto const read = grid_id::read(id);
        REQUIRE(read);
        REQUIRE(read->test == test);
        REQUIRE(read->kind == kind);
        REQUIRE(read->cell == cell);
        REQUIRE(read->ordinal == ordinal);
        REQUIRE(grid_id::read(id, kind));
        REQUIRE_FALSE(grid_id::read(id, kind == grid_kind::run ? grid_kind::call : grid_kind::run));
        REQUIRE(grid_id::make(id, grid_kind::test) == test);
    }
}

TEST_CASE("grid_id: a test's id is itself an id of the grid", "[core][grid_id]")
{
    auto const test = grid_id::test_id(derive_uuid("any"));
    CHECK(grid_id::test_id(test) == test);
    CHECK(grid_id::make(test, grid_kind::test) == test);
    auto const read = grid_id::read(test, grid_kind::test);
    REQUIRE(read);
    CHECK(read->cell == 0);
    CHECK(read->ordinal == 0);
}

TEST_CASE("grid_id: ids that make did not make are none", "[core][grid_id]")
{
    auto const test = grid_id::test_id(derive_uuid("any"));
    auto const foreign = [&](std::size_t byte, std::uint8_t value) {
        auto id = grid_id::make(test, grid_kind::run, 7, 3);
        id.bytes[byte] = value;
        return grid_id::read(id);
    };
    CHECK_FALSE(grid_id::read(uuid{}));
    CHECK_FALSE(grid_id::read(uuid::parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f").value()));
    CHECK_FALSE(foreign(6, 0x70)); // another version
    CHECK_FALSE(foreign(8, 0xC0)); // another variant
    CHECK_FALSE(foreign(9, 0));    // no kind
    CHECK_FALSE(foreign(9, 12));
    CHECK_FALSE(foreign(9, 255));
    CHECK_FALSE(foreign(9, static_cast<std::uint8_t>(grid_kind::test))); // a test has no cell 7
    CHECK_FALSE(foreign(9, static_cast<std::uint8_t>(grid_kind::group)));
    CHECK_FALSE(foreign(9, static_cast<std::uint8_t>(grid_kind::benchmark)));
}

TEST_CASE("grid_id: ids of one test sort by kind, cell and ordinal", "[core][grid_id]")
{
    auto const test = grid_id::test_id(derive_uuid("any"));
    std::vector<uuid> const ids{
        grid_id::make(test, grid_kind::test),
        grid_id::make(test, grid_kind::group),
        grid_id::make(test, grid_kind::invocation, 0),
        grid_id::make(test, grid_kind::invocation, 255),
        grid_id::make(test, grid_kind::invocation, 256),
        grid_id::make(test, grid_kind::invocation, 0x8000'0000),
        grid_id::make(test, grid_kind::run, 0, 1),
        grid_id::make(test, grid_kind::run, 0, 2),
        grid_id::make(test, grid_kind::run, 0, 256),
        grid_id::make(test, grid_kind::run, 1, 1),
    };
    CHECK(std::is_sorted(ids.begin(), ids.end()));
}
