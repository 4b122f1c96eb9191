#include "http/runner/runner.hpp"
#include "projections/queries.hpp"
#include "tools/bench/harness.hpp"

#include <fmt/format.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace assay::tools::bench {

namespace {

constexpr std::uint32_t in_flight = 64;

/// `assay mock` as a process of its own, so that its memory and its thread are not ours.
class mock_process {
public:
    static result<std::unique_ptr<mock_process>> start(std::filesystem::path const& recordings,
                                                       std::string latency)
    {
        std::array<int, 2> out{};
        if (::pipe(out.data()) != 0)
            return fail(errc::io, "no pipe");
        auto m = std::make_unique<mock_process>();
        m->pid_ = ::fork();
        if (m->pid_ == 0) {
            ::dup2(out[1], STDOUT_FILENO);
            ::close(out[0]);
            ::close(out[1]);
            ::execl("/proc/self/exe", "assay", "mock", "--recordings", recordings.c_str(),
                    "--listen", "127.0.0.1:0", "--latency", latency.c_str(),
                    static_cast<char*>(nullptr));
            ::_exit(127);
        }
        ::close(out[1]);
        std::string line;
        for (char c = 0; ::read(out[0], &c, 1) == 1 && c != '\n';)
            line.push_back(c);
        ::close(out[0]);
        auto const at = line.find("http://");
        if (at == std::string::npos)
            return fail(errc::io, "the mock did not start: " + line);
        m->url_ = line.substr(at);
        return m;
    }

    ~mock_process()
    {
        if (pid_ > 0) {
            ::kill(pid_, SIGTERM);
            ::waitpid(pid_, nullptr, 0);
        }
    }

    [[nodiscard]] std::string const& url() const { return url_; }

private:
    pid_t pid_ = -1;
    std::string url_;
};

struct timing {
    double seconds = 0; ///< from the first request to the last durable result
    std::uint64_t cells = 0;
    double peak_mib = 0;
};

result<timing> timed_run(std::filesystem::path const& gsm8k, std::string const& latency)
{
    ASSAY_TRY(auto mock, mock_process::start(gsm8k / "example_model_solutions.jsonl", latency));
    ASSAY_TRY(auto w, workbench::open());
    ASSAY_TRY(auto eval, make_gsm8k_eval(*w, gsm8k, mock->url()));
    http::runner_options options;
    options.in_flight = in_flight;
    http::runner runner(*w->engine, options);
    ASSAY_TRY(auto test, w->start({.eval = eval}));
    reset_peak();
    runner.start();
    while (runner.stats().calls.load() == 0)
        std::this_thread::yield();
    auto const began = std::chrono::steady_clock::now();
    timing t;
    for (;;) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        if (runner.stats().cells.load() < 5276)
            continue;
        t.seconds = seconds_since(began);
        break;
    }
    ASSAY_TRY(auto counts, projections::get_test_counts(*w->engine->read(), test));
    if (counts.counts.completed != 5276 || counts.passed != 286 + 515 + 458 + 742)
        return fail(errc::internal, fmt::format("the run is wrong: {} completed, {} passed",
                                                counts.counts.completed, counts.passed));
    t.cells = counts.counts.completed;
    t.peak_mib = peak_mib();
    runner.stop();
    return t;
}

} // namespace

figures measure_run(std::filesystem::path const& gsm8k)
{
    std::vector<figure> out;
    ASSAY_TRY(auto slow, timed_run(gsm8k, "20ms"));
    auto const bound = 5276 * 0.020 / in_flight;
    out.push_back({"run, 5,276 cells, mock at 20 ms, 64 in flight",
                   fmt::format("{:.2f} s, peak {:.0f} MiB", slow.seconds, slow.peak_mib),
                   fmt::format("latency bound {:.2f} s", bound), slow.seconds / bound,
                   "<= 1.3x, <= 200 MiB", slow.seconds <= 1.3 * bound && slow.peak_mib <= 200});
    ASSAY_TRY(auto fast, timed_run(gsm8k, "0ms"));
    auto const rate = static_cast<double>(fast.cells) / fast.seconds;
    out.push_back({"run, 5,276 cells, mock at 0 ms, all durable",
                   fmt::format("{:.0f} cells/s, peak {:.0f} MiB", rate, fast.peak_mib), "",
                   std::nullopt, ">= 4,000 cells/s, <= 200 MiB",
                   rate >= 4000 && fast.peak_mib <= 200});
    return out;
}

} // namespace assay::tools::bench
