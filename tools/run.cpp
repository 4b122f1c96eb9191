#include "core/json.hpp"
#include "tools/eval_file.hpp"
#include "tools/gate.hpp"
#include "tools/interruption.hpp"
#include "tools/json_fields.hpp"
#include "tools/progress.hpp"
#include "tools/report.hpp"
#include "tools/session.hpp"
#include "tools/terminal.hpp"
#include "tools/upload.hpp"
#include "tools/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <thread>

namespace assay::tools {

namespace {

using boost::json::object;
using clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds poll_local{50};
constexpr std::chrono::milliseconds poll_remote{250};

constexpr char const* examples = R"(Examples:
  assay run examples/gsm8k/eval.yaml
  assay run eval.yaml --limit 20 --in-flight 8
  assay run eval.yaml --fail-under 'accuracy(gpt-4o-mini) >= 0.55' --fail-under 'pass_rate(llama3.2) > 40 %'
  assay run eval.yaml --url http://127.0.0.1:8080 --json | jq .benchmark.models
An unfinished run of the same configuration goes on where it stood; --new begins another. Ctrl-C stops
cleanly and prints the command that goes on. Metrics of --fail-under: accuracy, accuracy_low (lower end of the
95 % interval), score, score_low, pass_rate; a cell that is missing, unfinished or without a grade fails it.)";

struct run_arguments {
    std::string file;
    std::vector<std::string> fail_under;
    bool fresh = false;
    bool reuse = false;
    bool quiet = false;
    std::uint32_t in_flight = 0;
    std::uint32_t limit = 0;
};

/// Where a test stands.
struct standing {
    std::uint64_t total = 0;
    std::uint64_t done = 0;
    std::uint64_t failed = 0;
    std::uint64_t open = 0;
    std::string status;
};

result<std::vector<gate>> read_gates(run_arguments const& given, eval_file const& file)
{
    std::vector<gate> out;
    for (auto const& text : given.fail_under) {
        auto g = parse_gate(text);
        if (!g)
            return fail(errc::invalid, g.error().detail, "usage");
        if (std::ranges::none_of(file.models,
                                 [&](model_spec const& m) { return m.name == g->model; }))
            return fail(
                errc::invalid,
                fmt::format("--fail-under '{}': {} has no model '{}'", text, given.file, g->model),
                "usage");
        out.push_back(std::move(*g));
    }
    return out;
}

/// One `assay run` from its flags to its exit code.
class evaluation {
public:
    evaluation(settings const& s, run_arguments const& given) : settings_(s), given_(given) {}

    result<int> run()
    {
        ASSAY_TRY(file_, read_eval_file(given_.file));
        if (given_.limit > 0 && given_.limit < file_.scenarios.size())
            file_.scenarios.resize(given_.limit);
        ASSAY_TRY(gates_, read_gates(given_, file_));
        interruption const signals;
        ASSAY_CHECK(open());
        ASSAY_CHECK(start());
        ASSAY_TRY(bool const finished, follow());
        session_->stop_runner();
        if (!finished)
            return interrupted();
        return report();
    }

private:
    [[nodiscard]] bool talks() const { return !given_.quiet && !settings_.json; }

    result<void> open()
    {
        session_options options{.what = "assay run", .recording_roots = {}};
        for (auto const& p : file_.providers)
            if (!p.recording.empty())
                options.recording_roots.push_back(p.recording.parent_path());
        ASSAY_TRY(session_, session::open(settings_, std::move(options)));
        return {};
    }

    result<object> call(std::string_view path, object const& body)
    {
        ASSAY_TRY(auto answer, session_->api().call("POST", path, body));
        if (!answer.is_object())
            return fail(errc::malformed, fmt::format("{} answered no object", path));
        return std::move(answer.get_object());
    }

    result<void> start()
    {
        ASSAY_TRY(auto const items, upload(session_->api(), file_));
        ASSAY_TRY(auto const started, call("/test/start", object{{"eval_id", items.eval_id},
                                                                 {"name", file_.name},
                                                                 {"repeats", file_.repeats},
                                                                 {"resume", !given_.fresh},
                                                                 {"reuse", given_.reuse}}));
        test_ = text_at(started, "test_id");
        resumed_ = flag_at(started, "resumed");
        eval_ = items.eval_id;
        began_ = clock::now();
        if (talks())
            ASSAY_CHECK(announce());
        if (session_->embedded()) {
            http::runner_options options;
            if (auto const n = given_.in_flight > 0 ? given_.in_flight : file_.in_flight; n > 0)
                options.in_flight = n;
            session_->start_runner(options);
        } else if (given_.in_flight > 0 && talks()) {
            fmt::print(
                stderr,
                "assay: --in-flight is the server's to decide; it goes on as it is configured\n");
        }
        return {};
    }

    result<void> announce()
    {
        ASSAY_TRY(auto const now, stand());
        if (resumed_)
            fmt::print(stderr, "resuming test {}: {} of {} cells are done\n", test_, now.done,
                       now.total);
        else
            fmt::print(stderr, "test {}: {} models x {} questions{} = {} cells\n", test_,
                       file_.models.size(), file_.scenarios.size(),
                       file_.repeats > 1 ? fmt::format(" x {} repeats", file_.repeats)
                                         : std::string(),
                       now.total);
        return {};
    }

    result<standing> stand()
    {
        ASSAY_TRY(auto const answer,
                  call("/test/get", object{{"test_id", test_}, {"summary", true}}));
        auto const& summary = object_at(answer, "status_summary");
        standing out{.total = count_at(summary, "total"),
                     .done = count_at(summary, "completed"),
                     .failed = count_at(summary, "failed"),
                     .open = count_at(summary, "in_progress") + count_at(summary, "not_started"),
                     .status = text_at(answer, "status")};
        return out;
    }

