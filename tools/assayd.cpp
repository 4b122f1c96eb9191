#include "tools/serve.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>

namespace {

constexpr int exit_problem = 1;
constexpr int exit_usage = 2;

constexpr auto examples = R"(
Examples:
  assayd --data /var/lib/assay
  assayd --data ./data --listen 127.0.0.1:0 --recordings ./examples
  assayd --config /etc/assay/assayd.yaml

The first start on an empty directory makes a workspace; its administrator's API key is written to
DIR/admin.key, readable by the owner alone.)";

int complain(std::string const& what, int code)
{
    fmt::print(stderr, "assayd: {}\n", what);
    return code;
}

} // namespace

int main(int argc, char** argv)
{
    assay::tools::serve_options given;
    std::string config;
    std::string data;
    std::vector<std::string> recordings;
    CLI::App app{"assayd: the evaluation server"};
    app.footer(examples);
    app.set_version_flag("--version", std::string("assayd ") + ASSAY_VERSION);
    app.add_option("--config", config, "YAML file with these options; the command line wins");
    auto* const o_data = app.add_option("--data", data, "directory that holds everything");
    auto* const o_listen = app.add_option("--listen", given.listen, "ADDRESS:PORT; port 0: any")
                               ->capture_default_str();
    auto* const o_admin = app.add_option("--admin-listen", given.admin_listen,
                                         "ADDRESS:PORT for health and metrics without a key");
    auto* const o_insecure = app.add_flag("--insecure", given.insecure,
                                          "allow other addresses than loopback without TLS");
    auto* const o_flight = app.add_option("--in-flight", given.in_flight, "model calls at once")
                               ->capture_default_str();
    auto* const o_threads =
        app.add_option("--threads", given.threads, "I/O threads")->capture_default_str();
    app.add_option("--recordings", recordings,
                   "directory whose files recorded providers may read; may be repeated");
    auto* const o_log =
        app.add_option("--log", given.log, "access log: a file, or - for standard error")
            ->capture_default_str();
    try {
        app.parse(argc, argv);
    } catch (CLI::CallForHelp const& e) {
        return app.exit(e);
    } catch (CLI::CallForVersion const& e) {
        return app.exit(e);
    } catch (CLI::ParseError const& e) {
        app.exit(e);
        return exit_usage;
    }

    assay::tools::serve_options options;
    if (!config.empty())
        if (auto const read = assay::tools::read_config(config, options); !read)
            return complain(read.error().detail, exit_usage);
    if (*o_data)
        options.data_dir = data;
    if (*o_listen)
        options.listen = given.listen;
    if (*o_admin)
        options.admin_listen = given.admin_listen;
    if (*o_insecure)
        options.insecure = given.insecure;
    if (*o_flight)
        options.in_flight = given.in_flight;
    if (*o_threads)
        options.threads = given.threads;
    if (*o_log)
        options.log = given.log;
    options.recordings.insert(options.recordings.end(), recordings.begin(), recordings.end());
    if (auto const good = assay::tools::check(options); !good)
        return complain(good.error().detail, exit_usage);
    auto const served = assay::tools::serve(std::move(options));
    return served ? 0 : complain(served.error().detail, exit_problem);
}
