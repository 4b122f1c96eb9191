#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace assay {

/// base64url without padding (RFC 4648 §5, RFC 7515 §2).
[[nodiscard]] std::string to_base64url(std::string_view raw);

/// The inverse of `to_base64url`; none for anything that it would not write.
[[nodiscard]] std::optional<std::string> from_base64url(std::string_view text);

} // namespace assay