    /// Waits for the last cell. @returns false when asked to stop before.
    result<bool> follow()
    {
        progress bar("cells", talks());
        for (;;) {
            ASSAY_TRY(auto const now, stand());
            bar.show(now.done, now.total,
                     now.failed > 0 ? fmt::format("{} failed", now.failed) : std::string());
            if (now.open == 0) {
                bar.finish();
                return true;
            }
            if (interruption::asked()) {
                bar.finish();
                return false;
            }
            std::this_thread::sleep_for(session_->embedded() ? poll_local : poll_remote);
        }
    }

    result<int> interrupted()
    {
        ASSAY_TRY(auto const now, stand());
        if (session_->embedded())
            fmt::print(stderr, "stopped; {} of {} cells are done and kept. To go on:\n  {}\n",
                       now.done, now.total, command_line());
        else
            fmt::print(stderr,
                       "the server goes on with test {}. To follow it again:\n  {}\nTo stop it:\n  "
                       "assay tests stop {}{}\n",
                       test_, command_line(), test_, place_flags(settings_));
        return exit_interrupted;
    }

    /// The command that goes on with this run.
    std::string command_line() const
    {
        auto out = fmt::format("assay run {}{}", shell_word(given_.file), place_flags(settings_));
        if (given_.limit > 0)
            out += fmt::format(" --limit {}", given_.limit);
        if (given_.in_flight > 0)
            out += fmt::format(" --in-flight {}", given_.in_flight);
        if (given_.reuse)
            out += " --reuse";
        for (auto const& text : given_.fail_under)
            out += " --fail-under " + shell_word(text);
        return out;
    }

    result<int> report()
    {
        auto const seconds = std::chrono::duration<double>(clock::now() - began_).count();
        ASSAY_TRY(auto const benchmark, call("/test/benchmark", object{{"test_id", test_}}));
        std::vector<gate_outcome> outcomes;
        for (auto const& g : gates_)
            outcomes.push_back(check_gate(g, benchmark));
        bool const met = std::ranges::all_of(outcomes, &gate_outcome::met);
        if (settings_.json)
            print_json(benchmark, outcomes, seconds);
        else
            print_text(benchmark, outcomes, seconds);
        if (!met)
            return exit_problem;
        return measured(benchmark) ? exit_ok : exit_problem;
    }

    /// Whether anything was graded at all: a run of nothing but errors is no success.
    static bool measured(object const& benchmark)
    {
        return std::ranges::any_of(array_at(benchmark, "models"), [](auto const& row) {
            return row.is_object() &&
                   (count_at(row.get_object(), "graded") > 0 ||
                    count_at(row.get_object(), "ended") > count_at(row.get_object(), "failed"));
        });
    }

    void print_json(object const& benchmark, std::vector<gate_outcome> const& outcomes,
                    double seconds) const
    {
        boost::json::array gates;
        for (auto const& o : outcomes)
            gates.push_back(object{{"demand", o.demanded.text}, {"met", o.met}, {"why", o.why}});
        fmt::print("{}\n", json::canonical(object{{"test_id", test_},
                                                  {"eval_id", eval_},
                                                  {"name", file_.name},
                                                  {"resumed", resumed_},
                                                  {"seconds", seconds},
                                                  {"benchmark", benchmark},
                                                  {"fail_under", std::move(gates)}}));
    }

    void print_text(object const& benchmark, std::vector<gate_outcome> const& outcomes,
                    double seconds) const
    {
        if (talks())
            fmt::print(stderr, "done in {}\n\n", spoken_seconds(seconds));
        fmt::print("{}", report_text(benchmark, terminal_width(stdout)));
        for (auto const& o : outcomes)
            fmt::print("\n{}  {}: {}", o.met ? "met    " : "NOT MET", printable(o.demanded.text),
                       o.why);
        if (!outcomes.empty())
            fmt::print("\n");
        if (!talks())
            return;
        auto const place = place_flags(settings_);
        fmt::print(
            "\nLook at it:  assay tests get {}{}\n             assay tests invocations {}{}\n",
            test_, place, test_, place);
        if (session_->embedded())
            fmt::print("Serve it:    assayd --data {}\n", shell_word(settings_.data.string()));
    }

    settings const& settings_;
    run_arguments const& given_;
    eval_file file_;
    std::vector<gate> gates_;
    std::unique_ptr<session> session_;
    std::string test_;
    std::string eval_;
    bool resumed_ = false;
    clock::time_point began_;
};

} // namespace

void add_run(CLI::App& root, settings const& s, int& exit_code)
{
    auto const given = std::make_shared<run_arguments>();
    auto* const verb = root.add_subcommand("run", "Run the evaluation that a YAML file describes");
    verb->footer(examples);
    verb->add_option("FILE", given->file, "The evaluation (tools/README.md explains every key)")
        ->required();
    verb->add_option("--fail-under", given->fail_under, "Exit with 1 unless this holds; repeatable")
        ->type_name("DEMAND")
        ->take_all();
    verb->add_flag("--new", given->fresh, "Begin another run though one is unfinished");
    verb->add_flag("--reuse", given->reuse,
                   "Take answers recorded by earlier runs instead of calling models");
    verb->add_option("--in-flight", given->in_flight,
                     "Model calls at once [the file's in_flight, or 64]")
        ->check(CLI::Range(1, 100'000));
    verb->add_option("--limit", given->limit, "Only the first N questions")
        ->check(CLI::Range(1, 10'000'000))
        ->type_name("N");
    verb->add_flag("--quiet", given->quiet, "The result alone: no progress, no hints");
    verb->callback([&s, &exit_code, given] {
        auto const code = evaluation(s, *given).run();
        exit_code = code ? *code : complain(code.error());
    });
}

} // namespace assay::tools
