#pragma once

#include "http/api/credentials.hpp"
#include "http/api/identity.hpp"
#include "http/api/route.hpp"
#include "http/api/snapshots.hpp"
#include "http/api/watch_hub.hpp"
#include "http/engine/engine.hpp"
#include "http/server/server.hpp"

#include <memory>
#include <optional>
#include <vector>

namespace assay::api {

/// The API over one engine: identities, routes and event streams. What a server serves, and what
/// `local_client` calls.
///
/// Thread-safe once opened. Destroy it after the server and before pool and engine.
class application {
public:
    /// @param tokens  none: API keys are the only credentials
    /// @returns errc::unavailable while the view of identities is being built, and the errors of
    ///          tokens::key_source::open.
    [[nodiscard]] static result<std::unique_ptr<application>>
    open(engine::engine& e, http::blocking_pool& pool, http::metrics& numbers,
         std::optional<token_options> tokens = {});

    application(application const&) = delete;

    /// Every route of the API. The router may be moved into a server; its handlers refer to this.
    [[nodiscard]] http::router routes();

    /// Health and metrics alone, without a key: for a listener that only operators reach.
    [[nodiscard]] http::router admin_routes();

    /// The server's identify hook.
    [[nodiscard]] http::identify_function identify();

    /// Reads what may have changed outside again (SIGHUP): the keys of tokens.
    void reload() { credentials_.reload(); }

    [[nodiscard]] identities& keys() { return keys_; }

    [[nodiscard]] watch_hub& streams() { return hub_; }

private:
    application(engine::engine& e, http::blocking_pool& pool, http::metrics& numbers);

    identities keys_;
    credentials credentials_;
    snapshots states_;
    services services_;
    std::vector<std::shared_ptr<void>> reports_;
    watch_hub hub_;
};

} // namespace assay::api
