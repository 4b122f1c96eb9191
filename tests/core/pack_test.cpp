#include "core/domain/state.hpp"
#include "core/pack.hpp"
#include "tests/core/described.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace assay;
using test::outer;

namespace {

std::string varint(std::uint64_t v)
{
    std::string out;
    pack::detail::write_varint(v, out);
    return out;
}

} // namespace

TEST_CASE("pack: any value leads back from its bytes, and equal values have equal bytes",
          "[core][pack]")
{
    auto const seed = test::random_seed();
    INFO("seed " << seed);
    test::dice dice(seed);
    for (int i = 0; i < 500; ++i) {
        auto const value = test::random_outer(dice);
        auto const bytes = pack::to_bytes(value);
        auto const back = pack::from_bytes<outer>(bytes);
        REQUIRE(back);
        REQUIRE(*back == value);
        REQUIRE(pack::to_bytes(*back) == bytes);
    }
}

TEST_CASE("pack: bytes cut short or with one too many are corrupt", "[core][pack]")
{
    auto const seed = test::random_seed();
    INFO("seed " << seed);
    test::dice dice(seed);
    auto const bytes = pack::to_bytes(test::random_outer(dice));
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        INFO("cut to " << n << " of " << bytes.size());
        auto const cut = pack::from_bytes<outer>(std::string_view(bytes).substr(0, n));
        REQUIRE_FALSE(cut);
        REQUIRE(cut.error().code == errc::corrupt);
    }
    CHECK_FALSE(pack::from_bytes<outer>(bytes + '\0'));
}

TEST_CASE("pack: changed bytes are read or refused, and never read beyond", "[core][pack]")
{
    auto const seed = test::random_seed();
    INFO("seed " << seed);
    test::dice dice(seed);
    for (int i = 0; i < 2000; ++i) {
        auto bytes = pack::to_bytes(test::random_outer(dice));
        bytes[dice.below(bytes.size())] = static_cast<char>(dice.bits());
        if (auto const read = pack::from_bytes<outer>(bytes))
            REQUIRE(pack::to_bytes(*read) == bytes);
    }
}

TEST_CASE("pack: integers are LEB128, signed ones zigzag", "[core][pack]")
{
    CHECK(varint(0) == std::string(1, '\0'));
    CHECK(varint(127) == "\x7F");
    CHECK(varint(128) == "\x80\x01");
    CHECK(varint(300) == "\xAC\x02");
    CHECK(varint(UINT64_MAX) == "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01");
    CHECK(pack::to_bytes(std::int64_t{-1}) == "\x01");
    CHECK(pack::to_bytes(std::int64_t{1}) == "\x02");
    CHECK(pack::from_bytes<std::int64_t>(pack::to_bytes(INT64_MIN)) == INT64_MIN);
    CHECK(pack::from_bytes<std::int64_t>(pack::to_bytes(INT64_MAX)) == INT64_MAX);
}

TEST_CASE("pack: a number has one form only", "[core][pack]")
{
    // An overlong or overflowing varint would let two different records say the same.
    auto const bytes = GENERATE(
        as<std::string>{}, std::string("\x80\x00", 2), std::string("\xFF\x00", 2),
        std::string("\x80\x80\x00", 3), "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02",
        "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x81\x01");
    CHECK_FALSE(pack::from_bytes<std::uint64_t>(bytes));
    CHECK_FALSE(pack::from_bytes<bool>("\x02"));
    CHECK_FALSE(pack::from_bytes<std::uint8_t>(varint(256)));
    CHECK_FALSE(pack::from_bytes<std::int8_t>(pack::to_bytes(std::int64_t{128})));
    CHECK_FALSE(pack::from_bytes<test::fruit>("\x02"));
}

TEST_CASE("pack: a length beyond the bytes is refused before memory is taken", "[core][pack]")
{
    CHECK_FALSE(pack::from_bytes<std::string>(varint(UINT64_MAX)));
    CHECK_FALSE(pack::from_bytes<std::vector<std::uint64_t>>(varint(UINT64_MAX)));
    CHECK_FALSE(pack::from_bytes<std::vector<std::uint64_t>>(varint(1ULL << 40) + "abc"));
}

TEST_CASE("pack: the folded states of all streams lead back", "[core][pack]")
{
    test_state test;
    test.exists = true;
    test.size = {4, 1319, 1, 2};
    test.counts = {1, 2, 3, 4, 5};
    test.standards = {{derive_uuid("group"), "accuracy", 5, 3}};
    test.started_at = {1'795'243'874'123'456};
    auto const bytes = pack::to_bytes(test);
    auto const back = pack::from_bytes<test_state>(bytes);
    REQUIRE(back);
    CHECK(pack::to_bytes(*back) == bytes);
    CHECK(back->size.cells() == 10552);
    CHECK(back->counts.total() == 15);
    CHECK(back->standards.at(0).name == "accuracy");

    cell_state cell;
    cell.status = cell_status::failed;
    cell.calls = 65535;
    auto const cell_bytes = pack::to_bytes(cell);
    CHECK(pack::to_bytes(pack::from_bytes<cell_state>(cell_bytes).value()) == cell_bytes);
}
