#pragma once

#include "core/result.hpp"
#include "http/server/request.hpp"
#include "http/server/response.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace assay::api {

/// Bytes that a client can download, whole or in part.
struct attachment {
    std::string name;
    std::string media_type;
    std::string etag; ///< with its quotes; the same bytes, the same tag
    std::uint64_t size = 0;
    /// Some bytes from `first` on, at least one; called only below `size`. Runs on the pool, after
    /// the handler has returned.
    std::function<result<std::string>(std::uint64_t first)> read;
};

/// An attachment whose bytes are all there.
[[nodiscard]] attachment attachment_of(std::string name, std::string media_type, std::string etag,
                                       std::string bytes);

/// Answers with the whole, the one range that is asked for (206), or, when the client has it
/// already, with 304; 416 for a range that is not there. Several ranges at once are answered with
/// the whole, as RFC 9110 §14.2 permits. A POST download is treated as the GET that it stands for.
[[nodiscard]] http::response send_attachment(http::request const& req, attachment a);

/// The value of Content-Disposition for a file of that name (RFC 6266, RFC 8187): a plain ASCII
/// form, and the exact one beside it when they differ.
[[nodiscard]] std::string disposition_of(std::string_view name);

} // namespace assay::api
