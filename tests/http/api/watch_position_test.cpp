#include "http/api/watch_hub.hpp"

#include <catch2/catch.hpp>

#include <limits>

using assay::api::stream_position;

TEST_CASE("stream position: its text leads back to it", "[http][api]")
{
    auto const p =
        GENERATE(stream_position{0, 0}, stream_position{1, 255}, stream_position{0xabcdef, 3},
                 stream_position{std::numeric_limits<std::uint64_t>::max(),
                                 std::numeric_limits<std::uint32_t>::max()});
    CHECK(stream_position::parse(p.text()) == p);
}

TEST_CASE("stream position: other texts are none", "[http][api]")
{
    auto const text = GENERATE("", ".", "1", "1.", ".1", "1.2.3", "1.2 ", "g.1", "-1.0", "0x1.0",
                               "1ffffffffffffffff.0", "1.100000000");
    INFO(text);
    CHECK_FALSE(stream_position::parse(text));
}
