#include "core/permissions.hpp"

#include <algorithm>
#include <array>

namespace assay {

namespace {

constexpr std::array<permission_pair, 1> administrator{{{"*", "*"}}};

constexpr std::array<permission_pair, 18> instructor{{
    {"test", "*"},
    {"eval", "*"},
    {"rubric", "*"},
    {"scenario", "*"},
    {"agent", "*"},
    {"model", "get"},
    {"model", "search"},
    {"model", "create"},
    {"model", "update"},
    {"provider", "get"},
    {"provider", "search"},
    {"department", "get"},
    {"department", "search"},
    {"profile", "get"},
    {"profile", "search"},
    {"evaluation", "*"},
    {"group", "*"},
    {"media", "*"},
}};

constexpr std::array<permission_pair, 16> learner{{
    {"test", "get"},
    {"test", "search"},
    {"test", "benchmark"},
    {"test", "invocations"},
    {"test", "invocation_get"},
    {"test", "watch"},
    {"test", "context"},
    {"eval", "get"},
    {"eval", "search"},
    {"rubric", "get"},
    {"rubric", "search"},
    {"scenario", "get"},
    {"scenario", "search"},
    {"model", "get"},
    {"model", "search"},
    {"agent", "get"},
}};

constexpr std::array<permission_pair, 15> auditor{{
    {"*", "get"},
    {"*", "search"},
    {"*", "list"},
    {"*", "watch"},
    {"*", "export"},
    {"test", "benchmark"},
    {"test", "invocations"},
    {"test", "invocation_get"},
    {"test", "context"},
    {"test", "generations"},
    {"test", "file_download"},
    {"test", "text_download"},
    {"test", "call_download"},
    {"log", "*"},
    {"audit", "*"},
}};

struct role_row {
    std::string_view name;
    std::span<permission_pair const> pairs;
};

constexpr std::array<role_row, 4> table{{
    {"administrator", administrator},
    {"instructor", instructor},
    {"learner", learner},
    {"auditor", auditor},
}};

constexpr std::array<std::string_view, 4> names{"administrator", "instructor", "learner",
                                                "auditor"};

bool covers(std::string_view held, std::string_view asked)
{
    return held == "*" || held == asked;
}

} // namespace

std::span<permission_pair const> permissions_of(std::string_view role)
{
    auto const found = std::ranges::find(table, role, &role_row::name);
    return found == table.end() ? std::span<permission_pair const>() : found->pairs;
}

bool may(std::string_view role, std::string_view artifact, std::string_view operation)
{
    return std::ranges::any_of(permissions_of(role), [&](permission_pair const& p) {
        return covers(p.artifact, artifact) && covers(p.operation, operation);
    });
}

bool is_role(std::string_view role)
{
    return !permissions_of(role).empty();
}

std::span<std::string_view const> roles()
{
    return names;
}

} // namespace assay
