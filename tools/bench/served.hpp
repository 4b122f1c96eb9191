#pragma once

#include "http/api/credentials.hpp"
#include "http/api/route.hpp"
#include "http/api/routes.hpp"
#include "http/server/server.hpp"
#include "tools/bench/harness.hpp"

#include <functional>
#include <memory>
#include <string>

namespace assay::tools::bench {

/// A workbench behind a real listener on loopback.
struct served {
    std::unique_ptr<workbench> bench;
    std::string api_key;
    http::metrics numbers;
    http::blocking_pool pool{2};
    std::unique_ptr<api::identities> keys;
    std::unique_ptr<api::credentials> credentials;
    std::unique_ptr<api::snapshots> states;
    std::unique_ptr<api::services> services;
    std::unique_ptr<http::server> server; ///< ends before what it uses

    /// @param add  puts routes into the table before the server starts
    [[nodiscard]] static result<std::unique_ptr<served>>
    start(std::unique_ptr<workbench> bench,
          std::function<void(http::router&, api::services const&)> const& add);
};

} // namespace assay::tools::bench
