#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace assay::api {

/// Bytes [first, last] of a body, both counted from 0.
struct byte_range {
    std::uint64_t first = 0;
    std::uint64_t last = 0;

    [[nodiscard]] std::uint64_t size() const { return last - first + 1; }

    friend bool operator==(byte_range const&, byte_range const&) = default;
};

/// What a Range field asks of a body (RFC 9110 §14.2).
struct range_request {
    enum class kind : std::uint8_t {
        whole,         ///< no range, or one that is passed over: another unit, several, no sense
        part,          ///< `range`, cut to what is there
        unsatisfiable, ///< 416: it begins behind the end, or wants the last 0 bytes
    };
    kind what = kind::whole;
    byte_range range{};
};

/// Reads "bytes=0-499", "bytes=500-" or "bytes=-500" for a body of `size` bytes.
[[nodiscard]] range_request parse_range(std::optional<std::string_view> field, std::uint64_t size);

/// Whether an If-None-Match or If-Match list names `etag` (RFC 9110 §13.1): "*", or a member that is
/// the same but for the mark of a weak one.
[[nodiscard]] bool names_etag(std::string_view list, std::string_view etag);

} // namespace assay::api
