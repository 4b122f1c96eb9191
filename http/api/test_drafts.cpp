#include "http/api/draft_rows.hpp"
#include "http/api/note_list.hpp"
#include "http/api/routes.hpp"
#include "http/server/problem.hpp"
#include "projections/queries.hpp"

#include <algorithm>

namespace assay::api {

namespace {

constexpr bounds list_of_ids{.size_max = 1000};
constexpr std::size_t description_bytes_max = 64 * 1024;

struct flag_pair {
    uuid model_id;
    uuid flag_id;

    static constexpr auto fields = std::tuple{
        field{"model_id", &flag_pair::model_id},
        field{"flag_id", &flag_pair::flag_id},
    };
};

struct flag_value {
    uuid model_id;
    std::string type;
    bool value = false;

    static constexpr auto fields = std::tuple{
        field{"model_id", &flag_value::model_id},
        field{"type", &flag_value::type, {.size_min = 1, .size_max = 200}},
        field{"value", &flag_value::value},
    };
};

/// What a draft says of itself; the ids stand in two tables below, since they all are the same.
struct draft_body {
    std::optional<uuid> draft_id;
    std::optional<uuid> input_draft_id;
    std::optional<std::uint32_t> expected_version;
    std::optional<std::string> name;
    std::optional<std::string> description;
    std::optional<std::vector<flag_pair>> model_flags;
    std::optional<std::vector<flag_value>> model_flag_values;

