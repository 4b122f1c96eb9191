#include "core/hash.hpp"
#include "tests/core/random.hpp"

#include <catch2/catch.hpp>

#include <string>

using namespace assay;

TEST_CASE("sha256: gives the values of FIPS 180-4's examples", "[core][hash]")
{
    auto const [data, hex] = GENERATE(table<std::string, std::string>({
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrl"
         "mnopqrsmnopqrstnopqrstu",
         "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"},
        {std::string(1'000'000, 'a'),
         "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    }));
    CHECK(sha256(data).hex() == hex);
    auto const third = data.size() / 3;
    auto const rest = std::string_view(data).substr(third);
    CHECK(sha256(std::string_view(data).substr(0, third), rest).hex() == hex);
    CHECK(sha256(std::string_view(data).substr(0, third), rest.substr(0, third), rest.substr(third))
              .hex() == hex);
}

TEST_CASE("hmac_sha256: gives the values of RFC 4231", "[core][hash]")
{
    auto const [key, data, hex] = GENERATE(table<std::string, std::string, std::string>({
        {std::string(20, '\x0b'), "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {std::string(20, '\xaa'), std::string(50, '\xdd'),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {from_hex("0102030405060708090a0b0c0d0e0f10111213141516171819").value(),
         std::string(50, '\xcd'),
         "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {std::string(131, '\xaa'),
         "This is a test using a larger than block-size key and a larger than block-size data. The "
         "key needs to be "
         "hashed before being used by the HMAC algorithm.",
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
        {"", "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"},
    }));
    CHECK(hmac_sha256(key, data).hex() == hex);
}

TEST_CASE("digest: hexadecimal and raw forms lead back", "[core][hash]")
{
    auto const d = sha256("abc");
    CHECK(digest::parse(d.hex()) == d);
    CHECK(digest::from_raw(d.raw()) == d);
    CHECK_FALSE(d.zero());
    CHECK(digest{}.zero());
    CHECK_FALSE(digest::parse(""));
    CHECK_FALSE(digest::parse(d.hex().substr(1)));
    CHECK_FALSE(digest::parse(d.hex() + "00"));
    CHECK_FALSE(digest::parse("x" + d.hex().substr(1)));
}

TEST_CASE("to_hex, from_hex: lead back; anything else is none", "[core][hash]")
{
    CHECK(to_hex(std::string("\x00\x7f\x80\xff", 4)) == "007f80ff");
    CHECK(from_hex("007F80ff") == std::string("\x00\x7f\x80\xff", 4));
    CHECK(from_hex("") == std::string());
    auto const text = GENERATE(as<std::string>{}, "0", "0g", "g0", " 00", "0x00", "00 0", "-1");
    INFO(text);
    CHECK_FALSE(from_hex(text));
}

TEST_CASE("base64: gives the values of RFC 4648 section 10", "[core][hash]")
{
    auto const [raw, text] = GENERATE(table<std::string, std::string>({
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/"},
    }));
    CHECK(to_base64(raw) == text);
    CHECK(from_base64(text) == raw);
}

TEST_CASE("base64: what to_base64 would not write is none", "[core][hash]")
{
    auto const text =
        GENERATE(as<std::string>{}, "Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "=",
                 "==", "===", "====", "Zg==Zg==", "Zm9v\n", "Zm 9", "-_-_", "Zm9*", "Z===", "=Zg=");
    INFO(text);
    CHECK_FALSE(from_base64(text));
}

TEST_CASE("base64: any bytes lead back", "[core][hash]")
{
    auto const seed = test::random_seed();
    INFO("seed " << seed);
    test::dice dice(seed);
    for (std::size_t n = 0; n < 300; ++n) {
        auto const raw = dice.bytes(n);
        REQUIRE(from_base64(to_base64(raw)) == raw);
        REQUIRE(from_hex(to_hex(raw)) == raw);
    }
}

TEST_CASE("equal_secrets: compares whole texts", "[core][hash]")
{
    CHECK(equal_secrets("", ""));
    CHECK(equal_secrets("secret", "secret"));
    CHECK_FALSE(equal_secrets("secret", "secreT"));
    CHECK_FALSE(equal_secrets("secret", "secret "));
    CHECK_FALSE(equal_secrets("secret", ""));
}
