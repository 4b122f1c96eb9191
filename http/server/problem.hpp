#pragma once

#include "core/result.hpp"
#include "http/server/response.hpp"

#include <string>
#include <string_view>

namespace assay::http {

/// The one place where an error gets its HTTP status.
[[nodiscard]] unsigned to_status(errc code);

/// Stable word for `code` in problem bodies, e.g. "not_found".
[[nodiscard]] std::string_view to_name(errc code);

/// The answer that tells `e` to the client.
///
/// Members: `detail` (a string; with errc::invalid and fields the array of {loc, msg, type}), and
/// those of RFC 9457: `type` ("about:blank"), `title`, `status`; `code` is the error's reason, else
/// the name of its code. With `retry_after_ms` the header Retry-After, in seconds rounded up.
///
/// @param documented sent as application/json, as the documented bodies are; otherwise
///          application/problem+json.
[[nodiscard]] response problem(error const& e, bool documented);

/// The same for what only the transport knows (405, 408, 431 ...).
[[nodiscard]] response problem(unsigned status, std::string code, std::string detail,
                               bool documented);

} // namespace assay::http
