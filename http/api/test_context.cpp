#include "core/permissions.hpp"
#include "http/api/docs_rows.hpp"
#include "http/api/routes.hpp"
#include "projections/queries.hpp"

#include <algorithm>
#include <set>

namespace assay::api {

namespace {

struct context_body {
    std::optional<uuid> entity_id;
    std::optional<std::string> snapshot_key;
    std::optional<bool> schema;

    static constexpr auto fields = std::tuple{
        field{"entity_id", &context_body::entity_id},
        field{"snapshot_key", &context_body::snapshot_key},
        field{"schema", &context_body::schema},
    };
};

/// What the caller may do with the test that it asks about, or with tests at all.
struct verdict {
    bool edit = false;
    std::optional<std::string_view> why_not;
};

result<verdict> may_edit(services const& s, incoming const& in, context_body const& asked)
{
    verdict out{in.may("test", "title"), {}};
    if (!out.edit)
        out.why_not = "Your role may not change tests.";
    if (!asked.entity_id)
        return out;
    auto const id = grid_id::read(*asked.entity_id);
    if (!id)
        return fail(errc::not_found, "there is no such test", "test_not_found");
    ASSAY_TRY(auto const views, views_of(s, in, asked.snapshot_key));
    ASSAY_TRY(auto const row, projections::get_test(*views, in.who.workspace, id->test));
    ASSAY_CHECK(check_departments(in, row.started.departments));
    if (out.edit && row.phase == test_phase::completed)
        out = {false, "The test is completed; nothing about it changes any more."};
    return out;
}

void write_caller(json_writer& w, incoming const& in, verdict const& v)
{
    w.name("caller_permissions")
        .begin_object()
        .member("can_create", in.may("test", "start"))
        .member("can_draft", in.may("test", "draft"))
        .member("can_duplicate", false) // tests are started, not copied
        .member("has_access", in.may("test", "get"))
        .member("can_edit", v.edit)
        .member("can_delete", false) // what a test was stays
        .member("disabled_reason", v.why_not)
        .end_object();
}

/// Every permission that some operation asks for and that the caller holds.
void write_permissions_held(json_writer& w, operation_table const& table, incoming const& in)
{
    std::set<std::string_view> artifacts;
    std::set<std::pair<std::string_view, std::string_view>> pairs;
    for (auto const& op : table) {
        if (!in.request.caller->may(op.permission))
            continue;
        artifacts.insert(op.permission.artifact);
        pairs.emplace(op.permission.artifact, op.permission.operation);
    }
    w.name("artifact_access").begin_array();
    for (auto const& a : artifacts)
        w.value(a);
    w.end_array().name("role_permissions").begin_array();
    for (auto const& [artifact, operation] : pairs)
        w.begin_array().value(artifact).value(operation).end_array();
    w.end_array();
}

void write_profile(json_writer& w, services const& s, operation_table const& table,
                   incoming const& in)
{
    auto const& who = *in.request.caller;
    auto const& role = in.scope().role;
    auto const known = s.keys.profile(who.profile);
    auto const level = std::ranges::find(roles(), role) - roles().begin();
    w.name("profile")
        .begin_object()
        .member("id", who.profile)
        .member("name", who.name)
        .member("role", role)
        .member("role_level", level)
        .member("department_ids", known ? known->departments : std::vector<uuid>());
    write_permissions_held(w, table, in);
    w.member("is_active", !known || known->active)
        .member("active", !known || known->active)
        .null("theme")
        .member("session_id", session_of(who.profile))
        .member("is_emulation", false)
        .name("role_resources")
        .begin_array()
        .begin_object()
        .member("role", role)
        .member("name", role)
        .end_object()
        .end_array()
        .name("scoped_roles")
        .begin_array()
        .end_array()
        .end_object();
}

void write_page(json_writer& w, std::string_view name, std::string_view title,
                std::string_view description)
{
    w.name(name)
        .begin_object()
        .member("title", title)
        .member("description", description)
        .end_object();
}

void write_pages(json_writer& w)
{
    w.name("page_metadata").begin_object();
    write_page(w, "list", "Tests", "Every run of every eval.");
    write_page(w, "detail", "Test", "A run with its invocations, grades and costs.");
    write_page(w, "new", "New test", "Start a run of an eval.");
    w.end_object();
}

void write_name(json_writer& w)
{
    w.member("name", "test")
        .member("type", "artifact")
        .member("description", "One run of an eval: a grid of models, scenarios and agents.");
}

/// The tooling metadata; `permissions` is the name that the answer has for them.
void write_schema(json_writer& w, operation_table const& table, incoming const& in,
                  std::string_view permissions)
{
    auto const& who = *in.request.caller;
    w.name("artifact");
    write_artifact_docs(w, table, who);
    w.name("entries");
    write_entry_docs(w);
    w.name("resources");
    write_resource_docs(w, table, who);
    w.name(permissions);
    write_permissions(w, table, "test", who);
    w.name("api_operations");
    write_operations(w, table, "test", who);
    write_pages(w);
}

/// POST /test/context   200 · 404 an entity of nothing · 403 another department's
result<std::string> context(services const& s, operation_table const& table, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<context_body>(in.body));
    ASSAY_TRY(auto const v, may_edit(s, in, asked));
    std::string body;
    json_writer w(body);
    w.begin_object();
    write_name(w);
    if (asked.schema.value_or(false)) {
        write_schema(w, table, in, "permission_docs");
        w.null("prompts");
    }
    write_profile(w, s, table, in);
    write_caller(w, in, v);
    w.end_object();
    return body;
}

/// POST /test/docs   200 · 404 · 403: the tooling metadata alone
result<std::string> docs(services const& s, operation_table const& table, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<context_body>(in.body));
    ASSAY_CHECK(may_edit(s, in, asked));
    std::string body;
    json_writer w(body);
    w.begin_object();
    write_name(w);
    write_schema(w, table, in, "permissions");
    w.end_object();
    return body;
}

} // namespace

void add_test_context(http::router& to, services const& s)
{
    auto const table = std::make_shared<operation_table>();
    add_query(to, s,
              {.name = "test.context",
               .path = "/test/context",
               .permission = {"test", "context"},
               .tags = "context",
               .summary = "Who you are and what you may do.",
               .params = params_of<context_body>()},
              [s, table](incoming const& in) { return context(s, *table, in); });
    add_query(to, s,
              {.name = "test.docs",
               .path = "/test/docs",
               .permission = {"test", "context"},
               .also = {{"v5.test.docs", "/api/v5/artifacts/test/docs"}},
               .tags = "context",
               .summary = "What the API says of itself.",
               .params = params_of<context_body>()},
              [s, table](incoming const& in) { return docs(s, *table, in); });
    *table = describe(to);
}

} // namespace assay::api
