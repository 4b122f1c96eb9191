#pragma once

#include "core/domain/event.hpp"

#include <vector>

namespace assay::test {

inline content a_content(std::string_view name, std::uint32_t bytes)
{
    return {sha256("address of ", name), sha256("sealed ", name), derive_uuid("a data key"), bytes};
}

/// One event of every type, in the order of `event_body`, with every member set: what the golden
/// files were made of.
inline std::vector<event_body> sample_events()
{
    auto const id = [](char const* name) { return derive_uuid(name); };
    boost::json::object const body{{"temperature", 0.7},
                                   {"stop", {"\n", "END"}},
                                   {"limits", {{"max_tokens", 512}, {"seed", nullptr}}},
                                   {"\u20ac", "caf\u00e9 \"quoted\""}};
    std::vector<sealed_field> const texts{{"instructions", a_content("instructions", 1200)}};

    event::item_created created{
        item_kind::model, "gpt \u2013 small", true, {id("department")}, body, texts};
    event::item_updated updated{item_kind::agent, "agent", false, {}, {}, {}};

    event::test_started started;
    started.eval = id("eval");
    started.eval_name = "gsm8k";
    started.name = "a test";
    started.models = {{id("model 1"), "small"}, {id("model 2"), "large"}};
    started.agents = {{id("agent"), "plain"}};
    started.scenarios = 1319;
    started.repeats = 3;
    started.drive = drive::manual;
    started.infinite = true;
    started.rubric = named{id("rubric"), "rubric"};
    started.total_points = 10;
    started.pass_points = 6;
    started.standards = {{id("group"), "accuracy", 5, 3}};
    started.departments = {id("department")};
    started.config = a_content("config", 70'000);
    started.scenario_chunks = {a_content("chunk 0", 65'000), a_content("chunk 1", 12)};
    started.config_hash = sha256("configuration");
    started.max_repeats = 50;

    event::call_recorded call;
    call.run = 2;
    call.call = 3;
    call.messages = {{"system", a_content("system", 10)}, {"user", a_content("user", 20)}};
    call.answer = a_content("answer", 300);
    call.finish_reason = "stop";
    call.resolved_model = "small-2026-11-01";
    call.provider_request_id = "req_1";
    call.attempts = 2;
    call.input_tokens = 100;
    call.output_tokens = 9'007'199'254'740'993; // beyond 2^53: a string in the log
    call.cached_input_tokens = 0;
    call.cost_pico = 1'250'000'000;
    call.currency = "USD";
    call.latency_us = 812'345;
    call.waited_us = 5;
    call.reused = true;

    event::run_ended ended{2, outcome::provider_error, "overloaded", a_content("error", 40),
                           sha256("cell")};
    event::grade_recorded grade{
        2, 1, 333'333, 10, 6, false, 1'500, "numeric/1", {{id("group"), 400'000, true}}};
    event::feedback_recorded feedback{1, 2, id("call"), id("group"), 4, a_content("remark", 33)};

    return {event::workspace_created{"Workspace"},
            event::api_key_created{id("profile"), "laptop", sha256("secret")},
            event::api_key_revoked{"lost"},
            created,
            updated,
            event::item_deleted{item_kind::rubric},
            started,
            event::test_stopped{7, 2},
            event::test_reopened{},
            event::test_completed{5, 9},
            event::test_archived{true},
            event::cell_added{1, 0, 1318, "by hand", true},
            event::run_started{2},
            call,
            ended,
            event::cell_failed{fail_reason::over_budget},
            event::cell_terminated{2},
            event::cell_completed{1},
            grade,
            event::grading_failed{2, "json_schema/1", "not_json"},
            feedback,
            event::trace_opened{1, 2, {{"tools", {id("tool").text()}}}, texts},
            event::decrypt_attempted{id("invocation"), id("key"), false, "key_not_in_set"},
            event::file_stored{id("file"),
                               "results \u2013 gsm8k.zip",
                               "application/zip",
                               1'500'000,
                               1'048'576,
                               {a_content("chunk 0", 1'048'576), a_content("chunk 1", 451'424)},
                               sha256("tag"),
                               1319,
                               id("test"),
                               {id("department")}},
            event::test_extended{4, 2638},
            event::draft_saved{body, texts},
            event::group_opened{},
            event::group_titled{id("title"), "Sprint \u2116 4"},
            event::problem_reported{problem_kind::bug, a_content("problem", 77)},
            event::write_staged{"test.start",
                                a_content("request", 180),
                                sha256("request"),
                                {{"test_id", id("test").text()}}},
            event::write_accepted{},
            event::write_rejected{}};
}

} // namespace assay::test
