#include "projections/bitmap.hpp"

#include <catch2/catch.hpp>

using namespace assay::projections;

TEST_CASE("bitmap: set operations, paging from the top, bytes", "[projections][bitmap]")
{
    auto a = bitmap::range(0, 100'000);
    CHECK(a.size() == 100'000);
    bitmap b;
    for (std::uint32_t i = 0; i < 200'000; i += 1'000)
        b.add(i);
    CHECK(a.common(b) == 100);
    auto both = a;
    both &= b;
    CHECK(both.size() == 100);
    CHECK(a.size() == 100'000);
    CHECK(both.newest(0, 2) == std::vector<std::uint32_t>{99'000, 98'000});
    CHECK(both.newest(99, 5) == std::vector<std::uint32_t>{0});
    CHECK(both.newest(100, 5).empty());
    a -= b;
    CHECK_FALSE(a.contains(1'000));
    CHECK(a.contains(1'001));
    b |= bitmap::range(5, 7);
    CHECK(b.contains(6));
    b.remove(6);
    CHECK_FALSE(b.contains(6));

    auto const again = bitmap::from_bytes(a.bytes()).value();
    CHECK(again.numbers() == a.numbers());
    CHECK(again.bytes() == a.bytes());
    CHECK(bitmap().empty());
    CHECK_FALSE(bitmap::from_bytes("not a bitmap"));
    CHECK_FALSE(bitmap::from_bytes(a.bytes().substr(0, 5)));
}
