#include "tools/bench/bench.hpp"
#include "tools/mock.hpp"
#include "tools/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <exception>

namespace {

constexpr char const* examples = R"(Examples:
  assay run examples/gsm8k/eval.yaml
  assay tests list
  assay audit verify
  assay VERB --help      with examples of each verb
Exit codes: 0 done, 1 a problem was found or a demand not met, 2 a mistake in flags or files.)";

int run(int argc, char** argv)
{
    using namespace assay::tools;
    CLI::App app("Assay: evaluates AI models and keeps every event of it", "assay");
    settings s;
    int exit_code = exit_ok;
    // Flags of every verb may stand before or after it.
    app.fallthrough();
    require_verb(app);
    app.set_version_flag("--version", "assay " ASSAY_VERSION);
    app.footer(examples);
    add_settings(app, s);
    add_run(app, s, exit_code);
    add_tests(app, s, exit_code);
    add_catalog(app, s, exit_code);
    add_admin(app, s, exit_code);
    add_audit(app, s, exit_code);
    add_views(app, s, exit_code);
    add_log(app, s, exit_code);
    add_token(app, s, exit_code);
    add_mock(app, exit_code);
    add_bench(app, exit_code);
    try {
        app.parse(argc, argv);
    } catch (CLI::ParseError const& e) {
        return app.exit(e) == 0 ? exit_ok : exit_usage;
    }
    return exit_code;
}

} // namespace

int main(int argc, char** argv)
{
    // An archive's entries have local times (http/export); ours are UTC like everything else.
    ::setenv("TZ", "UTC0", 1);
    // stdout is for results; what the libraries have to say beside them goes to stderr, and only if
    // it matters.
    spdlog::set_default_logger(spdlog::stderr_logger_mt("assay"));
    spdlog::set_level(spdlog::level::warn);
    try {
        return run(argc, argv);
    } catch (std::exception const& e) {
        fmt::print(stderr, "assay: {}\n", e.what());
        return assay::tools::exit_problem;
    }
}
