#include "http/tokens/token.hpp"

#include "http/tokens/key_file.hpp"
#include "tools/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace assay::tools {

namespace {

constexpr char const* mint_example = R"(Examples:
  openssl genpkey -algorithm ed25519 -out issuer.pem
  assay token mint --key-file issuer.pem --issuer ci --audience assay --profile 0192f0c0-... --ttl 900
  assay token mint --secret-file issuer.secret --issuer ci --audience assay --profile 0192f0c0-... --role learner
The kind of key says how is signed: RSA RS256, P-256 ES256, Ed25519 EdDSA, a secret HS256. The token goes to stdout.)";

constexpr char const* jwks_example = R"(Example:
  assay token jwks --key-file issuer.pem --key-file next.pem > keys.json
  assayd --token-keys keys.json --token-issuer ci --token-audience assay ...
Private parts are left out: the document may be seen by anybody.)";

constexpr std::uint32_t ttl_seconds_max = 365 * 86'400;

struct mint_flags {
    std::string key_file;
    std::string secret_file;
    std::string issuer;
    std::vector<std::string> audiences;
    std::string profile;
    std::string workspace;
    std::vector<std::string> roles;
    std::vector<std::string> departments;
    std::vector<std::string> claims;
    std::uint32_t ttl_seconds = 3600;
};

std::unexpected<error> misused(std::string detail)
{
    return fail(errc::invalid, std::move(detail), "usage");
}

json::value one_or_all(std::vector<std::string> const& texts)
{
    if (texts.size() == 1)
        return json::value(boost::json::string(texts.front()));
    json::array out;
    for (auto const& text : texts)
        out.emplace_back(text);
    return out;
}

/// NAME=VALUE: a JSON value, or a text without quotes.
result<void> add_claim(json::object& to, std::string const& given)
{
    auto const equals = given.find('=');
    if (equals == 0 || equals == std::string::npos)
        return misused(fmt::format("--claim {}: expected NAME=VALUE", given));
    auto const text = given.substr(equals + 1);
    auto parsed = json::parse(text);
    to[given.substr(0, equals)] =
        parsed ? std::move(*parsed) : json::value(boost::json::string(text));
    return {};
}

result<json::object> claims_of(mint_flags const& f, std::int64_t now)
{
    json::object out{{"iss", f.issuer},
                     {"aud", one_or_all(f.audiences)},
                     {"sub", f.profile},
                     {"iat", now},
                     {"exp", now + f.ttl_seconds}};
    if (!f.workspace.empty())
        out["workspace"] = f.workspace;
    if (!f.roles.empty())
        out["role"] = one_or_all(f.roles);
    if (!f.departments.empty())
        out["departments"] = one_or_all(f.departments);
    for (auto const& claim : f.claims)
        ASSAY_CHECK(add_claim(out, claim));
    return out;
}

result<void> mint(mint_flags const& f, settings const& s)
{
    if (f.key_file.empty() == f.secret_file.empty())
        return misused("say what to sign with: either --key-file or --secret-file");
    if (f.ttl_seconds == 0 || f.ttl_seconds > ttl_seconds_max)
        return misused(fmt::format("--ttl must be 1 to {} seconds", ttl_seconds_max));
    ASSAY_TRY(auto const key, f.key_file.empty() ? tokens::read_secret_file(f.secret_file)
                                                 : tokens::read_key_file(f.key_file));
    auto const now = std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    ASSAY_TRY(auto const claims, claims_of(f, now));
    ASSAY_TRY(auto const token, tokens::mint(key, claims));
    if (s.json)
        fmt::print("{}\n", json::canonical(json::object{{"token", token}, {"claims", claims}}));
    else
        fmt::print("{}\n", token);
    return {};
}

result<void> print_key_set(std::vector<std::string> const& files)
{
    tokens::key_set known; // refuses what a server would refuse
    json::array keys;
    for (auto const& file : files) {
        ASSAY_TRY(auto key, tokens::read_key_file(file));
        ASSAY_TRY(auto shown, key.public_jwk());
        ASSAY_CHECK(known.add(std::move(key)));
        keys.push_back(std::move(shown));
    }
    fmt::print("{}\n", json::canonical(json::object{{"keys", std::move(keys)}}));
    return {};
}

void add_mint(CLI::App& verb, settings const& s, int& exit_code)
{
    auto const f = std::make_shared<mint_flags>();
    auto* const to = verb.add_subcommand("mint", "Sign a token for a profile");
    to->footer(mint_example);
    to->add_option("--key-file", f->key_file, "Private key: PEM, or a JSON Web Key");
    to->add_option("--secret-file", f->secret_file, "Secret of HS256, 32 bytes or more");
    to->add_option("--issuer", f->issuer, "What the server has as --token-issuer")->required();
    to->add_option("--audience", f->audiences, "What the server has as --token-audience")
        ->required();
    to->add_option("--profile", f->profile, "Id of the profile that the token is for")->required();
    to->add_option("--workspace", f->workspace, "Id that the profile's workspace must have");
    to->add_option("--role", f->roles, "Permit no more than this role; may be repeated");
    to->add_option("--department", f->departments,
                   "Show no rows of other departments than this id; may be repeated");
    to->add_option("--claim", f->claims, "Another claim, NAME=VALUE; may be repeated");
    to->add_option("--ttl", f->ttl_seconds, "Seconds until it expires")->capture_default_str();
    to->callback([&s, &exit_code, f] {
        auto const done = mint(*f, s);
        exit_code = done ? exit_ok : complain(done.error());
    });
}

} // namespace

void add_token(CLI::App& root, settings const& s, int& exit_code)
{
    auto* const verb = root.add_subcommand("token", "JSON Web Tokens that a server may take");
    require_verb(*verb);
    verb->footer(mint_example);
    add_mint(*verb, s, exit_code);

    auto const files = std::make_shared<std::vector<std::string>>();
    auto* const jwks = verb->add_subcommand("jwks", "Print the public parts of keys as a key set");
    jwks->footer(jwks_example);
    jwks->add_option("--key-file", *files, "PEM or JSON Web Key; may be repeated")->required();
    jwks->callback([&exit_code, files] {
        auto const done = print_key_set(*files);
        exit_code = done ? exit_ok : complain(done.error());
    });
}

} // namespace assay::tools
