#include "http/api/token_grant.hpp"
#include "http/tokens/token.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

using namespace assay;

constexpr std::int64_t now = 1'800'000'000;

/// The input as a payload whose signature was good: what is believed of it holds.
void check_payload(std::string_view payload)
{
    tokens::token_policy const policy{{"i"}, {"a"}, std::chrono::seconds{60}};
    auto const claims = tokens::check_claims(payload, policy, now);
    if (!claims) {
        if (claims.error().code != errc::unauthenticated)
            std::abort();
        return;
    }
    if (claims->issuer != "i" || claims->subject.empty() || claims->expires_at < now)
        std::abort();
    auto const grant = api::grant_of(*claims, {});
    if (grant ? grant->profile.text().empty() : grant.error().code != errc::unauthenticated)
        std::abort();
}

} // namespace

/// A token as a stranger sends it, and as a known issuer may have signed it.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto const token = tokens::parse_token(text);
    if (token) {
        if (token->signed_bytes.size() >= text.size())
            std::abort();
        check_payload(token->payload);
    } else if (token.error().code != errc::unauthenticated) {
        std::abort();
    }
    check_payload(text);
    return 0;
}