    static constexpr auto fields = std::tuple{
        field{"draft_id", &draft_body::draft_id},
        field{"input_draft_id", &draft_body::input_draft_id},
        field{"expected_version", &draft_body::expected_version, {.min = 0}},
        field{"name", &draft_body::name, {.size_max = 500}},
        field{"description", &draft_body::description, {.size_max = description_bytes_max}},
        field{"model_flags", &draft_body::model_flags, list_of_ids},
        field{"model_flag_values", &draft_body::model_flag_values, list_of_ids},
    };
};

std::vector<http::route_param> draft_params()
{
    auto out = params_of<draft_body>();
    for (auto const& each : single_ids)
        out.push_back({std::string(each.name), "uuid", false});
    for (auto const& each : id_lists)
        out.push_back({std::string(each.name), "array of uuid", false});
    out.push_back({std::string(pending_ids), "array of uuid", false});
    return out;
}

template <class T>
void read_member(json::object const& body, std::string_view name, bounds const& limits,
                 body_problems& bad, T& out)
{
    auto const* const v = body.if_contains(name);
    if (!v)
        return;
    bad.enter(name);
    read_value(*v, limits, bad, out);
    bad.leave();
}

json::array texts_of(std::vector<uuid> const& ids)
{
    json::array out;
    for (auto const& id : ids)
        out.emplace_back(id.text());
    return out;
}

/// The ids that a request names, as the draft keeps them.
result<json::object> ids_of(json::object const& body)
{
    json::object out;
    body_problems bad;
    for (auto const& each : single_ids) {
        std::optional<uuid> id;
        read_member(body, each.name, {}, bad, id);
        if (id)
            out[each.name] = id->text();
    }
    auto const read_list = [&](std::string_view name) {
        std::optional<std::vector<uuid>> ids;
        read_member(body, name, list_of_ids, bad, ids);
        if (ids)
            out[name] = texts_of(*ids);
    };
    for (auto const& each : id_lists)
        read_list(each.name);
    read_list(pending_ids);
    ASSAY_CHECK(std::move(bad).verdict());
    return out;
}

/// A text that comes without the id of its resource gets one.
void name_text(json::object& set, std::string_view id_member, uuid const& command)
{
    if (!set.contains(id_member))
        set[id_member] = derive_uuid(command, id_member).text();
}

void add_flags(json::object& set, draft_body const& asked)
{
    if (asked.model_flags) {
        json::array pairs;
        for (auto const& each : *asked.model_flags)
            pairs.push_back(
                json::object{{"model_id", each.model_id.text()}, {"flag_id", each.flag_id.text()}});
        set["model_flags"] = std::move(pairs);
    }
    if (asked.model_flag_values) {
        json::array values;
        for (auto const& each : *asked.model_flag_values)
            values.push_back(json::object{
                {"model_id", each.model_id.text()}, {"type", each.type}, {"value", each.value}});
        set["model_flag_values"] = std::move(values);
    }
}

result<engine::prepared> prepare_draft(services const& s, incoming const& in,
                                       draft_body const& asked, json::object set)
{
    constexpr std::string_view operation = "test.draft";
    ASSAY_TRY(auto const id, s.engine.command_id(in.who, operation));
    command::save_draft command;
    auto const& named = asked.draft_id ? asked.draft_id : asked.input_draft_id;
    command.create = !named;
    command.draft = named.value_or(derive_uuid(id, "draft"));
    command.expected_version = asked.expected_version;
    events::blob_list blobs;
    add_flags(set, asked);
    if (asked.name) {
        set["name"] = *asked.name;
        name_text(set, "name_id", id);
    }
    if (asked.description) {
        ASSAY_TRY(auto sealed, s.engine.seal(in.who.workspace, *asked.description, blobs));
        command.texts.push_back({"description", std::move(sealed)});
        name_text(set, "description_id", id);
    }
    command.set = std::move(set);
    ASSAY_TRY(auto p, s.engine.prepare(in.who, std::string(operation), std::move(command)));
    p.blobs = std::move(blobs);
    return p;
}

/// The form after a change, or as it stands against one.
result<draft_view> current(services const& s, incoming const& in, uuid const& draft)
{
    ASSAY_TRY(auto row,
              projections::get_draft(*s.engine.read(), in.who.workspace, in.who.profile, draft));
    return resolve(s, std::move(row));
}

/// 409 with the draft as it is, so that its editor can merge.
result<http::response> stale(services const& s, incoming const& in, uuid const& draft,
                             error const& why)
{
    ASSAY_TRY(auto const found, current(s, in, draft));
    auto answer = http::problem(why, true);
    auto* const text = std::get_if<std::string>(&answer.body);
    ASSAY_TRY(auto body, json::parse_stored(*text));
    std::string row;
    json_writer w(row);
    write_draft(w, found);
    ASSAY_TRY(auto parsed, json::parse_stored(row));
    body.as_object()["new_version"] = found.row.version;
    body.as_object()["draft"] = std::move(parsed);
    body.as_object()["form_state"] = found.form;
    *text = json::canonical(body);
    return answer;
}

result<std::string> saved(services const& s, incoming const& in, events::receipt const& done)
{
    auto const& a = done.answer;
    json::object body{{"success", true},
                      {"draft_id", a.at("draft_id")},
                      {"new_version", a.at("new_version")},
                      {"idempotency_key", echoed_key(in.who)},
                      {"message", a.at("created").as_bool() ? "The draft was created."
                                                            : "The draft was changed."}};
    // The form goes on after the first answer; one that will be repeated must not hold it.
    auto const id = uuid::parse(std::string_view(a.at("draft_id").as_string()));
    if (in.who.idempotency_key.empty() && id) {
        ASSAY_TRY(auto now, current(s, in, *id));
        body["form_state"] = std::move(now.form);
    }
    return marked(json::canonical(body), done);
}

/// POST /test/draft   200 the new version · 404 · 409 a stale version, with the draft as it is
result<http::response> save(services const& s, incoming const& in, reply& respond)
{
    ASSAY_TRY(auto const asked, read_body<draft_body>(in.body));
    ASSAY_TRY(auto set, ids_of(in.body));
    auto const& named = asked.draft_id ? asked.draft_id : asked.input_draft_id;
    if (named)
        ASSAY_CHECK(
            projections::get_draft(*s.engine.read(), in.who.workspace, in.who.profile, *named));
    ASSAY_TRY(auto command, prepare_draft(s, in, asked, std::move(set)));
    auto const done = s.engine.give_and_wait(std::move(command));
    if (!done || is_pending(*done))
        respond.nothing_stale();
    if (!done && named && done.error().reason == "version_conflict")
        return stale(s, in, *named, done.error());
    if (!done)
        return std::unexpected(done.error());
    ASSAY_TRY(auto body, saved(s, in, *done));
    return http::json_text(200, std::move(body));
}

/// POST /test/drafts   200 the caller's own, newest first
result<std::string> list(services const& s, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<note_list_body>(in.body));
    ASSAY_TRY(auto const views, views_of(s, in, asked.snapshot_key));
    ASSAY_TRY(auto page, projections::list_drafts(*views, in.who.workspace, in.who.profile,
                                                  asked.filter(), asked.page()));
    std::string body;
    json_writer w(body);
    w.begin_object().name("entries").begin_array();
    for (auto& row : page.drafts) {
        ASSAY_TRY(auto const view, resolve(s, std::move(row)));
        write_draft(w, view);
    }
    w.end_array().member("total_count", page.total).end_object();
    return body;
}

} // namespace

void add_test_drafts(http::router& to, services const& s)
{
    add_slow_command(
        to, s,
        {.name = "test.draft",
         .path = "/test/draft",
         .permission = {"test", "draft"},
         .also = {{"test.invocation_draft", "/test/invocation_draft"},
                  {"test.invocation_draft_patch", "/test/invocation/draft", http::method::patch}},
         .tags = "test,drafts",
         .summary = "Make an invocation's draft, or change it.",
         .params = draft_params(),
         .staged = true},
        [s](incoming in, reply respond) {
            auto answer = save(s, in, respond);
            respond.send(std::move(answer));
        });
    add_query(to, s,
              {.name = "test.drafts",
               .path = "/test/drafts",
               .permission = {"test", "drafts"},
               .also = {{"test.invocation_drafts", "/test/invocation_drafts"},
                        {"test.invocation_drafts_old", "/test/invocation/drafts"}},
               .tags = "drafts",
               .summary = "List your own drafts.",
               .params = params_of<note_list_body>()},
              [s](incoming const& in) { return list(s, in); });
}

} // namespace assay::api
