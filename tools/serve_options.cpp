#include "tools/serve.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace assay::tools {

// What the server is told: from a file, and whether it can be.

namespace {

constexpr std::uint32_t leeway_seconds_max = 600;
constexpr std::uint32_t refresh_seconds_min = 10;
constexpr std::uint32_t refresh_seconds_max = 86'400;

template <class T>
result<void> take(YAML::Node const& from, char const* name, T& into)
{
    auto const node = from[name];
    if (!node)
        return {};
    try {
        into = node.as<T>();
    } catch (YAML::Exception const&) {
        return fail(errc::invalid, fmt::format("configuration: {} is not what it should be", name));
    }
    return {};
}

constexpr std::array<std::string_view, 21> config_members{"data",
                                                          "listen",
                                                          "admin_listen",
                                                          "tls_cert",
                                                          "tls_key",
                                                          "insecure",
                                                          "in_flight",
                                                          "threads",
                                                          "recordings",
                                                          "log",
                                                          "token_keys",
                                                          "token_secret_file",
                                                          "token_issuers",
                                                          "token_audiences",
                                                          "token_leeway",
                                                          "token_refresh",
                                                          "token_ca_file",
                                                          "token_claim_profile",
                                                          "token_claim_workspace",
                                                          "token_claim_roles",
                                                          "token_claim_departments"};

result<void> check_members(YAML::Node const& root)
{
    if (!root.IsMap())
        return fail(errc::invalid, "configuration: expected members, e.g. listen: 127.0.0.1:8321");
    for (auto const& entry : root) {
        auto const name = entry.first.as<std::string>();
        if (std::ranges::find(config_members, name) == config_members.end())
            return fail(errc::invalid, fmt::format("configuration: {} is unknown; there are {}",
                                                   name, fmt::join(config_members, ", ")));
    }
    return {};
}

result<void> take_tokens(YAML::Node const& root, token_settings& t)
{
    ASSAY_CHECK(take(root, "token_keys", t.keys));
    ASSAY_CHECK(take(root, "token_secret_file", t.secret_file));
    ASSAY_CHECK(take(root, "token_issuers", t.issuers));
    ASSAY_CHECK(take(root, "token_audiences", t.audiences));
    ASSAY_CHECK(take(root, "token_leeway", t.leeway_seconds));
    ASSAY_CHECK(take(root, "token_refresh", t.refresh_seconds));
    ASSAY_CHECK(take(root, "token_ca_file", t.ca_file));
    ASSAY_CHECK(take(root, "token_claim_profile", t.claims.profile));
    ASSAY_CHECK(take(root, "token_claim_workspace", t.claims.workspace));
    ASSAY_CHECK(take(root, "token_claim_roles", t.claims.roles));
    return take(root, "token_claim_departments", t.claims.departments);
}

result<void> check_tokens(token_settings const& t)
{
    bool const described = !t.issuers.empty() || !t.audiences.empty();
    if (!t.taken() && described)
        return fail(errc::invalid, "tokens need keys: --token-keys or --token-secret-file");
    if (t.taken() && (t.issuers.empty() || t.audiences.empty()))
        return fail(errc::invalid, "say whose tokens are taken and for whom they must be: "
                                   "--token-issuer and --token-audience");
    if (t.leeway_seconds > leeway_seconds_max)
        return fail(errc::invalid,
                    fmt::format("--token-leeway may be at most {} seconds", leeway_seconds_max));
    if (t.refresh_seconds < refresh_seconds_min || t.refresh_seconds > refresh_seconds_max)
        return fail(errc::invalid, fmt::format("--token-refresh must be {} to {} seconds",
                                               refresh_seconds_min, refresh_seconds_max));
    return {};
}

result<void> check_address(std::string const& text, bool anybody)
{
    ASSAY_TRY(auto const at, endpoint::parse(text));
    if (at.loopback() || anybody)
        return {};
    return fail(errc::invalid, fmt::format("{} can be reached from other machines, and keys would "
                                           "travel unencrypted: give --tls-cert and --tls-key "
                                           "(of --listen), or say --insecure behind a TLS proxy",
                                           text));
}

} // namespace

result<endpoint> endpoint::parse(std::string const& text)
{
    auto const wrong = [&] {
        return fail(errc::invalid, fmt::format("{} is not ADDRESS:PORT", text));
    };
    auto const colon = text.rfind(':');
    if (colon == std::string::npos)
        return wrong();
    endpoint out{text.substr(0, colon), 0};
    if (out.address.starts_with('[') && out.address.ends_with(']'))
        out.address = out.address.substr(1, out.address.size() - 2);
    auto const first = text.data() + colon + 1;
    auto const last = text.data() + text.size();
    auto const [end, ec] = std::from_chars(first, last, out.port);
    boost::system::error_code bad;
    boost::asio::ip::make_address(out.address, bad);
    if (bad || ec != std::errc{} || end != last)
        return wrong();
    return out;
}

bool endpoint::loopback() const
{
    boost::system::error_code bad;
    auto const parsed = boost::asio::ip::make_address(address, bad);
    return !bad && parsed.is_loopback();
}

bool token_settings::taken() const
{
    return !keys.empty() || !secret_file.empty();
}

result<void> read_config(std::filesystem::path const& file, serve_options& options)
{
    YAML::Node root;
    try {
        root = YAML::LoadFile(file.string());
        ASSAY_CHECK(check_members(root));
    } catch (YAML::BadFile const&) {
        return fail(errc::io, fmt::format("cannot read {}", file.string()));
    } catch (YAML::Exception const& e) {
        return fail(errc::invalid, fmt::format("{}: {}", file.string(), e.what()));
    }
    auto data = options.data_dir.string();
    std::vector<std::string> recordings;
    ASSAY_CHECK(take(root, "data", data));
    ASSAY_CHECK(take(root, "listen", options.listen));
    ASSAY_CHECK(take(root, "admin_listen", options.admin_listen));
    ASSAY_CHECK(take(root, "tls_cert", options.tls.certificate));
    ASSAY_CHECK(take(root, "tls_key", options.tls.key));
    ASSAY_CHECK(take(root, "insecure", options.insecure));
    ASSAY_CHECK(take(root, "in_flight", options.in_flight));
    ASSAY_CHECK(take(root, "threads", options.threads));
    ASSAY_CHECK(take(root, "recordings", recordings));
    ASSAY_CHECK(take(root, "log", options.log));
    ASSAY_CHECK(take_tokens(root, options.tokens));
    options.data_dir = data;
    options.recordings.insert(options.recordings.end(), recordings.begin(), recordings.end());
    return {};
}

result<void> check(serve_options const& options)
{
    ASSAY_CHECK(check_tokens(options.tokens));
    if (options.data_dir.empty())
        return fail(errc::invalid, "say where the data is: --data DIR");
    if (options.in_flight == 0)
        return fail(errc::invalid, "--in-flight must be at least 1");
    if (options.tls.certificate.empty() != options.tls.key.empty())
        return fail(errc::invalid, "TLS needs both, --tls-cert and --tls-key");
    ASSAY_CHECK(check_address(options.listen, !options.tls.key.empty() || options.insecure));
    if (!options.admin_listen.empty())
        return check_address(options.admin_listen, options.insecure);
    return {};
}

} // namespace assay::tools
