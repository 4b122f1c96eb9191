#include "core/uuid.hpp"
#include "tests/core/random.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <string>

using namespace assay;

TEST_CASE("uuid: text and bytes lead back to each other", "[core][uuid]")
{
    auto const seed = test::random_seed();
    INFO("seed " << seed);
    test::dice dice(seed);
    for (int i = 0; i < 1000; ++i) {
        auto const id = uuid::from_raw(dice.bytes(16));
        REQUIRE(uuid::parse(id.text()) == id);
        REQUIRE(uuid::from_raw(id.raw()) == id);
    }
    CHECK(uuid{}.text() == "00000000-0000-0000-0000-000000000000");
    CHECK(uuid{}.nil());
}

TEST_CASE("uuid: either case is read, lower case is written", "[core][uuid]")
{
    auto const id = uuid::parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398f");
    REQUIRE(id);
    CHECK(id->text() == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST_CASE("uuid: any other text is none", "[core][uuid]")
{
    auto const text =
        GENERATE(as<std::string>{}, "", "017f22e279b07cc398c4dc0c0c07398f",
                 "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff",
                 "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}", "017f22e2_79b0_7cc3_98c4_dc0c0c07398f",
                 "017f22e27-9b0-7cc3-98c4-dc0c0c07398f", "g17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
                 " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f", "017f22e2-79b0-7cc3-98c4-dc0c0c07398-");
    INFO(text);
    CHECK_FALSE(uuid::parse(text));
}

TEST_CASE("make_uuid_v7: gives the example of RFC 9562 appendix A.6", "[core][uuid]")
{
    std::array<std::uint8_t, 10> const random{0x0C, 0xC3, 0x18, 0xC4, 0xDC,
                                              0x0C, 0x0C, 0x07, 0x39, 0x8F};
    CHECK(make_uuid_v7(0x017F22E279B0, random).text() == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST_CASE("make_uuid_v7: a later millisecond sorts after an earlier one", "[core][uuid]")
{
    std::array<std::uint8_t, 10> high{};
    high.fill(0xFF);
    std::array<std::uint8_t, 10> const low{};
    CHECK(make_uuid_v7(1'700'000'000'000, high) < make_uuid_v7(1'700'000'000'001, low));
    CHECK(make_uuid_v7(1'700'000'000'000, high).text() <
          make_uuid_v7(1'700'000'000'001, low).text());
}

TEST_CASE("derive_uuid: the same name gives the same id, another name another", "[core][uuid]")
{
    auto const command = derive_uuid("command");
    std::set<uuid> const ids{derive_uuid("a"),
                             derive_uuid("b"),
                             derive_uuid(""),
                             command,
                             derive_uuid(command, "a"),
                             derive_uuid(command, "a", 1),
                             derive_uuid(command, "a", 11),
                             derive_uuid(command, "a1", 1),
                             derive_uuid(derive_uuid("other"), "a")};
    CHECK(ids.size() == 9);
    CHECK(derive_uuid(command, "a") == derive_uuid(command, "a", 0));
    for (auto const& id : ids) {
        CHECK(id.bytes[6] >> 4 == 8);
        CHECK(id.bytes[8] >> 6 == 2);
    }
}
