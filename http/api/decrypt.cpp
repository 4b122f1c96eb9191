#include "http/api/invocation_ids.hpp"
#include "http/api/routes.hpp"

namespace assay::api {

namespace {

struct decrypt_body {
    uuid invocation_id;
    uuid key_id;
    std::optional<std::string> snapshot_key; ///< taken and passed over: rights are those of now

    static constexpr auto fields = std::tuple{
        field{"invocation_id", &decrypt_body::invocation_id},
        field{"key_id", &decrypt_body::key_id},
        field{"snapshot_key", &decrypt_body::snapshot_key},
    };
};

/// The keys that an invocation's calls are made with.
result<std::vector<uuid>> key_set(services const& s, incoming const& in, uuid const& invocation)
{
    ASSAY_TRY(auto const place, place_of_invocation(invocation));
    auto const views = s.engine.read();
    auto const test = test_of(*views, in, place.test);
    if (!test)
        return test.error().code == errc::not_found ? no_invocation()
                                                    : std::unexpected(test.error());
    ASSAY_TRY(auto const cell, projections::get_cell(*views, *test, place.cell));
    auto const config = s.engine.config_of(*test);
    if (!config)
        return config.error().code == errc::gone ? result<std::vector<uuid>>()
                                                 : std::unexpected(config.error());
    auto const& key = (*config)->models[cell.place.model].provider.key;
    return key ? std::vector{*key} : std::vector<uuid>();
}

/// The name of the key, if it may be told to the caller; the reason of the refusal is what is
/// recorded. That the key belongs to the invocation is what permits it: to know its id is not
/// enough, and a key that does not exist is refused like any other.
result<std::string> authorize(services const& s, incoming const& in, decrypt_body const& asked)
{
    if (!in.may("test", "decrypt"))
        return fail(errc::forbidden, "test.decrypt needs the permission test.decrypt",
                    "permission_missing");
    ASSAY_TRY(auto const keys, key_set(s, in, asked.invocation_id));
    if (std::ranges::find(keys, asked.key_id) == keys.end())
        return fail(errc::forbidden, "the key does not belong to this invocation",
                    "key_not_of_invocation");
    auto const key =
        projections::get_item(*s.engine.read(), in.who.workspace, item_kind::key, asked.key_id);
    if (!key && key.error().code == errc::not_found)
        return fail(errc::gone, "the key was deleted", "key_deleted");
    if (!key)
        return std::unexpected(key.error());
    return key->name;
}

result<http::response> plaintext(services const& s, incoming const& in, uuid const& key,
                                 std::string const& name)
{
    ASSAY_TRY(auto const secret, s.engine.keys().get_secret(in.who.workspace, key));
    std::string body;
    json_writer w(body);
    w.begin_object()
        .member("key", secret.view())
        .member("name", name)
        .member("actor_name", in.request.caller->name)
        .end_object();
    auto answer = http::json_text(200, std::move(body));
    answer.headers = {{"Cache-Control", "no-store"}, {"X-Cache-Hit", "0"}};
    return answer;
}

/// POST /test/decrypt   200 the plaintext · 403 not permitted, or no key of the invocation · 404 ·
/// 410 deleted
///
/// Granted or refused, the attempt is in the log before anything is answered. There is no cache and
/// no replay: an idempotency key is passed over.
void decrypt(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<decrypt_body>(in.body);
    if (!asked && in.may("test", "decrypt"))
        return respond(std::unexpected(asked.error()));
    auto const named = asked.value_or(decrypt_body{});
    auto name = authorize(s, in, named);
    if (!name && name.error().reason.empty())
        return respond(std::unexpected(std::move(name.error()))); // it could not be found out
    event::decrypt_attempted const attempt{named.invocation_id, named.key_id, name.has_value(),
                                           name ? std::string() : name.error().reason};
    in.who.idempotency_key.clear();
    auto command = s.engine.prepare(in.who, "test.decrypt", command::note_decrypt{attempt});
    if (!command)
        return respond(std::unexpected(std::move(command.error())));
    s.engine.give(std::move(*command),
                  [s, in = std::move(in), key = named.key_id, name = std::move(name),
                   respond = std::move(respond)](result<events::receipt> done) mutable {
                      if (!done)
                          return respond(std::unexpected(std::move(done.error())));
                      if (!name)
                          return respond(std::unexpected(std::move(name.error())));
                      s.pool.run([s, in = std::move(in), key, name = std::move(*name),
                                  respond = std::move(respond)]() mutable {
                          respond.send(plaintext(s, in, key, name));
                      });
                  });
}

} // namespace

void add_decrypt(http::router& to, services const& s)
{
    add_slow_command(to, s,
                     {.name = "test.decrypt",
                      .path = "/test/decrypt",
                      .permission = {"test", "decrypt"},
                      .also = {{"test.invocation.decrypt", "/test/invocation/decrypt"}},
                      .checks_permission = true,
                      .summary = "The plaintext of a key of an invocation.",
                      .params = params_of<decrypt_body>()},
                     [s](incoming in, reply r) { decrypt(s, std::move(in), std::move(r)); });
}

} // namespace assay::api
