#include "core/domain/staging.hpp"
#include "tests/core/history.hpp"

#include <catch2/catch.hpp>

using namespace assay;
using namespace assay::test;

namespace {

uuid const note = derive_uuid("a note");
uuid const test_group = grid_id::make(test_id, grid_kind::group);

draft const draft_saved = of_note(note, event::draft_saved{{{"name", "d"}}, {}});
draft const group_opened = of_note(note, event::group_opened{});
draft const test_started = of_test(a_grid(1, 2));
draft const test_completed = of_test(event::test_completed{});

command::save_draft save(bool create, std::optional<std::uint32_t> expected = {})
{
    return {note, create, expected, {{"name", "n"}}, {}};
}

command::title_group title(std::optional<uuid> const& test = {})
{
    return {test ? test_group : note, test, derive_uuid("title"), "T"};
}

staging step(staging_step s, std::string_view body = "body")
{
    return {s, note, "test.stop", {}, sha256(body)};
}

event::write_staged a_staged_write()
{
    return {"test.stop", {}, sha256("body"), {{"queued", 2}}};
}

std::string staged_word(result<decision> const& made)
{
    auto const* const word = made ? made->answer.if_contains("staged") : nullptr;
    return word ? std::string(word->as_string()) : "";
}

} // namespace

TEST_CASE("notes: outcome for each history", "[core][decide]")
{
    auto const [given, when, then] = GENERATE(table<history, any_command, std::string>({
        {{}, save(true), "draft_saved 1 0"},
        {{}, save(false), "draft_not_found"},
        {{draft_saved}, save(true), "draft_exists"},
        {{draft_saved}, save(false), "draft_saved 1 0"},
        {{draft_saved}, save(false, 1), "draft_saved 1 0"},
        {{draft_saved, draft_saved}, save(false, 1), "version_conflict"},
        {{}, save(true, 1), "version_conflict"},
        {{group_opened}, save(false), "draft_not_found"},
        {{}, command::open_group{note}, "group_opened"},
        {{group_opened}, command::open_group{note}, "nothing"},
        {{}, title(), "group_not_found"},
        {{draft_saved}, title(), "group_not_found"},
        {{group_opened}, title(), "group_titled T"},
        {{}, title(test_id), "test_not_found"},
        {{test_started}, title(test_id), "group_titled T"},
        {{test_started, test_completed}, title(test_id), "test_completed"},
        {{}, command::report_problem{note, problem_kind::bug, {}}, "problem_reported"},
        {{draft_saved}, command::report_problem{note, problem_kind::bug, {}}, "problem_exists"},
        {{}, command::change_nothing{}, "nothing"},
    }));
    CHECK(outcome_of(decide(replay(given), when)) == then);
}

TEST_CASE("notes: another workspace's are not found", "[core][decide]")
{
    CHECK(outcome_of(decide(replay({draft_saved}, other_workspace), save(false))) ==
          "draft_not_found");
    CHECK(outcome_of(decide(replay({group_opened}, other_workspace), title())) ==
          "group_not_found");
    CHECK(outcome_of(decide(replay({test_started}, other_workspace), title(test_id))) ==
          "test_not_found");
}

TEST_CASE("notes: a draft's answer says its version", "[core][decide]")
{
    auto const made = decide(replay({draft_saved, draft_saved}), save(false, 2));
    REQUIRE(made);
    CHECK(made->answer.at("new_version") == 3);
    CHECK(made->answer.at("created") == false);
}

TEST_CASE("staging: outcome for each history and answer", "[core][decide]")
{
    auto const staged = of_note(note, a_staged_write());
    auto const accepted = of_note(note, event::write_accepted{});
    auto const rejected = of_note(note, event::write_rejected{});
    using enum staging_step;
    auto const [given, when, then, word] =
        GENERATE_COPY(table<history, staging, std::string, std::string>({
            {{test_started}, step(stage), "write_staged test.stop", "staged"},
            {{test_started}, step(accept), "nothing_staged", ""},
            {{test_started}, step(reject), "nothing_staged", ""},
            {{}, step(stage), "test_not_found", ""},
            {{test_started, staged}, step(stage), "write_staged", ""},
            {{test_started, staged}, step(accept), "test_stopped 2 0, write_accepted", "accepted"},
            {{test_started, staged}, step(reject), "write_rejected", "rejected"},
            {{test_started, staged}, step(accept, "other"), "idempotency_key_reused", ""},
            {{test_started, staged}, step(reject, "other"), "idempotency_key_reused", ""},
            {{test_started, staged, accepted}, step(accept), "write_accepted", ""},
            {{test_started, staged, accepted}, step(reject), "write_accepted", ""},
            {{test_started, staged, rejected}, step(accept), "write_rejected", ""},
            {{test_started, staged, rejected}, step(reject), "write_rejected", ""},
            {{test_started, test_completed, staged}, step(accept), "test_completed", ""},
            {{test_started, test_completed, staged}, step(reject), "write_rejected", "rejected"},
            {{test_started, draft_saved}, step(accept), "nothing_staged", ""},
        }));
    auto const made = decide(replay(given), command::stop_test{test_id}, when);
    CHECK(outcome_of(made) == then);
    CHECK(staged_word(made) == word);
}

TEST_CASE("staging: a rejected write answers what it would have said", "[core][decide]")
{
    auto const state = replay({test_started, of_note(note, a_staged_write())});
    auto const made = decide(state, command::stop_test{test_id}, step(staging_step::reject));
    REQUIRE(made);
    CHECK(made->answer.at("queued") == 2);
}

TEST_CASE("staging: a command that would write nothing is staged and accepted all the same",
          "[core][decide]")
{
    auto const stage = decide(replay({}), command::change_nothing{}, step(staging_step::stage));
    CHECK(outcome_of(stage) == "write_staged test.stop");
    auto const accept = decide(replay({of_note(note, a_staged_write())}), command::change_nothing{},
                               step(staging_step::accept));
    CHECK(outcome_of(accept) == "write_accepted");
}
