#include "http/api/application.hpp"

#include "http/api/routes.hpp"

namespace assay::api {

namespace {

/// What the pipeline counts, at each scrape.
std::vector<std::shared_ptr<void>> report_pipeline(engine::engine& e, watch_hub const& hub,
                                                   http::metrics& numbers)
{
    using kind = http::metrics::kind;
    using samples = std::vector<http::metrics::sample>;
    std::vector<std::shared_ptr<void>> out;
    auto const add = [&](std::string name, std::string help, kind type,
                         std::function<double()> read) {
        out.push_back(numbers.report(std::move(name), std::move(help), type,
                                     [read = std::move(read)] { return samples{{{}, read()}}; }));
    };
    auto const count = [&](std::string name, std::string help,
                           std::atomic<std::uint64_t> const& n) {
        add(std::move(name), std::move(help), kind::counter,
            [&n] { return static_cast<double>(n.load()); });
    };
    auto const& s = e.pipeline().stats();
    count("assay_commits_total", "Commits written to the log", s.commits);
    count("assay_events_total", "Events written to the log", s.events);
    count("assay_drains_total", "Synced writes of the log", s.drains);
    count("assay_commands_refused_total", "Commands that a decision refused", s.refused);
    count("assay_projection_failures_total", "Commands that a view refused", s.projection_failures);
    count("assay_commands_overloaded_total", "Commands turned away by a full queue", s.overloaded);
    add("assay_commands_waiting", "Commands in the pipeline's queue", kind::gauge,
        [&s] { return static_cast<double>(s.waiting.load()); });
    add("assay_log_position", "Position that the next commit gets", kind::gauge,
        [&e] { return static_cast<double>(e.log().next_position()); });
    add("assay_disk_low", "1 when free space is under the reserve and writes are refused",
        kind::gauge, [&e] { return e.pipeline().disk().low() ? 1.0 : 0.0; });
    add("assay_watch_streams", "Event streams that are open", kind::gauge,
        [&hub] { return static_cast<double>(hub.readers()); });
    return out;
}

} // namespace

application::application(engine::engine& e, http::blocking_pool& pool, http::metrics& numbers)
    : keys_(e), credentials_(keys_, numbers), states_([&e] { return e.read(); }),
      services_{e, pool, numbers, keys_, states_}, hub_(e, pool)
{
    reports_ = report_pipeline(e, hub_, numbers);
}

result<std::unique_ptr<application>> application::open(engine::engine& e, http::blocking_pool& pool,
                                                       http::metrics& numbers,
                                                       std::optional<token_options> tokens)
{
    std::unique_ptr<application> out(new application(e, pool, numbers));
    ASSAY_CHECK(out->keys_.load());
    if (tokens)
        ASSAY_CHECK(out->credentials_.take_tokens(std::move(*tokens), numbers));
    return out;
}

http::router application::routes()
{
    http::router to;
    auto const& s = services_;
    add_health(to, s, false);
    add_test_commands(to, s);
    add_test_get(to, s);
    add_test_search(to, s);
    add_test_benchmark(to, s);
    add_invocation_reads(to, s);
    add_invocation_commands(to, s);
    add_invocation_trace(to, s);
    add_client_driven(to, s);
    add_grading(to, s);
    add_decrypt(to, s);
    add_downloads(to, s);
    add_export(to, s);
    add_watch(to, s, hub_);
    add_refresh(to, s);
    add_test_drafts(to, s);
    add_test_groups(to, s);
    add_test_problem(to, s);
    add_catalog(to, s);
    add_admin(to, s);
    add_test_context(to, s);
    return to;
}

http::router application::admin_routes()
{
    http::router to;
    add_health(to, services_, true);
    return to;
}

http::identify_function application::identify()
{
    return [this](http::request const& req) { return credentials_.identify(req); };
}

} // namespace assay::api
