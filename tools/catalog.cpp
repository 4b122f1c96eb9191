#include "tools/operation.hpp"
#include "tools/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <array>

namespace assay::tools {

namespace {

/// One kind of catalog item on the command line.
struct kind {
    char const* verb;     ///< "evals"
    char const* singular; ///< as paths and ids have it
    std::vector<std::string> columns;
    char const* example; ///< an item, as JSON
};

std::vector<kind> kinds()
{
    return {
        {"evals",
         "eval",
         {"eval_id", "name", "num_runs", "updated_at"},
         R"({"name": "mine", "model_ids": ["..."], "scenario_ids": ["..."], "rubric_ids": ["..."]})"},
        {"rubrics",
         "rubric",
         {"rubric_id", "name", "points", "pass_points"},
         R"({"name": "final answer", "pass_points": 1, "standard_groups": [{"name": "number", "points": 1, "grader": {"kind": "numeric"}}]})"},
        {"providers",
         "provider",
         {"provider_id", "name", "value", "base_url"},
         R"({"name": "local", "value": "openai", "endpoint": "http://127.0.0.1:11434/v1"})"},
        {"models",
         "model",
         {"model_id", "name", "value", "provider_name"},
         R"({"name": "small", "value": "llama3.2:3b", "provider_id": "..."})"},
        {"keys",
         "key",
         {"key_id", "name", "provider_id", "key_masked"},
         R"({"name": "team key", "provider_id": "...", "key": "sk-..."})"},
        {"agents",
         "agent",
         {"agent_id", "name", "model_name", "temperature"},
         R"({"name": "terse", "prompt": {"system_prompt": "Answer with a number."}})"},
        {"scenarios",
         "scenario",
         {"scenario_id", "name", "updated_at"},
         R"({"name": "sum", "messages": [{"role": "user", "content": "1+1?"}], "expected_outcome": "2"})"},
        {"departments", "department", {"department_id", "name"}, R"({"name": "Mathematics"})"},
        {"profiles",
         "profile",
         {"profile_id", "name", "role", "email"},
         R"({"name": "Ana", "role": "learner"})"},
    };
}

std::vector<operation> operations_of(kind const& k)
{
    auto const path = [&](std::string_view what) {
        return fmt::format("/{}/{}", k.singular, what);
    };
    auto const verb = std::string(k.verb);
    auto const one = std::string(k.singular);
    auto const id = one == "profile" ? "profile_id" : "id";
    return {
        {.name = "create",
         .path = path("create"),
         .description = "Make items",
         .flags = {{"--item", verb, member_kind::items, "One item, or an array of them, as JSON"}},
         .example = fmt::format("assay {} create --item '{}'\n  assay {} create --body @{}.json",
                                verb, k.example, verb, verb)},
        {.name = "get",
         .path = path("get"),
         .description = "Show one",
         .flags = {{"ID", "id", member_kind::text, "Id of the " + one}},
         .example = fmt::format("assay {} get 0192f0c0-... --json", verb)},
        {.name = "search",
         .path = path("search"),
         .description = "List them by name",
         .flags = {{"--name", "search", member_kind::text, "Part of the name"},
                   {"--limit", "page_size", member_kind::count, "How many"},
                   {"--offset", "page_offset", member_kind::count, "Leave out the first ones"}},
         .example = fmt::format("assay {} search --name gsm --limit 10", verb),
         .list = verb,
         .columns = k.columns},
        {.name = "update",
         .path = path("update"),
         .description = "Change members of items; running tests keep what they started with",
         .flags = {{"--item", verb, member_kind::items,
                    "One item with its id, or an array of them, as JSON"}},
         .example = fmt::format(
             "assay {} update --item '{{\"{}\": \"0192f0c0-...\", \"name\": \"new name\"}}'", verb,
             id)},
        {.name = "delete",
         .path = path("delete"),
         .description = "Delete items; what was recorded with them stays",
         .flags = {{"ID", one + "_ids", member_kind::texts, "Ids"}},
         .example = fmt::format("assay {} delete 0192f0c0-... 0192f0c1-...", verb)},
    };
}

} // namespace

void add_catalog(CLI::App& root, settings const& s, int& exit_code)
{
    for (auto const& k : kinds()) {
        auto* const verb = root.add_subcommand(k.verb, fmt::format("The catalog's {}", k.verb));
        require_verb(*verb);
        verb->footer(fmt::format("Example:\n  assay {} search", k.verb));
        verb->group("Catalog");
        for (auto const& what : operations_of(k))
            add_operation(*verb, what, s, exit_code);
    }
}

} // namespace assay::tools
