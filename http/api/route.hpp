#pragma once

#include "http/api/body_reader.hpp"
#include "http/api/identity.hpp"
#include "http/api/json_writer.hpp"
#include "http/api/snapshots.hpp"
#include "http/engine/engine.hpp"
#include "http/server/metrics.hpp"
#include "http/server/router.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>

/// What all routes share: a route is parse -> call -> answer, and everything else stands here once.
namespace assay::api {

/// What routes are served with. Outlives the server.
struct services {
    engine::engine& engine;
    http::blocking_pool& pool;
    http::metrics& numbers;
    identities& keys;
    snapshots& states;
};

/// One request as a route sees it: who asks, and the body.
struct incoming {
    http::request request;
    json::object body;
    engine::caller who;

    [[nodiscard]] claims const& scope() const { return claims_of(*request.caller); }

    [[nodiscard]] bool may(std::string_view artifact, std::string_view operation) const
    {
        return request.caller->may({std::string(artifact), std::string(operation)});
    }
};

/// Another path of an operation, served by the same handler.
struct path_alias {
    std::string_view name; ///< "test.invocation_draft"
    std::string_view path; ///< "/test/invocation_draft"
    http::method method = http::method::post;
};

/// One operation: POST with a JSON body, unless said otherwise.
struct operation {
    std::string_view name; ///< "test.start"
    std::string_view path; ///< "/test/start"
    http::permission permission;
    std::vector<path_alias> also{};
    /// Of a command X-Invalidate-Tags, of a query X-Cache-Tags; empty: no such header.
    std::string_view tags{};
    std::size_t body_bytes_max = 1 << 20;
    bool checks_permission = false; ///< see http::route
    std::string_view summary{};     ///< one sentence for people
    std::vector<http::route_param> params{};
    bool staged = false; ///< takes `soft` and `accept`; only of slow commands
};

/// Answers once; errors get the documented shape, success the operation's header.
class reply {
public:
    reply(http::responder to, std::string_view header, std::string_view tags)
        : to_(std::move(to)), header_(header), tags_(tags)
    {
    }

    /// A JSON text, or the error.
    void operator()(result<std::string> body);
    void send(result<http::response> answer);

    /// What the header would call stale is not.
    void nothing_stale() { tags_ = {}; }

private:
    http::responder to_;
    std::string_view header_;
    std::string_view tags_;
};

/// Reads views; runs on the pool. @returns the body as JSON.
using query = std::function<result<std::string>(incoming const&)>;
/// The same for answers that are more than a text.
using response_query = std::function<result<http::response>(incoming const&)>;
/// Gives a command, answers when it is durable; runs on the I/O thread and must not block.
using command_function = std::function<void(incoming, reply)>;

void add_query(http::router& to, services const& s, operation op, query serve);
void add_response_query(http::router& to, services const& s, operation op, response_query serve);
void add_command(http::router& to, operation op, command_function serve);
/// The same on the pool, for commands whose preparation reads from disk.
void add_slow_command(http::router& to, services const& s, operation op, command_function serve);

/// Gives the command to the pipeline; `answer` makes the body from what the decision said.
void give(services const& s, result<engine::prepared> command, reply respond,
          std::function<std::string(events::receipt const&)> answer);

/// For a command that cannot be prepared any more, say because the eval it names is gone: if it came
/// with the key of an earlier one, that one's answer; else `why`.
void give_again(services const& s, incoming const& in, std::string operation, error why,
                reply respond, std::function<std::string(events::receipt const&)> answer);

/// The body of a command that was staged, or that answers a staged one, says so; any other stays.
[[nodiscard]] std::string marked(std::string body, events::receipt const& done);

/// Whether the command of this receipt has not taken place.
[[nodiscard]] bool is_pending(events::receipt const& done);

/// The views for a reading request: as they are now, or as a `snapshot_key` pins them.
[[nodiscard]] result<std::shared_ptr<projections::reader const>>
views_of(services const& s, incoming const& in, std::optional<std::string> const& snapshot_key);

/// Makes every 422 an array of fields, as documented.
[[nodiscard]] error documented(error e);

/// Page sizes beyond this are clamped.
constexpr std::uint64_t page_size_max = 1000;
constexpr std::uint64_t page_size_default = 50;

/// @param given  at least 1, as the reader has checked
[[nodiscard]] inline std::uint64_t page_size_of(std::optional<std::int64_t> given,
                                                std::uint64_t otherwise = page_size_default)
{
    return given ? std::min(static_cast<std::uint64_t>(*given), page_size_max) : otherwise;
}

/// errc::forbidden for a row of departments that the caller does not belong to.
[[nodiscard]] result<void> check_departments(incoming const& in, std::vector<uuid> const& row);

/// The same for items that a request names. What is not there passes: whoever uses it says so.
[[nodiscard]] result<void> check_items(projections::reader const& views, incoming const& in,
                                       std::vector<uuid> const& ids);

/// The same for a command on a test, by its id. A test that is not there passes: the decision says
/// so.
[[nodiscard]] result<void> check_test(services const& s, incoming const& in, uuid const& test);

/// Keys have no sessions: all that a profile does is one.
[[nodiscard]] inline uuid session_of(uuid const& profile)
{
    return derive_uuid(profile, "session");
}

/// The key that came with the request, as acknowledgements repeat it.
[[nodiscard]] json::value echoed_key(engine::caller const& who);

} // namespace assay::api
