#include "core/base64url.hpp"

#include "core/hash.hpp"

#include <algorithm>

namespace assay {

std::string to_base64url(std::string_view raw)
{
    auto text = to_base64(raw);
    text.resize(text.find_last_not_of('=') + 1);
    std::ranges::replace(text, '+', '-');
    std::ranges::replace(text, '/', '_');
    return text;
}

std::optional<std::string> from_base64url(std::string_view text)
{
    if (text.find_first_of("+/=") != std::string_view::npos)
        return std::nullopt;
    std::string standard(text);
    std::ranges::replace(standard, '-', '+');
    std::ranges::replace(standard, '_', '/');
    standard.append((4 - text.size() % 4) % 4, '=');
    return from_base64(standard);
}

} // namespace assay
