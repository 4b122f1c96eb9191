#include "core/base64url.hpp"

#include <catch2/catch.hpp>

using namespace assay;

TEST_CASE("base64url: the examples of RFC 7515 and RFC 4648, without padding", "[core][base64url]")
{
    auto const [raw, text] = GENERATE(table<std::string, std::string>({
        {"", ""},
        {"f", "Zg"},
        {"fo", "Zm8"},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg"},
        {"\x03\xec\xff\xe0\xc1", "A-z_4ME"},
    }));
    CHECK(to_base64url(raw) == text);
    CHECK(from_base64url(text) == raw);
}

TEST_CASE("base64url: what the writer would not write is none", "[core][base64url]")
{
    for (auto const* const text : {"Zg==", "Zg=", "Z", "A+z/", "Zh", "Zm8 ", "Zm9v\n", "Zm9"})
        CHECK_FALSE(from_base64url(text));
}
