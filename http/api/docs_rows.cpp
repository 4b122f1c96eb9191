#include "http/api/docs_rows.hpp"

#include "http/api/catalog_kinds.hpp"
#include "http/server/identity.hpp"
#include "projections/queries.hpp"

#include <algorithm>
#include <set>

namespace assay::api {

namespace {

template <class T>
std::string_view column_type()
{
    if constexpr (codec::is_optional<T>)
        return column_type<typename T::value_type>();
    else if constexpr (codec::is_vector<T>)
        return "array";
    else if constexpr (std::same_as<T, bool>)
        return "boolean";
    else if constexpr (std::is_enum_v<T> || std::same_as<T, std::string>)
        return "string";
    else if constexpr (std::integral<T>)
        return "integer";
    else if constexpr (std::same_as<T, uuid>)
        return "uuid";
    else if constexpr (std::same_as<T, instant>)
        return "date-time";
    else if constexpr (std::same_as<T, digest>)
        return "digest";
    else
        return "object";
}

/// The members of a view's row, as the log folds into it.
template <class Row>
void write_columns(json_writer& w)
{
    w.name("columns").begin_array();
    boost::mp11::mp_for_each<codec::members_of<Row>>([&](auto d) {
        using type = std::remove_cvref_t<decltype(std::declval<Row>().*d.pointer)>;
        w.begin_object()
            .member("name", d.name)
            .member("type", column_type<type>())
            .member("nullable", codec::is_optional<type>)
            .end_object();
    });
    w.end_array();
}

/// A DocsResponse up to its operations, which the caller writes.
template <class View, class Row>
void write_head(json_writer& w, std::string_view name, std::string_view type,
                std::string_view description)
{
    w.begin_object()
        .member("name", name)
        .member("type", type)
        .member("description", description)
        .name("materialized_view")
        .begin_object()
        .member("name", View::name)
        .member("definition", "Folded from the events of the log; built anew by /test/refresh.");
    write_columns<Row>(w);
    w.end_object().name("tables").begin_array().begin_object().member("name", name);
    write_columns<Row>(w);
    w.end_object().end_array().name("operations");
}

template <class View, class Row>
void write_entry(json_writer& w, std::string_view name, std::string_view description)
{
    write_head<View, Row>(w, name, "entry", description);
    w.begin_array().end_array().end_object();
}

void write_params(json_writer& w, std::vector<http::route_param> const& params)
{
    w.name("params").begin_array();
    for (auto const& p : params)
        w.begin_object()
            .member("name", p.name)
            .member("type", p.type)
            .member("required", p.required)
            .end_object();
    w.end_array();
}

} // namespace

operation_table describe(http::router const& routes)
{
    operation_table out;
    for (auto const& r : routes.routes()) {
        if (!r.permission)
            continue;
        auto const method = http::to_string(r.method);
        out.push_back({r.name, r.pattern, std::string(method), *r.permission,
                       r.summary.empty() ? r.name : r.summary, r.params});
    }
    return out;
}

void write_operation(json_writer& w, described_operation const& op, http::identity const& who)
{
    w.begin_object().member("name", op.name).member("description", op.summary);
    write_params(w, op.params);
    w.null("returns")
        .member("method", op.method)
        .member("path", op.path)
        .name("permission")
        .begin_array()
        .value(op.permission.artifact)
        .value(op.permission.operation)
        .end_array()
        .member("allowed", who.may(op.permission))
        .end_object();
}

void write_operations(json_writer& w, operation_table const& table, std::string_view artifact,
                      http::identity const& who)
{
    w.begin_array();
    for (auto const& op : table)
        if (op.permission.artifact == artifact)
            write_operation(w, op, who);
    w.end_array();
}

void write_permissions(json_writer& w, operation_table const& table, std::string_view artifact,
                       http::identity const& who)
{
    std::set<std::string_view> seen;
    w.begin_array();
    for (auto const& op : table) {
        if (op.permission.artifact != artifact || !seen.insert(op.permission.operation).second)
            continue;
        w.begin_object()
            .member("name", op.permission.operation)
            .member("description", op.summary)
            .name("params")
            .begin_array()
            .end_array()
            .member("allowed", who.may(op.permission))
            .end_object();
    }
    w.end_array();
}

void write_artifact_docs(json_writer& w, operation_table const& table, http::identity const& who)
{
    write_head<projections::tests, projections::test_row>(
        w, "test", "artifact", "One run of an eval: a grid of models, scenarios and agents.");
    write_operations(w, table, "test", who);
    w.end_object();
}

void write_entry_docs(json_writer& w)
{
    using namespace projections;
    w.begin_array();
    write_entry<cells, cell_row>(w, "invocation", "One cell of the grid.");
    write_entry<runs, run_row>(w, "run", "One execution of an invocation.");
    write_entry<grades, grade_row>(w, "grade", "One grading of a run.");
    write_entry<grades, feedback_row>(w, "feedback", "A remark on one standard group of a grade.");
    write_entry<traces, trace_row>(w, "trace", "An invocation bound to its configuration.");
    write_entry<notes, draft_row>(w, "draft", "An invocation as somebody is configuring it.");
    write_entry<notes, group_row>(w, "group", "The container that runs and costs hang on.");
    w.end_array();
}

void write_resource_docs(json_writer& w, operation_table const& table, http::identity const& who)
{
    w.begin_array();
    for (auto const& spec : kinds()) {
        write_head<projections::catalog, projections::item_row>(
            w, spec.name, "resource", "A part of the configuration that tests refer to.");
        write_operations(w, table, spec.name, who);
        w.end_object();
    }
    w.end_array();
}

} // namespace assay::api
