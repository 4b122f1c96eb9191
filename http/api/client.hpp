#pragma once

#include "core/result.hpp"
#include "http/server/router.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace assay::api {

/// One event of a stream: what stands in its `id:` and `data:` lines.
struct stream_event {
    std::string id; ///< goes into `last_event_id` of the next stream
    boost::json::value data;
};

/// The API as programs call it, in this process or over the wire.
///
/// Thread-safe unless an implementation says otherwise. Calls block.
class api_client {
public:
    virtual ~api_client() = default;

    /// Calls one operation.
    ///
    /// @param method           "POST", "GET" ...
    /// @param path             e.g. "/test/start", with its query if it has one
    /// @param body             null: none is sent
    /// @param idempotency_key  empty: none is sent
    /// @returns the answer's body, or the error that the problem body tells (see `error_of`); an
    /// answer that is no JSON
    ///          comes as a string, none at all as null.
    [[nodiscard]] virtual result<boost::json::value>
    call(std::string_view method, std::string_view path, boost::json::value const& body = nullptr,
         std::string_view idempotency_key = {}) = 0;

    /// Reads an event stream until it ends or `on_event` returns false.
    ///
    /// @param last_event_id  empty: from now on
    /// @returns nothing when the stream ended or was left; errc::io when the connection broke.
    [[nodiscard]] virtual result<void>
    stream(std::string_view path, std::string_view last_event_id,
           std::function<bool(stream_event const&)> const& on_event) = 0;
};

/// What an answer of status 400 and above means, whoever sent it: the code by the status, `code`,
/// `detail` and the fields of a 422 by the problem body.
///
/// @param retry_after  value of the header Retry-After in seconds; empty: none
[[nodiscard]] error error_of(unsigned status, std::string_view body,
                             std::string_view retry_after = {});

/// Takes the events of a stream out of its bytes as they arrive, in pieces of any size (WHATWG HTML
/// §9.2).
class event_reader {
public:
    /// Calls `on_event` for each event that `bytes` completes. @returns false as soon as it does.
    bool take(std::string_view bytes, std::function<bool(stream_event const&)> const& on_event);

private:
    bool end_of_event(std::function<bool(stream_event const&)> const& on_event);
    void line(std::string_view text);

    std::string rest_;
    std::string id_;
    std::string data_;
};

/// Calls the routes of this process through the server's own table: same limits, same identity,
/// same handlers, no socket.
///
/// The router, and what its handlers use, must outlive it.
class local_client final : public api_client {
public:
    local_client(http::router const& routes, std::shared_ptr<http::identity const> caller)
        : routes_(routes), caller_(std::move(caller))
    {
    }

    [[nodiscard]] result<boost::json::value> call(std::string_view method, std::string_view path,
                                                  boost::json::value const& body = nullptr,
                                                  std::string_view idempotency_key = {}) override;

    [[nodiscard]] result<void>
    stream(std::string_view path, std::string_view last_event_id,
           std::function<bool(stream_event const&)> const& on_event) override;

    /// The answer as a server would have sent it; errors are problem answers, too.
    [[nodiscard]] http::response send(http::request req) const;

private:
    http::router const& routes_;
    std::shared_ptr<http::identity const> const caller_;
};

} // namespace assay::api
