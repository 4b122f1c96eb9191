#include "http/api/route.hpp"

#include "http/server/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace assay::api {

namespace {

constexpr std::size_t idempotency_key_max = 255;

/// Members that say how a write is to be done, not what: not part of the comparison of bodies.
constexpr std::array<std::string_view, 3> not_compared{"idempotency_key", "soft", "accept"};

bool is_json(std::string_view content_type)
{
    auto type = content_type.substr(0, content_type.find(';'));
    while (type.ends_with(' '))
        type.remove_suffix(1);
    return std::ranges::equal(type, std::string_view("application/json"), [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

std::expected<json::object, http::response> body_of(http::request const& req)
{
    auto const refuse = [](error const& e) {
        return std::unexpected(http::problem(documented(e), true));
    };
    if (req.body.empty())
        return json::object{};
    if (auto const type = req.headers.find("Content-Type"); type && !is_json(*type))
        return std::unexpected(
            http::problem(415, "unsupported_media_type",
                          "the body must be JSON: Content-Type: application/json", true));
    auto parsed = json::parse(req.body);
    if (!parsed)
        return refuse(parsed.error());
    if (parsed->is_null())
        return json::object{};
    if (!parsed->is_object())
        return refuse({errc::invalid, "the body must be a JSON object", "dict_type"});
    return std::move(parsed->get_object());
}

result<std::string> idempotency_key_of(http::request const& req, json::object const& body)
{
    std::optional<std::string> named;
    if (auto const* const v = body.if_contains("idempotency_key"); v && !v->is_null()) {
        if (!v->is_string())
            return bad_field("idempotency_key", "expected a string", "string_type");
        named = std::string(v->get_string());
    }
    auto const header = req.headers.find("Idempotency-Key");
    if (header && named && *header != *named)
        return bad_field("idempotency_key", "it differs from the header Idempotency-Key");
    auto key = header ? std::string(*header) : named.value_or(std::string());
    if ((header || named) && (key.empty() || key.size() > idempotency_key_max))
        return bad_field("idempotency_key",
                         fmt::format("a key has 1 to {} bytes", idempotency_key_max),
                         "string_length");
    return key;
}

/// A member that is true, false, or as good as left out.
result<std::optional<bool>> flag_of(json::object const& body, std::string_view name)
{
    auto const* const v = body.if_contains(name);
    if (!v || v->is_null())
        return std::nullopt;
    if (!v->is_bool())
        return bad_field(name, "expected true or false", "bool_type");
    return v->get_bool();
}

/// What `soft` and `accept` ask for. An operation that knows no staging refuses them: the caller
/// would take an effective write for a staged one.
result<std::optional<staging_step>> staging_of(json::object const& body, bool staged, bool keyed)
{
    ASSAY_TRY(auto const soft, flag_of(body, "soft"));
    ASSAY_TRY(auto const accept, flag_of(body, "accept"));
    if (!soft.value_or(false) && !accept)
        return std::nullopt;
    auto const* const name = accept ? "accept" : "soft";
    if (!staged)
        return bad_field(name, "this operation cannot be staged", "unsupported");
    if (accept && soft.value_or(false))
        return bad_field("accept", "a write is staged first, then accepted or rejected");
    if (!keyed)
        return bad_field("idempotency_key", "a staged write is named by its key", "missing");
    if (!accept)
        return staging_step::stage;
    return *accept ? staging_step::accept : staging_step::reject;
}

json::object compared_body(json::object body)
{
    for (auto const name : not_compared)
        body.erase(name);
    return body;
}

events::channel channel_of(http::request const& req)
{
    auto const mcp = req.headers.find("X-MCP");
    return mcp && (*mcp == "1" || *mcp == "true") ? events::channel::mcp
                                                  : claims_of(*req.caller).channel;
}

enum class kind : std::uint8_t { query, command };

/// Who gives the command, and how it is told from others.
result<void> read_sender(http::request const& req, json::object const& body, bool staged,
                         engine::caller& who)
{
    ASSAY_TRY(auto key, idempotency_key_of(req, body));
    ASSAY_TRY(who.staging, staging_of(body, staged, !key.empty()));
    who.channel = channel_of(req);
    if (!key.empty()) {
        who.idempotency_key = std::move(key);
        who.body = json::canonical(compared_body(body));
    }
    // A minted id is nothing that the client could ask about later.
    if (req.headers.find("X-Request-Id"))
        who.request_id = req.request_id;
    return {};
}

std::expected<incoming, http::response> accept(http::request req, kind k, bool staged = false)
{
    auto body = body_of(req);
    if (!body)
        return std::unexpected(std::move(body.error()));
    incoming in;
    in.who.workspace = req.caller->workspace;
    in.who.profile = req.caller->profile;
    if (k == kind::command) {
        if (auto const read = read_sender(req, *body, staged, in.who); !read)
            return std::unexpected(http::problem(read.error(), true));
    }
    in.body = std::move(*body);
    in.request = std::move(req);
    return in;
}

http::route route_of(operation const& op, std::string_view name, std::string_view path,
                     http::method method)
{
    return {.method = method,
            .pattern = std::string(path),
            .name = std::string(name),
            .permission = op.permission,
            .checks_permission = op.checks_permission,
            .body_bytes_max = op.body_bytes_max,
            .documented_errors = true,
            .summary = std::string(op.summary),
            .params = op.params};
}

void add(http::router& to, operation const& op, http::handler serve)
{
    auto const shared = std::make_shared<http::handler const>(std::move(serve));
    auto const add_one = [&](http::route r) {
        r.serve = [shared](http::request req, http::responder respond) {
            (*shared)(std::move(req), std::move(respond));
        };
        to.add(std::move(r));
    };
    add_one(route_of(op, op.name, op.path, http::method::post));
    for (auto const& a : op.also)
        add_one(route_of(op, a.name, a.path, a.method));
}

/// An answer to a staged write may name it by its key alone: then the body is the staged one.
result<void> complete_body(engine::engine const& e, std::string const& operation, incoming& in)
{
    bool const answers = in.who.staging && *in.who.staging != staging_step::stage;
    if (!answers || !compared_body(in.body).empty())
        return {};
    ASSAY_TRY(in.body, e.staged_body(in.who, operation));
    in.who.body = json::canonical(in.body);
    return {};
}

/// What running a command needs of its operation.
struct command_route {
    command_function serve;
    std::string name;
    std::string tags;
    bool staged = false;
    engine::engine const* engine = nullptr; ///< of a slow command
};

void run_command(command_route const& route, http::request req, http::responder respond)
{
    auto in = accept(std::move(req), kind::command, route.staged);
    if (!in)
        return respond(std::move(in.error()));
    if (route.engine)
        if (auto found = complete_body(*route.engine, route.name, *in); !found)
            return respond(std::unexpected(documented(std::move(found.error()))));
    route.serve(std::move(*in), reply(std::move(respond), "X-Invalidate-Tags", route.tags));
}

std::shared_ptr<command_route const> shared_route(operation const& op, command_function serve,
                                                  engine::engine const* e)
{
    return std::make_shared<command_route const>(command_route{
        std::move(serve), std::string(op.name), std::string(op.tags), op.staged && e, e});
}

} // namespace

error documented(error e)
{
    if (e.code == errc::idempotency_reused) {
        e.code = errc::invalid; // the same status; with its own reason
        e.fields = {{{"body", "idempotency_key"}, e.detail, "idempotency_key_reused"}};
    }
    if (e.code == errc::invalid && e.fields.empty())
        e.fields.push_back({{"body"}, e.detail, e.reason.empty() ? "value_error" : e.reason});
    return e;
}

void reply::operator()(result<std::string> body)
{
    if (!body)
        return send(std::unexpected(std::move(body.error())));
    send(http::json_text(200, std::move(*body)));
}

void reply::send(result<http::response> answer)
{
    if (!answer)
        return to_(std::unexpected(documented(std::move(answer.error()))));
    if (!tags_.empty())
        answer->headers.emplace_back(header_, tags_);
    to_(std::move(answer));
}

void add_response_query(http::router& to, services const& s, operation op, response_query serve)
{
    auto const shared = std::make_shared<response_query const>(std::move(serve));
    auto const tags = op.tags;
    add(to, op,
        http::on_pool(s.pool, [shared, tags](http::request const& req) -> result<http::response> {
            auto in = accept(req, kind::query);
            if (!in)
                return std::move(in.error());
            auto answer = (*shared)(*in);
            if (!answer)
                return std::unexpected(documented(std::move(answer.error())));
            // Every answer is computed: no cache is in front of the views.
            answer->headers.emplace_back("X-Cache-Hit", "0");
            if (!tags.empty())
                answer->headers.emplace_back("X-Cache-Tags", tags);
            return answer;
        }));
}

void add_query(http::router& to, services const& s, operation op, query serve)
{
    add_response_query(to, s, std::move(op),
                       [serve = std::move(serve)](incoming const& in) -> result<http::response> {
                           ASSAY_TRY(auto body, serve(in));
                           return http::json_text(200, std::move(body));
                       });
}

void add_command(http::router& to, operation op, command_function serve)
{
    add(to, op,
        [route = shared_route(op, std::move(serve), nullptr)](http::request req,
                                                              http::responder respond) {
            run_command(*route, std::move(req), std::move(respond));
        });
}

void add_slow_command(http::router& to, services const& s, operation op, command_function serve)
{
    add(to, op,
        [&pool = s.pool, route = shared_route(op, std::move(serve), &s.engine)](
            http::request req, http::responder respond) {
            pool.run([route, req = std::move(req), respond = std::move(respond)]() mutable {
                try {
                    run_command(*route, std::move(req), std::move(respond));
                } catch (std::exception const&) {
                    // The responder, destroyed on the way here, has answered 500.
                    return;
                }
            });
        });
}

void give(services const& s, result<engine::prepared> command, reply respond,
          std::function<std::string(events::receipt const&)> answer)
{
    if (!command)
        return respond(std::unexpected(std::move(command.error())));
    s.engine.give(std::move(*command), [respond = std::move(respond), answer = std::move(answer)](
                                           result<events::receipt> done) mutable {
        if (!done)
            return respond(std::unexpected(std::move(done.error())));
        if (is_pending(*done))
            respond.nothing_stale();
        respond(marked(answer(*done), *done));
    });
}

void give_again(services const& s, incoming const& in, std::string operation, error why,
                reply respond, std::function<std::string(events::receipt const&)> answer)
{
    if (in.who.idempotency_key.empty())
        return respond(std::unexpected(std::move(why)));
    auto command = s.engine.prepare_replay(in.who, std::move(operation));
    if (!command)
        return respond(std::unexpected(std::move(command.error())));
    s.engine.give(std::move(*command),
                  [why = std::move(why), respond = std::move(respond),
                   answer = std::move(answer)](result<events::receipt> done) mutable {
                      if (!done || !done->replayed)
                          return respond(std::unexpected(done ? std::move(why) : done.error()));
                      if (is_pending(*done))
                          respond.nothing_stale();
                      respond(marked(answer(*done), *done));
                  });
}

bool is_pending(events::receipt const& done)
{
    auto const* const staged = done.answer.if_contains("staged");
    return staged && *staged != "accepted";
}

std::string marked(std::string body, events::receipt const& done)
{
    auto const* const staged = done.answer.if_contains("staged");
    if (!staged)
        return body;
    auto parsed = json::parse_stored(body);
    if (!parsed || !parsed->is_object())
        return body;
    auto& object = parsed->get_object();
    object["staged"] = *staged;
    if (auto* const message = object.if_contains("message"); message && is_pending(done))
        *message = *staged == "staged" ? "The write waits to be accepted; nothing has changed yet."
                                       : "The staged write was rejected; nothing has changed.";
    return json::canonical(object);
}

result<std::shared_ptr<projections::reader const>>
views_of(services const& s, incoming const& in, std::optional<std::string> const& snapshot_key)
{
    if (!snapshot_key || snapshot_key->empty())
        return std::shared_ptr<projections::reader const>(s.engine.read());
    return s.states.of(in.who.workspace, *snapshot_key);
}

result<void> check_departments(incoming const& in, std::vector<uuid> const& row)
{
    auto const& own = in.scope().departments;
    if (!own || row.empty() || std::ranges::any_of(row, [&](uuid const& d) {
            return std::ranges::find(*own, d) != own->end();
        }))
        return {};
    return fail(errc::forbidden, "this belongs to another department", "other_department");
}

result<void> check_items(projections::reader const& views, incoming const& in,
                         std::vector<uuid> const& ids)
{
    if (!in.scope().departments)
        return {}; // the common case costs no read
    for (auto const& id : ids)
        if (auto const row = projections::get_item(views, in.who.workspace, id))
            ASSAY_CHECK(check_departments(in, row->departments));
    return {};
}

result<void> check_test(services const& s, incoming const& in, uuid const& test)
{
    if (!in.scope().departments)
        return {};
    auto const row = projections::get_test(*s.engine.read(), in.who.workspace, test);
    return row ? check_departments(in, row->started.departments) : result<void>();
}

json::value echoed_key(engine::caller const& who)
{
    return who.idempotency_key.empty() ? json::value(nullptr)
                                       : json::value(boost::json::string(who.idempotency_key));
}

} // namespace assay::api
