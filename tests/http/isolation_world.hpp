#pragma once

#include "http/api/application.hpp"
#include "http/api/client.hpp"
#include "tests/http/runner_service.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace assay::test {

/// One request of a route: its body, or, of a GET, its query or its path. "$name" stands for an id of
/// `ids`.
struct isolation_case {
    std::string_view route;
    std::string text;
    bool names = true;       ///< a row by its id; else rows are listed or nothing is named
    bool departments = true; ///< that row can belong to a department
};

/// Requests for every route of the API that wants an identity. A new route needs its rows here.
std::vector<isolation_case> isolation_cases();

/// Ids by the names that cases use: "$test", "$invocation", "$eval" ...
using ids = std::map<std::string, uuid>;

/// Ids of nothing, of the same shape.
ids ids_of_nothing();

/// The answer to a request, as it was sent.
struct seen {
    unsigned status = 0;
    std::string text; ///< headers and body; the ids of the request are masked by their names
};

/// A server's API over one engine with rows of everything. What a department can own has `canary`
/// in its texts.
struct isolation_world {
    static constexpr std::string_view canary = "canary";

    service s;
    http::metrics numbers;
    http::blocking_pool pool{2};
    std::unique_ptr<api::application> app;
    http::router routes;

    isolation_world();

    /// Makes an item of each kind, and a test with a run, a trace and a grade. @returns their ids.
    ids fill(engine::caller const& owner, std::vector<uuid> const& departments);

    /// The identity of a new profile of `owner`'s workspace.
    std::shared_ptr<http::identity const> member(engine::caller const& owner, std::string role,
                                                 std::vector<uuid> departments = {});

    /// Sends a case to its route.
    seen send(isolation_case const& c, ids const& with,
              std::shared_ptr<http::identity const> const& who) const;

private:
    uuid create(engine::caller const& owner, item_kind kind, engine::item_draft draft);
};

} // namespace assay::test
