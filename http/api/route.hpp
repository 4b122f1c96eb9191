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

/// One operation: POST with a JSON body, unless said otherwise.
struct operation {
    std::string_view name; ///< "test.start"
    std::string_view path; ///< "/test/start"
    http::permission permission;
    /// Of a command X-Invalidate-Tags, of a query X-Cache-Tags; empty: no such header.
    std::string_view tags{};
    std::size_t body_bytes_max = 1 << 20;
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

/// The key that came with the request, as acknowledgements repeat it.
[[nodiscard]] json::value echoed_key(engine::caller const& who);

} // namespace assay::api
