#include "core/json.hpp"
#include "projections/projector.hpp"
#include "tools/interruption.hpp"
#include "tools/progress.hpp"
#include "tools/table.hpp"
#include "tools/terminal.hpp"
#include "tools/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <mutex>
#include <stop_token>

namespace assay::tools {

namespace {

using projections::projector;
using projections::rebuilt_view;

constexpr char const* rebuild_example = R"(Examples:
  assay views rebuild
  assay views rebuild benchmark cells
Builds views anew from the log on a directory that no process uses, and compares them with the old ones. On a
live server, POST /test/refresh does the same beside the traffic. Exit code 1: an old view was not what the log says.)";

/// Shows a build's progress from its threads, and stops it on ctrl-C.
class build_watch {
public:
    explicit build_watch(bool wanted) : bar_("commits", wanted) {}

    projections::build_options options()
    {
        projections::build_options out;
        out.stop = stop_.get_token();
        out.progress = [this](projections::build_progress const& p) {
            std::lock_guard const lock(mutex_);
            bar_.show(p.commits, p.commits_total);
            if (interruption::asked())
                stop_.request_stop();
        };
        return out;
    }

    void finish() { bar_.finish(); }

private:
    interruption const signals_;
    std::stop_source stop_;
    std::mutex mutex_;
    progress bar_;
};

void print(std::vector<rebuilt_view> const& views, bool as_json)
{
    boost::json::array rows;
    text_table table({{"view"},
                      {"generation", align::right},
                      {"commits", align::right},
                      {"against the old rows"}});
    for (auto const& v : views) {
        auto const verdict = !v.replaced ? "there were none" : v.same ? "equal" : "DIFFERENT";
        table.add({v.name, std::to_string(v.generation), std::to_string(v.position), verdict});
        rows.push_back(boost::json::object{
            {"name", v.name},
            {"generation", v.generation},
            {"commits", v.position},
            {"digest", v.rows.hex()},
            {"replaced_digest",
             v.replaced ? boost::json::value(v.replaced->hex()) : boost::json::value(nullptr)},
            {"same", v.same}});
    }
    if (as_json)
        fmt::print("{}\n", json::canonical(boost::json::object{{"views", std::move(rows)}}));
    else
        fmt::print("{}", table.text(terminal_width(stdout)));
}

result<int> rebuild(settings const& s, std::vector<std::string> const& names)
{
    events::store_options options;
    options.create = false;
    ASSAY_TRY(auto const log, events::store::open(s.data, options));
    build_watch watch(!s.json);
    projections::projector_options with;
    with.build_at_open = false; // what is missing is built below, with progress
    ASSAY_TRY(auto const views, projector::open(*log, std::move(with)));
    ASSAY_TRY(auto const rebuilt, views->rebuild(names, watch.options()));
    watch.finish();
    print(rebuilt, s.json);
    for (auto const& v : rebuilt)
        if (!v.same)
            return exit_problem;
    return exit_ok;
}

result<int> list(settings const& s)
{
    events::store_options options;
    options.read_only = true;
    options.create = false;
    ASSAY_TRY(auto const log, events::store::open(s.data, options));
    projections::projector_options with;
    with.build_at_open = false;
    ASSAY_TRY(auto const views, projector::open(*log, std::move(with)));
    boost::json::array rows;
    text_table table({{"view"}, {"schema", align::right}, {"generation", align::right}});
    for (auto const& v : views->states()) {
        table.add({v.name, std::to_string(v.schema),
                   v.generation ? std::to_string(*v.generation) : "not built"});
        rows.push_back(
            boost::json::object{{"name", v.name},
                                {"schema", v.schema},
                                {"generation", v.generation ? boost::json::value(*v.generation)
                                                            : boost::json::value(nullptr)}});
    }
    if (s.json)
        fmt::print("{}\n", json::canonical(boost::json::object{{"views", std::move(rows)}}));
    else
        fmt::print("{}", table.text(terminal_width(stdout)));
    return exit_ok;
}

} // namespace

void add_views(CLI::App& root, settings const& s, int& exit_code)
{
    auto* const verb = root.add_subcommand("views", "The readings of the log that queries use");
    require_verb(*verb);
    verb->footer("Example:\n  assay views list");

    auto const names = std::make_shared<std::vector<std::string>>();
    auto* const rebuilding = verb->add_subcommand("rebuild", "Build views anew from the log");
    rebuilding->footer(rebuild_example);
    rebuilding->add_option("NAME", *names, "Views; all without");
    rebuilding->callback([&s, &exit_code, names] {
        auto const code = rebuild(s, *names);
        exit_code = code ? *code : complain(code.error());
    });

    auto* const listing =
        verb->add_subcommand("list", "List views with their schema and generation");
    listing->footer("Example:\n  assay views list --json");
    listing->callback([&s, &exit_code] {
        auto const code = list(s);
        exit_code = code ? *code : complain(code.error());
    });
}

} // namespace assay::tools
