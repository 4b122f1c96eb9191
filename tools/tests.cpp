#include "core/json.hpp"
#include "tools/json_fields.hpp"
#include "tools/operation.hpp"
#include "tools/report.hpp"
#include "tools/session.hpp"
#include "tools/terminal.hpp"
#include "tools/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

namespace assay::tools {

namespace {

using boost::json::object;
using boost::json::value;

constexpr auto count = member_kind::count;
constexpr auto texts = member_kind::texts;
constexpr auto flag = member_kind::flag;

member_flag test_word()
{
    return {"TEST", "test_id", member_kind::text, "Id of the test"};
}

member_flag invocation_word()
{
    return {"INVOCATION", "invocation_id", member_kind::text, "Id of the invocation"};
}

/// A test as people want to see it: what it is, how far it is, how the models did.
result<void> show_test(api::api_client& api, object const& body, value const& answer)
{
    auto const& o = answer.as_object();
    auto const& test = object_at(o, "test");
    auto const& summary = object_at(o, "status_summary");
    fmt::print("{}  {}\n", text_at(test, "test_id"), printable(text_at(test, "test_name")));
    fmt::print("eval {}, {}{}, started {}\n", printable(text_at(o, "eval_name")),
               text_at(o, "status"), flag_at(test, "archived") ? ", archived" : "",
               text_at(test, "test_created_at"));
    fmt::print("{} of {} cells done, {} running, {} failed, {} terminated\n\n",
               count_at(summary, "completed"), count_at(summary, "total"),
               count_at(summary, "running"), count_at(summary, "failed"),
               count_at(summary, "terminated"));
    ASSAY_TRY(auto const benchmark,
              api.call("POST", "/test/benchmark", object{{"test_id", text_at(body, "test_id")}}));
    if (auto const* const result = benchmark.if_object())
        fmt::print("{}", report_text(*result, terminal_width(stdout)));
    return {};
}

std::vector<operation> test_operations()
{
    return {
        {.name = "start",
         .path = "/test/start",
         .description = "Start a test of an eval",
         .flags = {{"EVAL", "eval_id", member_kind::text, "Id of the eval"},
                   {"--model", "model_ids", texts,
                    "Id of a model; repeatable; without, the eval's"},
                   {"--scenario", "scenario_ids", texts,
                    "Id of a scenario; repeatable; without, the eval's"},
                   {"--agent", "agent_ids", texts,
                    "Id of an agent; repeatable; without, the eval's"},
                   {"--name", "name", member_kind::text, "Name of the test"},
                   {"--repeats", "repeats", count, "How often each cell is run"},
                   {"--resume", "resume", flag,
                    "Go on with an unfinished test of the same configuration"},
                   {"--reuse", "reuse", flag, "Take recorded answers of the same cells"}},
         .example = "assay tests start 0192f0c0-... --repeats 3\n"
                    "  assay tests start --body '{\"eval_id\": \"0192f0c0-...\", \"model_ids\": "
                    "[\"0192f0c1-...\"]}'"},
        {.name = "get",
         .path = "/test/get",
         .description = "Show a test: how far it is and how the models did",
         .flags = {test_word(),
                   {"--summary", "summary", flag, "With --json: without the invocations"}},
         .example = "assay tests get 0192f0c0-...\n  assay tests get 0192f0c0-... --json | jq "
                    ".status_summary",
         .for_people = {{"summary", true}},
         .show = show_test},
        {.name = "stop",
         .path = "/test/stop",
         .description = "Stop a test; a re-fired invocation makes it run again",
         .flags = {test_word()},
         .example = "assay tests stop 0192f0c0-..."},
        {.name = "complete",
         .path = "/test/complete",
         .description = "Complete a test for good: nothing of it can be changed afterwards",
         .flags = {test_word()},
         .example = "assay tests complete 0192f0c0-..."},
        {.name = "archive",
         .path = "/test/archive",
         .description = "Hide completed tests from lists, or show them again",
         .flags = {{"TEST", "test_ids", texts, "Ids of tests"}},
         .example = "assay tests archive 0192f0c0-... 0192f0c1-...\n"
                    "  assay tests archive --body '{\"test_ids\": [\"0192f0c0-...\"], "
                    "\"archived\": false}'"},
        {.name = "list",
         .path = "/test/search",
         .description = "List tests, newest first",
         .flags = {{"--eval", "eval_ids", texts, "Id of an eval; repeatable"},
                   {"--archived", "is_archived", flag, "The archived ones"},
                   {"--from", "start_date", member_kind::text,
                    "Started on this day or later, e.g. 2026-11-01"},
                   {"--to", "end_date", member_kind::text, "Started on this day or earlier"},
                   {"--limit", "page_size", count, "How many"},
                   {"--offset", "page_offset", count, "Leave out the first ones"}},
         .example = "assay tests list --limit 5\n  assay tests list --from 2026-11-01 --json",
         .list = "tests",
         .columns = {"test_id", "test_name", "eval_name", "num_invocations", "created_at"}},
        {.name = "grade",
         .path = "/test/grade",
         .description = "Grade an invocation by hand",
         .flags = {invocation_word(),
                   {"--score", "score", count, "Points"},
                   {"--full", "full", flag, "All points of the rubric"},
                   {"--run", "run_id", member_kind::text, "Id of the run; without, the newest"}},
         .example =
             "assay tests grade 0192f0c0-... --score 7\n  assay tests grade 0192f0c0-... --full"},
        {.name = "feedback",
         .path = "/test/feedback",
         .description = "Comment on one standard group of a grade",
         .flags = {{"GRADE", "grade_id", member_kind::text, "Id of the grade"},
                   {"--call", "tool_call_id", member_kind::text, "Id of the tool call"},
                   {"--group", "standard_group_id", member_kind::text,
                    "Id of the rubric's standard group"},
                   {"--score", "score", count, "1 to 5"},
                   {"--feedback", "feedback", member_kind::text, "The comment"}},
         .example =
             "assay tests feedback 0192f0c0-... --call 0192f0c1-... --group 0192f0c2-... --score 4 "
             "--feedback 'Right, but roundabout'"},
        {.name = "invocations",
         .path = "/test/invocations",
         .description = "List a test's invocations",
         .flags = {test_word(),
                   {"--limit", "page_size", count, "How many"},
                   {"--offset", "page_offset", count, "Leave out the first ones"}},
         .example = "assay tests invocations 0192f0c0-... --limit 20\n"
                    "  assay tests invocations 0192f0c0-... --offset 1000 --limit 1000 --json",
         .list = "data",
         .columns = {"invocation_id", "invocation_title", "status", "grade_passed", "grade_score"}},
    };
}

std::vector<operation> invocation_operations()
{
    return {
        {.name = "get",
         .path = "/test/invocation_get",
         .description = "Show an invocation",
         .flags = {invocation_word()},
         .example = "assay tests invocation get 0192f0c0-...\n"
                    "  assay tests invocation get --body '{\"invocation_id\": \"0192f0c0-...\"}'"},
        {.name = "run",
         .path = "/test/invocation_run",
         .description = "Run an invocation, or run it once more",
         .flags = {invocation_word()},
         .example = "assay tests invocation run 0192f0c0-..."},
        {.name = "complete",
         .path = "/test/invocation_complete",
         .description = "Complete an invocation by hand",
         .flags = {{"TEST", "test_id", member_kind::text, "Id of the test"},
                   {"INVOCATION", "test_invocation_id", member_kind::text, "Id of the invocation"},
                   {"--message", "message", member_kind::text, "Why"}},
         .example = "assay tests invocation complete 0192f0c0-... 0192f0c1-... --message 'answered "
                    "on paper'"},
        {.name = "terminate",
         .path = "/test/invocation_terminate",
         .description = "End an invocation without a result",
         .flags = {invocation_word(), {"--message", "message", member_kind::text, "Why"}},
         .example = "assay tests invocation terminate 0192f0c0-..."},
        {.name = "trace",
         .path = "/test/invocation_trace",
         .description = "Show what an invocation was run with and what came of it",
         .flags = {invocation_word(), {"--run", "run_id", member_kind::text, "Id of the run"}},
         .example = "assay tests invocation trace 0192f0c0-... --json | jq .trace"},
        {.name = "create",
         .path = "/test/invocation_create",
         .description = "Add an invocation to a test",
         .flags = {test_word(),
                   {"--scenario", "scenario_id", member_kind::text, "Id of the scenario"},
                   {"--model", "model_id", member_kind::text, "Id of the model"},
                   {"--agent", "agent_ids", texts, "Id of the agent"},
                   {"--title", "title", member_kind::text, "Title"}},
         .example = "assay tests invocation create 0192f0c0-... --scenario 0192f0c1-... --model "
                    "0192f0c2-..."},
    };
}

constexpr char const* watch_example = R"(Examples:
  assay tests watch 0192f0c0-...
  assay tests watch 0192f0c0-... --json | jq -c .event_type
Ends with the test, or by ctrl-C.)";

void print_event(api::stream_event const& e, bool as_json)
{
    if (as_json) {
        fmt::print("{}\n", json::canonical(e.data));
    } else if (auto const* const o = e.data.if_object()) {
        std::string rest;
        for (auto const& [name, v] : *o) {
            if (name != "event_type" && !v.is_null() && !v.is_object() && !v.is_array())
                rest += fmt::format("  {} {}", std::string_view(name), shown(&v));
        }
        fmt::print("{}{}\n", text_at(*o, "event_type"), printable(rest));
    }
    std::fflush(stdout);
}

result<void> watch(settings const& s, std::string const& test)
{
    ASSAY_TRY(auto const opened, session::open(s));
    return opened->api().stream("/test/watch?test_id=" + test, {}, [&](api::stream_event const& e) {
        print_event(e, s.json);
        auto const* const o = e.data.if_object();
        return !o || text_at(*o, "event_type") != "test.complete.completed";
    });
}

} // namespace

void add_tests(CLI::App& root, settings const& s, int& exit_code)
{
    auto* const verb = root.add_subcommand("tests", "Start, look at, grade and end tests");
    require_verb(*verb);
    verb->footer("Examples:\n  assay tests list\n  assay tests get 0192f0c0-...");
    for (auto const& what : test_operations())
        add_operation(*verb, what, s, exit_code);

    auto const test = std::make_shared<std::string>();
    auto* const watching = verb->add_subcommand("watch", "Print a test's events as they happen");
    watching->footer(watch_example);
    watching->add_option("TEST", *test, "Id of the test")->required();
    watching->callback([&s, &exit_code, test] {
        auto const done = watch(s, *test);
        exit_code = done ? exit_ok : complain(done.error());
    });

    auto* const invocation = verb->add_subcommand("invocation", "One cell of a test");
    require_verb(*invocation);
    invocation->footer("Example:\n  assay tests invocation trace 0192f0c0-...");
    for (auto const& what : invocation_operations())
        add_operation(*invocation, what, s, exit_code);
}

} // namespace assay::tools
