#include "tools/bench/bench.hpp"

#include "core/time.hpp"
#include "tools/bench/harness.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <fstream>
#include <memory>
#include <thread>

namespace assay::tools {

namespace {

struct bench_flags {
    std::vector<std::string> parts;
    std::string gsm8k = "examples/gsm8k";
    std::uint64_t events = 1'000'000;
    std::string markdown;
};

bench::figures measure(std::string const& part, bench_flags const& flags)
{
    if (part == "run")
        return bench::measure_run(flags.gsm8k);
    if (part == "commands")
        return bench::measure_commands();
    if (part == "queries")
        return bench::measure_queries();
    if (part == "rebuild")
        return bench::measure_rebuild(flags.events);
    return bench::measure_size();
}

std::string cpu_model()
{
    std::ifstream in("/proc/cpuinfo");
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("model name"))
            return line.substr(line.find(':') + 2);
    }
    return "unknown processor";
}

std::string ratio_text(bench::figure const& f)
{
    return f.ratio ? fmt::format("{:.2f}x", *f.ratio) : std::string("-");
}

std::string markdown(std::vector<bench::figure> const& all)
{
    auto const now = std::chrono::duration_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now().time_since_epoch());
    auto out = fmt::format(
        "# Benchmarks\n\nWritten by `script/bench` on {}: assay {}, {} x {}, Release build. Each "
        "floor was "
        "measured in the same run.\n\n| figure | measured | floor | ratio | target | met |\n"
        "|---|---|---|---|---|---|\n",
        instant{now.count()}.text().substr(0, 10), ASSAY_VERSION,
        std::thread::hardware_concurrency(), cpu_model());
    for (auto const& f : all)
        out += fmt::format("| {} | {} | {} | {} | {} | {} |\n", f.name, f.what,
                           f.floor.empty() ? "-" : f.floor, ratio_text(f),
                           f.target.empty() ? "-" : f.target,
                           f.target.empty() ? "-"
                           : f.met          ? "yes"
                                            : "no");
    return out +
           "\nOne part alone: `assay bench run`, `commands`, `queries`, `rebuild` or `size`.\n";
}

int run_bench(bench_flags const& flags)
{
    spdlog::set_level(spdlog::level::warn);
    std::vector<bench::figure> all;
    bool good = true;
    for (auto const& part : flags.parts) {
        auto const figures = measure(part, flags);
        if (!figures) {
            fmt::print(stderr, "assay bench {}: {}\n", part, figures.error().detail);
            return 1;
        }
        for (auto const& f : *figures) {
            fmt::print("{}\n    {}{}{}  {} {}\n", f.name, f.what,
                       f.floor.empty() ? "" : " / " + f.floor, f.ratio ? " = " + ratio_text(f) : "",
                       f.target,
                       f.target.empty() ? ""
                       : f.met          ? "(met)"
                                        : "(MISSED)");
            std::fflush(stdout);
            good = good && f.met;
            all.push_back(f);
        }
    }
    if (!flags.markdown.empty())
        std::ofstream(flags.markdown) << markdown(all);
    return good ? 0 : 1;
}

} // namespace

void add_bench(CLI::App& root, int& exit_code)
{
    auto flags = std::make_shared<bench_flags>();
    auto* const verb = root.add_subcommand(
        "bench", "Measure this build on this machine, each figure beside its floor");
    verb->add_option("part", flags->parts, "run, commands, queries, rebuild, size (all without)")
        ->check(CLI::IsMember({"run", "commands", "queries", "rebuild", "size"}));
    verb->add_option("--gsm8k", flags->gsm8k, "Folder of the GSM8K example")->capture_default_str();
    verb->add_option("--events", flags->events, "Events in the log of the rebuild")
        ->capture_default_str();
    verb->add_option("--markdown", flags->markdown, "Also write the table to this file");
    verb->footer("Example:\n  assay bench run rebuild --events 200000");
    verb->callback([flags, &exit_code] {
        if (flags->parts.empty())
            flags->parts = {"size", "run", "commands", "queries", "rebuild"};
        exit_code = run_bench(*flags);
    });
}

} // namespace assay::tools
