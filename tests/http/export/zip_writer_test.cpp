#include "http/export/table.hpp"
#include "http/export/values.hpp"
#include "http/export/zip_writer.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::exporting;

namespace {

constexpr instant noon{1'790'000'000'000'000};

table two_rows()
{
    return {"rows", {"id", "text", "score"}, [](row_visitor const& visit) -> result<void> {
                ASSAY_CHECK(visit({cell(1), cell(std::string_view("plain")), cell(0.5)}));
                return visit({cell(2), cell(std::string_view("a \"quoted\",\r\nlong one")),
                              json::value(nullptr)});
            }};
}

std::string zip_of(table const& t, std::vector<zip_writer::entry>* entries = nullptr)
{
    std::string out;
    zip_writer zip(
        [&](std::string_view bytes) -> result<void> {
            out.append(bytes);
            return {};
        },
        noon);
    REQUIRE(write_table(zip, t).value() == 2);
    if (entries)
        *entries = zip.entries();
    REQUIRE(zip.finish());
    return out;
}

} // namespace

TEST_CASE("zip: the same tables give the same bytes", "[http][export]")
{
    auto const first = zip_of(two_rows());
    CHECK(zip_of(two_rows()) == first);
    CHECK(first.starts_with("PK\x03\x04"));
}

TEST_CASE("table: CSV and JSON lines hash to what the manifest says", "[http][export]")
{
    std::vector<zip_writer::entry> entries;
    (void)zip_of(two_rows(), &entries);
    REQUIRE(entries.size() == 2);
    std::string const csv = "id,text,score\r\n"
                            "1,plain,0.5\r\n"
                            "2,\"a \"\"quoted\"\",\r\nlong one\",\r\n";
    std::string const lines =
        "{\"id\":1,\"text\":\"plain\",\"score\":0.5}\n"
        "{\"id\":2,\"text\":\"a \\\"quoted\\\",\\r\\nlong one\",\"score\":null}\n";
    CHECK(entries[0].name == "rows.csv");
    CHECK(entries[0].bytes == csv.size());
    CHECK(entries[0].sha256 == sha256(csv));
    CHECK(entries[1].name == "rows.jsonl");
    CHECK(entries[1].sha256 == sha256(lines));
}

TEST_CASE("zip: what the sink refuses is what the writer says", "[http][export][fault]")
{
    std::string const long_text(1 << 20, 'x');
    for (std::size_t room : {0U, 10U, 100U, 200U}) {
        zip_writer zip(
            [&](std::string_view bytes) -> result<void> {
                if (bytes.size() > room)
                    return fail(errc::too_large, "full", "full");
                room -= bytes.size();
                return {};
            },
            noon);
        auto done = zip.begin("a");
        if (done)
            done = zip.write(long_text);
        if (done)
            done = zip.finish();
        INFO(room);
        REQUIRE_FALSE(done);
        CHECK(done.error().reason == "full");
    }
}

TEST_CASE("table: a row that cannot be read ends the export", "[http][export][fault]")
{
    table broken{"rows", {"id"}, [](row_visitor const&) -> result<void> {
                     return fail(errc::corrupt, "damaged", "damaged");
                 }};
    zip_writer zip([](std::string_view) -> result<void> { return {}; }, noon);
    auto const done = write_table(zip, broken);
    REQUIRE_FALSE(done);
    CHECK(done.error().reason == "damaged");
}
