#include "tools/table.hpp"
#include "tools/terminal.hpp"

#include <catch2/catch.hpp>

#include <sstream>

using namespace assay::tools;

TEST_CASE("table: columns are as wide as what stands in them", "[tools]")
{
    text_table t({{"model"}, {"n", align::right}, {"verdict"}});
    t.add({"a", "1319", "better"});
    t.add({"日本", "7", "-"});
    CHECK(t.text(80) == "model     n  verdict\n"
                        "a      1319  better\n"
                        "日本      7  -\n");
}

TEST_CASE("table: too wide, it closes its gaps, then goes on below", "[tools]")
{
    text_table t({{"model"}, {"one", align::right}, {"two", align::right}, {"three"}});
    t.add({"abcdefghij", "1111111111", "2222222222", "x"});
    CHECK(t.text(41) == "model              one         two  three\n"
                        "abcdefghij  1111111111  2222222222  x\n");
    CHECK(t.text(40) == "model             one        two three\n"
                        "abcdefghij 1111111111 2222222222 x\n");
    CHECK(t.text(30) == "model              one\n"
                        "abcdefghij  1111111111\n"
                        "\n"
                        "model              two  three\n"
                        "abcdefghij  2222222222  x\n");
}

TEST_CASE("table: no line is wider than the terminal, whatever stands in it", "[tools]")
{
    text_table t({{"name"}, {"first"}, {"second"}, {"third"}});
    t.add({std::string(200, 'n'), std::string(50, 'a'), std::string(90, 'b'), "c"});
    t.add({"x", "y"});
    for (std::size_t const width : {40, 41, 60, 80, 120, 400}) {
        std::istringstream lines(t.text(width));
        for (std::string line; std::getline(lines, line);) {
            INFO(width << ": " << line);
            CHECK(display_width(line) <= width);
        }
    }
}

TEST_CASE("terminal: names cannot steer it", "[tools]")
{
    CHECK(printable("a\x1b[2Jb\nc\td\x7f") == "a?[2Jb c d?");
    CHECK(printable("x\xE2\x80\xAEy") == "x?y"); // right-to-left override
    CHECK(printable("Zoë 日本") == "Zoë 日本");
}

TEST_CASE("terminal: shortening counts columns, not bytes", "[tools]")
{
    CHECK(shorten("abcdef", 6) == "abcdef");
    CHECK(shorten("abcdef", 5) == "abcd…");
    CHECK(shorten("日本語", 5) == "日本…");
    CHECK(shorten("日本語", 4) == "日…");
    CHECK(display_width("e\xCC\x81") == 1); // e and a combining acute accent
}
