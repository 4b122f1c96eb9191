#include "core/permissions.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <tuple>

using namespace assay;

TEST_CASE("permissions: what each role may do", "[core][permissions]")
{
    auto const [role, artifact, operation, allowed] =
        GENERATE(table<std::string_view, std::string_view, std::string_view, bool>({
            {"administrator", "test", "start", true},
            {"administrator", "key", "delete", true},
            {"administrator", "api_key", "revoke", true},
            {"instructor", "test", "grade", true},
            {"instructor", "eval", "delete", true},
            {"instructor", "key", "get", false},
            {"instructor", "provider", "create", false},
            {"instructor", "profile", "update", false},
            {"learner", "test", "get", true},
            {"learner", "test", "start", false},
            {"learner", "test", "grade", false},
            {"learner", "key", "search", false},
            {"auditor", "test", "get", true},
            {"auditor", "test", "benchmark", true},
            {"auditor", "profile", "search", true},
            {"auditor", "log", "checkpoint", true},
            {"auditor", "test", "context", true},
            {"auditor", "test", "export", true},
            {"auditor", "test", "file_download", true},
            {"auditor", "test", "decrypt", false},
            {"auditor", "test", "stop", false},
            {"learner", "test", "context", true},
            {"learner", "test", "draft", false},
            {"auditor", "eval", "create", false},
            {"", "test", "get", false},
            {"Administrator", "test", "get", false},
            {"*", "test", "get", false},
        }));
    INFO(role << " " << artifact << " " << operation);
    CHECK(may(role, artifact, operation) == allowed);
}

TEST_CASE("permissions: a wildcard is held, never asked for", "[core][permissions]")
{
    CHECK_FALSE(may("learner", "*", "get"));
    CHECK_FALSE(may("learner", "test", "*"));
}

TEST_CASE("permissions: every role has rights, and no other word is a role", "[core][permissions]")
{
    CHECK(std::ranges::all_of(roles(), is_role));
    CHECK(roles().size() == 4);
    CHECK_FALSE(is_role("owner"));
}
