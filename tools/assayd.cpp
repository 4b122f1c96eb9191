#include "tools/serve.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr int exit_problem = 1;
constexpr int exit_usage = 2;

constexpr auto examples = R"(
Examples:
  assayd --data /var/lib/assay
  assayd --data ./data --listen 127.0.0.1:0 --recordings ./examples
  assayd --data /var/lib/assay --listen 0.0.0.0:8321 --tls-cert chain.pem --tls-key key.pem
  assayd --config /etc/assay/assayd.yaml

The first start on an empty directory makes a workspace; its administrator's API key is written to
DIR/admin.key, readable by the owner alone.)";

int complain(std::string const& what, int code)
{
    fmt::print(stderr, "assayd: {}\n", what);
    return code;
}

/// What the command line says. Options that it does not give stay as they are.
struct flags {
    assay::tools::serve_options& options;
    std::string config{};
    std::vector<std::string> recordings{};

    void add_to(CLI::App& app)
    {
        auto& o = options;
        app.footer(examples);
        app.set_version_flag("--version", std::string("assayd ") + ASSAY_VERSION);
        app.add_option("--config", config, "YAML file with these options; the command line wins");
        app.add_option_function<std::string>(
            "--data", [&o](std::string const& dir) { o.data_dir = dir; },
            "directory that holds everything");
        app.add_option("--listen", o.listen, "ADDRESS:PORT; port 0: any")->capture_default_str();
        app.add_option("--admin-listen", o.admin_listen,
                       "ADDRESS:PORT for health and metrics without a key");
        app.add_option("--tls-cert", o.tls.certificate,
                       "speak TLS with this certificate and its chain (PEM)");
        app.add_option("--tls-key", o.tls.key, "private key of the certificate (PEM)");
        app.add_flag("--insecure", o.insecure, "allow other addresses than loopback without TLS");
        app.add_option("--in-flight", o.in_flight, "model calls at once")->capture_default_str();
        app.add_option("--threads", o.threads, "I/O threads")->capture_default_str();
        app.add_option("--recordings", recordings,
                       "directory whose files recorded providers may read; may be repeated");
        app.add_option("--log", o.log, "access log: a file, or - for standard error")
            ->capture_default_str();
        add_tokens(app, o.tokens);
    }

    static void add_tokens(CLI::App& app, assay::tools::token_settings& t)
    {
        app.add_option("--token-keys", t.keys,
                       "take tokens signed by these keys: file or https URL of a JWK Set");
        app.add_option("--token-secret-file", t.secret_file,
                       "take HS256 tokens signed with the secret in this file");
        app.add_option("--token-issuer", t.issuers,
                       "issuer whose tokens are taken; may be repeated");
        app.add_option("--token-audience", t.audiences,
                       "what a token's audience must name; may be repeated");
        app.add_option("--token-leeway", t.leeway_seconds,
                       "seconds by which the issuer's clock may differ")
            ->capture_default_str();
        app.add_option("--token-refresh", t.refresh_seconds,
                       "seconds between two readings of the keys")
            ->capture_default_str();
        app.add_option("--token-ca-file", t.ca_file,
                       "PEM file of authorities trusted for the keys' URL");
        auto& c = t.claims;
        app.add_option("--token-claim-profile", c.profile, "claim that holds the profile's id")
            ->capture_default_str();
        app.add_option("--token-claim-workspace", c.workspace, "claim of the workspace's id")
            ->capture_default_str();
        app.add_option("--token-claim-roles", c.roles, "claim that narrows what is permitted")
            ->capture_default_str();
        app.add_option("--token-claim-departments", c.departments,
                       "claim that narrows which rows are seen")
            ->capture_default_str();
    }
};

/// Reads the command line over `into.options`. @returns the exit code if that is all there is to do.
std::optional<int> parse(flags& into, int argc, char** argv)
{
    CLI::App app{"assayd: the evaluation server"};
    into.add_to(app);
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& e) {
        return app.exit(e) == 0 ? 0 : exit_usage;
    }
    return std::nullopt;
}

} // namespace

int main(int argc, char** argv)
{
    // An archive's entries have local times (http/export); ours are UTC like everything else.
    ::setenv("TZ", "UTC0", 1);
    // Read twice: for the file's name, and, over what the file says, for the rest.
    assay::tools::serve_options ignored;
    flags first{ignored};
    if (auto const code = parse(first, argc, argv))
        return *code;
    assay::tools::serve_options options;
    if (!first.config.empty())
        if (auto const read = assay::tools::read_config(first.config, options); !read)
            return complain(read.error().detail, exit_usage);
    flags given{options};
    if (auto const code = parse(given, argc, argv))
        return *code;
    options.recordings.insert(options.recordings.end(), given.recordings.begin(),
                              given.recordings.end());
    if (auto const good = assay::tools::check(options); !good)
        return complain(good.error().detail, exit_usage);
    auto const served = assay::tools::serve(std::move(options));
    return served ? 0 : complain(served.error().detail, exit_problem);
}
