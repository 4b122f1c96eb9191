#include "events/audit.hpp"

#include "core/json.hpp"
#include "projections/audit.hpp"
#include "projections/projector.hpp"
#include "tools/interruption.hpp"
#include "tools/progress.hpp"
#include "tools/terminal.hpp"
#include "tools/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <mutex>
#include <stop_token>

namespace assay::tools {

namespace {

constexpr char const* verify_example = R"(Example:
  assay audit verify --data /var/lib/assay
Every record is held against its own hashes, the tree against every record, the tree's root against the
stored one and against the anchor file. Reads only; a server may be running. Exit code 1: the log is damaged,
the first position that does not check out is named.)";

boost::json::value as_json(std::optional<std::uint64_t> const& n)
{
    return n ? boost::json::value(*n) : boost::json::value(nullptr);
}

void print_json(events::log_report const& r)
{
    boost::json::value damage = nullptr;
    if (r.found)
        damage =
            boost::json::object{{"position", as_json(r.found->position)}, {"what", r.found->what}};
    fmt::print("{}\n", json::canonical(boost::json::object{{"commits", r.commits},
                                                           {"sound", r.sound},
                                                           {"events", r.events},
                                                           {"bytes", r.bytes},
                                                           {"root", r.root.hex()},
                                                           {"anchored", as_json(r.anchored)},
                                                           {"damage", damage}}));
}

void print_text(events::log_report const& r)
{
    if (r.found) {
        fmt::print("DAMAGED{}: {}\n",
                   r.found->position ? fmt::format(" at position {}", *r.found->position) : "",
                   r.found->what);
        fmt::print("{} of {} commits before it check out\n", r.sound, r.commits);
        return;
    }
    fmt::print("whole: {} commits, {} events, {} bytes\nroot {}\n", r.commits, r.events, r.bytes,
               r.root.hex());
    if (r.anchored)
        fmt::print("the anchor file vouches for the first {}\n", *r.anchored);
    else
        fmt::print("there is no anchor file: a lost tail would not be noticed\n");
}

int verify(settings const& s, bool quiet)
{
    progress bar("commits", !quiet && !s.json);
    auto const report = events::check_log(s.data, [&](std::uint64_t done, std::uint64_t total) {
        if (total != UINT64_MAX)
            bar.show(done, total);
        return true;
    });
    bar.finish();
    if (!report)
        return complain(report.error());
    if (s.json)
        print_json(*report);
    else
        print_text(*report);
    return report->found ? exit_problem : exit_ok;
}

constexpr char const* replay_example = R"(Example:
  assay audit replay --data /var/lib/assay
Replays the whole log into views of its own, beside the stored ones, and compares every row. Exit code 1: a row is
not what the log says (assay views rebuild mends it; the log is what counts). Needs as much free space as the views
take, below the directory that TMPDIR names.)";

void print_audit(projections::audited_view const& a)
{
    if (!a.serving) {
        fmt::print("{}: not built yet, nothing to compare\n", a.name);
        return;
    }
    fmt::print("{}: {} rows, {}\n", a.name, a.rows,
               a.differing == 0 ? std::string("equal") : fmt::format("{} DIFFERENT", a.differing));
    for (auto const& d : a.first)
        fmt::print("    key {}\n        stored:   {}\n        replayed: {}\n", d.key,
                   printable(d.stored.value_or("no such row")),
                   printable(d.replayed.value_or("no such row")));
    if (a.differing > a.first.size())
        fmt::print("    ... and {} more\n", a.differing - a.first.size());
}

boost::json::value as_json(std::optional<std::string> const& row)
{
    return row ? boost::json::value(*row) : boost::json::value(nullptr);
}

void print_json(projections::replay_report const& report)
{
    boost::json::array views;
    for (auto const& a : report.views) {
        boost::json::array rows;
        for (auto const& d : a.first)
            rows.push_back(boost::json::object{
                {"key", d.key}, {"stored", as_json(d.stored)}, {"replayed", as_json(d.replayed)}});
        views.push_back(boost::json::object{{"name", a.name},
                                            {"built", a.serving},
                                            {"rows", a.rows},
                                            {"different", a.differing},
                                            {"first", std::move(rows)}});
    }
    fmt::print("{}\n", json::canonical(boost::json::object{{"commits", report.commits},
                                                           {"views", std::move(views)}}));
}

result<int> replay(settings const& s, bool quiet)
{
    events::store_options options;
    options.read_only = true;
    options.create = false;
    ASSAY_TRY(auto const log, events::store::open(s.data, options));
    std::stop_source stop;
    interruption const signals;
    progress bar("commits", !quiet && !s.json);
    std::mutex one_at_a_time;
    projections::build_options build;
    build.stop = stop.get_token();
    build.progress = [&](projections::build_progress const& p) {
        std::lock_guard const lock(one_at_a_time);
        bar.show(p.commits, p.commits_total);
        if (interruption::asked())
            stop.request_stop();
    };
    ASSAY_TRY(auto const views, projections::projector::open(*log));
    projections::audit_options audit;
    audit.build = build;
    ASSAY_TRY(auto const report, projections::audit_replay(*log, *views->read(), audit));
    bar.finish();
    if (s.json) {
        print_json(report);
        return report.clean() ? exit_ok : exit_problem;
    }
    for (auto const& a : report.views)
        print_audit(a);
    fmt::print("{}\n", report.clean()
                           ? fmt::format("the views are what {} commits say", report.commits)
                           : std::string("the views are NOT what the log says"));
    return report.clean() ? exit_ok : exit_problem;
}

} // namespace

void add_audit(CLI::App& root, settings const& s, int& exit_code)
{
    auto* const verb =
        root.add_subcommand("audit", "Prove that log and views are what they should be");
    require_verb(*verb);

    auto const quiet = std::make_shared<bool>(false);
    auto* const verifying =
        verb->add_subcommand("verify", "Check every hash of the log, from its bytes up");
    verifying->footer(verify_example);
    verifying->add_flag("--quiet", *quiet, "No progress bar");
    verifying->callback([&s, &exit_code, quiet] { exit_code = verify(s, *quiet); });

    auto* const replaying =
        verb->add_subcommand("replay", "Check that the views are what the log says");
    replaying->footer(replay_example);
    replaying->add_flag("--quiet", *quiet, "No progress bar");
    replaying->callback([&s, &exit_code, quiet] {
        auto const code = replay(s, *quiet);
        exit_code = code ? *code : complain(code.error());
    });
}

} // namespace assay::tools
