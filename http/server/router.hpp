#pragma once

#include "http/server/handler.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace assay::http {

/// A member of a request's body, for those who describe the API.
struct route_param {
    std::string name;
    std::string type; ///< "string", "uuid", "array of uuid" ...
    bool required = false;
};

/// One operation of the API.
struct route {
    http::method method = http::method::get;
    std::string
        pattern; ///< "/test/{test_id}/cells": a name in braces stands for one non-empty segment
    std::string name; ///< unique, e.g. "test.cells"; label in metrics, operationId in OpenAPI
    std::optional<http::permission> permission{}; ///< nothing: open, served without an identity
    /// The handler looks whether the caller has `permission`, since a refusal is to be recorded.
    bool checks_permission = false;
    std::size_t body_bytes_max = 1 << 20; ///< beyond it 413
    bool documented_errors =
        false;                 ///< error bodies as application/json, not application/problem+json
    bool always = false;       ///< served also beyond `in_flight_max` (health checks)
    bool token_cookie = false; ///< the cookie `auth` may hold the token
    std::string summary{};     ///< one sentence for people
    std::vector<route_param> params{};
    handler serve{};
};

/// The table of all routes: what the server dispatches by, and what documents the API.
///
/// Filled before the server starts, constant afterwards. HEAD is served by the route of GET.
class router {
public:
    /// Throws std::logic_error for a pattern, method or name that is already taken: a fault of the
    /// program.
    void add(route added);

    /// In the order added. The elements do not move.
    [[nodiscard]] std::deque<route> const& routes() const { return routes_; }

    struct match {
        route const* found = nullptr;     ///< null: no route has this path and method
        std::vector<name_value> params{}; ///< decoded
        std::string allow{}; ///< with null: the methods that the path has, "" if it is unknown
    };

    /// Finds the route for `path` (still percent-encoded, without query). A pattern without names
    /// wins over one with names.
    [[nodiscard]] match find(http::method m, std::string_view path) const;

private:
    using methods = std::map<http::method, route const*>;

    struct pattern_entry {
        std::vector<std::string> segments; ///< "{name}" or literal
        methods by_method;
    };

    std::deque<route> routes_;
    std::unordered_map<std::string, methods> fixed_;
    std::vector<pattern_entry> patterns_;
};

} // namespace assay::http
