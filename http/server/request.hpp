#pragma once

#include "http/server/identity.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::http {

struct route;

enum class method : std::uint8_t { get = 1, head, post, put, patch, del, options, other };

/// "GET", "POST" ...; "OTHER" for methods that no route can have.
[[nodiscard]] std::string_view to_string(method m);

/// Fields of a message's head in the order received; names compare without case (RFC 9110 §5.1).
class header_list {
public:
    void add(std::string_view name, std::string_view value);
    void clear();

    /// The first field of that name. The view lives as long as the list is not changed or moved.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;

    /// How many fields have that name.
    [[nodiscard]] std::size_t count(std::string_view name) const;

    [[nodiscard]] std::size_t size() const { return fields_.size(); }

    /// Name and value at `index`, in the order received.
    [[nodiscard]] std::pair<std::string_view, std::string_view> at(std::size_t index) const;

private:
    struct field {
        std::uint32_t offset;
        std::uint32_t name_bytes;
        std::uint32_t value_bytes;
    };

    // One string for all fields: a head costs two allocations, not two a field.
    std::string bytes_;
    std::vector<field> fields_;
};

using name_value = std::pair<std::string, std::string>;

/// One request as a handler sees it. Owns everything it shows; may be moved to another thread.
struct request {
    http::method method = http::method::get;
    std::string target; ///< as sent, e.g. "/runs/a%20b?limit=5"
    std::string path;   ///< of the target, still percent-encoded, e.g. "/runs/a%20b"
    std::vector<name_value> path_params; ///< decoded, by the names in the route's pattern
    std::vector<name_value> query;       ///< decoded (application/x-www-form-urlencoded), in order
    header_list headers;
    std::string body;
    std::string request_id; ///< the client's X-Request-Id if acceptable, else minted
    std::string peer;       ///< "127.0.0.1:50412"
    std::shared_ptr<identity const> caller; ///< empty on open routes
    route const* matched = nullptr;         ///< lives as long as the server

    /// @returns the decoded value of `{name}` in the route's pattern; empty if the pattern has no
    ///          such name.
    [[nodiscard]] std::string_view path_param(std::string_view name) const;

    /// @returns the first query parameter of that name.
    [[nodiscard]] std::optional<std::string_view> query_param(std::string_view name) const;

    /// Where a reader of an event stream wants to go on: the header Last-Event-ID, else the query
    /// parameter `last_event_id` (for clients that cannot set headers).
    [[nodiscard]] std::optional<std::string_view> last_event_id() const;
};

/// Path and query of a request target (RFC 9112 §3.2): origin-form, or absolute-form as proxies
/// send it. Both still percent-encoded; a fragment, which nobody should send, is dropped.
[[nodiscard]] std::pair<std::string_view, std::string_view> split_target(std::string_view target);

/// Decodes %XX, and '+' as a space if `plus_is_space`.
/// @returns nothing if a percent sign is not followed by two hex digits.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text,
                                                        bool plus_is_space = false);

/// Splits `query` (without '?') into decoded pairs; a name without '=' has an empty value.
/// @returns errc::malformed for a bad percent sign, or more than 256 parameters.
[[nodiscard]] result<std::vector<name_value>> parse_query(std::string_view query);

} // namespace assay::http
