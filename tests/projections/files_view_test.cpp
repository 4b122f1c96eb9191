#include "projections/queries.hpp"
#include "tests/projections/history.hpp"
#include "tests/projections/memory.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::projections;
using test::id_of;

TEST_CASE("get_file: a workspace's own, with who had it made", "[projections][files]")
{
    auto const here = id_of("workspace");
    event::file_stored file;
    file.file = id_of("file");
    file.name = "a.zip";
    file.bytes = 12;
    file.chunks = {test::content_of("chunk")};
    test::history history;
    history.must(here, command::store_file{file}, id_of("ana"));
    history.must(here, command::note_decrypt{{id_of("cell"), id_of("key"), true, {}}});
    test::memory_views views;
    views.follow(history);

    auto const row = get_file(views, here, file.file);
    REQUIRE(row);
    CHECK(codec::to_json(row->file) == codec::to_json(file));
    CHECK(row->profile == id_of("ana"));
    CHECK(get_file(views, id_of("another"), file.file).error().reason == "file_not_found");
    CHECK(get_file(views, here, id_of("key")).error().code == errc::not_found);
}
