#include "events/anchor.hpp"
#include "http/api/first_start.hpp"
#include "projections/queries.hpp"
#include "tests/events/fixture.hpp"

#include <catch2/catch.hpp>

using namespace assay;

namespace {

std::unique_ptr<engine::engine> open_engine(std::filesystem::path const& dir)
{
    engine::engine_options options;
    options.data_dir = dir;
    options.pipeline.ballast_bytes = 0;
    return engine::engine::open(std::move(options)).value();
}

/// Whether the key in the file is one of a live administrator.
bool file_is_good(engine::engine const& e, std::filesystem::path const& dir)
{
    auto const key = api::read_admin_key(dir);
    if (!key)
        return false;
    auto const row =
        projections::find_api_key(*e.read(), engine::api_key_hash(key.value())).value();
    return row && !row->revoked_at;
}

} // namespace

TEST_CASE("first start: it happens once", "[http]")
{
    test::temporary_directory const dir;
    auto const e = open_engine(dir.path());
    auto const key = api::first_start(*e);
    REQUIRE(key);
    REQUIRE(*key);
    CHECK(**key == api::read_admin_key(dir.path()).value());
    CHECK(file_is_good(*e, dir.path()));
    auto const again = api::first_start(*e);
    REQUIRE(again);
    CHECK_FALSE(*again);
    // Whoever takes the file away keeps the key elsewhere; none is made behind his back.
    std::filesystem::remove(dir.path() / "admin.key");
    CHECK_FALSE(api::first_start(*e).value());
    CHECK(projections::list_workspaces(*e->read()).value().size() == 1);
}

TEST_CASE("first start: a crash after any of its steps is finished by the next", "[http]")
{
    int const steps = GENERATE(1, 2, 3);
    test::temporary_directory const dir;
    auto const e = open_engine(dir.path());
    auto const workspace = events::random_uuid_v7(1'700'000'000'000'000);
    engine::caller const who{workspace, {}, events::channel::system, {}, {}, {}};
    REQUIRE(e->keys().create_keys(workspace));
    REQUIRE(e->give_and_wait(
        e->prepare(who, "workspace.create", command::create_workspace{workspace, "default"})
            .value()));
    if (steps >= 2) {
        engine::item_draft profile;
        profile.name = "administrator";
        profile.body = {{"role", "administrator"}};
        REQUIRE(e->give_and_wait(
            e->prepare_create(who, item_kind::profile, std::move(profile)).value()));
    }
    if (steps >= 3)
        REQUIRE(events::replace_file(dir.path() / "admin.key", "assay_never_committed\n", 0600));

    REQUIRE(api::first_start(*e).value());
    CHECK(file_is_good(*e, dir.path()));
    CHECK(projections::list_workspaces(*e->read()).value().size() == 1);
    auto const profiles =
        projections::list_items(*e->read(), workspace, item_kind::profile, {}, {0, 10}).value();
    CHECK(profiles.total == 1);
}

TEST_CASE("first start: a renewed key is good, the older ones are not", "[http]")
{
    test::temporary_directory const dir;
    auto const e = open_engine(dir.path());
    CHECK(api::renew_admin_key(*e).error().code == errc::not_found);
    auto const first = api::first_start(*e).value().value();
    CHECK(api::renew_admin_key(*e).value() == 1);
    CHECK(file_is_good(*e, dir.path()));
    CHECK(projections::find_api_key(*e->read(), engine::api_key_hash(first))
              .value()
              ->revoked_at.has_value());
}
