#pragma once

#include "http/api/client.hpp"
#include "http/client/client.hpp"

#include <memory>
#include <string>

namespace assay::api {

/// The API of a server, over HTTP.
///
/// Thread-safe. A call waits its turn for at most two minutes; nothing is tried again, but for what
/// `http::client` does by itself.
class remote_client final : public api_client {
public:
    /// @param base_url  e.g. "http://127.0.0.1:8080"; a path in it comes before every operation's
    /// @param key       sent as bearer token; empty: none
    /// @returns errc::invalid if `base_url` is no http or https URL.
    [[nodiscard]] static result<std::unique_ptr<remote_client>> make(std::string base_url,
                                                                     std::string key);

    [[nodiscard]] result<boost::json::value> call(std::string_view method, std::string_view path,
                                                  boost::json::value const& body = nullptr,
                                                  std::string_view idempotency_key = {}) override;

    [[nodiscard]] result<void>
    stream(std::string_view path, std::string_view last_event_id,
           std::function<bool(stream_event const&)> const& on_event) override;

private:
    remote_client(std::string base_url, std::string key, std::unique_ptr<http::client> calls)
        : base_url_(std::move(base_url)), key_(std::move(key)), calls_(std::move(calls))
    {
    }

    // Constant after construction.
    std::string const base_url_;
    std::string const key_;
    std::unique_ptr<http::client> const calls_;
};

} // namespace assay::api
