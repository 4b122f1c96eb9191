#include "tools/serve.hpp"

#include "events/anchor.hpp"
#include "http/api/application.hpp"
#include "http/api/first_start.hpp"
#include "http/runner/runner.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <functional>
#include <thread>
#include <unistd.h>

namespace assay::tools {

namespace {

constexpr unsigned pool_threads_min = 4;

http::server_options options_of(endpoint const& at, serve_options const& o)
{
    http::server_options out;
    out.address = at.address;
    out.port = at.port;
    out.io_threads = std::max(1U, o.threads);
    out.access_log = o.log == "-" ? "stderr" : o.log;
    return out;
}

std::optional<api::token_options> tokens_of(serve_options const& o)
{
    auto const& t = o.tokens;
    if (!t.taken())
        return std::nullopt;
    return api::token_options{
        .keys = {.key_set = t.keys,
                 .secret_file = t.secret_file,
                 .refresh = std::chrono::seconds{t.refresh_seconds},
                 .ca_file = t.ca_file},
        .policy = {t.issuers, t.audiences, std::chrono::seconds{t.leeway_seconds}},
        .names = t.claims};
}

std::vector<std::shared_ptr<void>> report_runner(http::runner const& r, http::metrics& numbers)
{
    using kind = http::metrics::kind;
    std::vector<std::shared_ptr<void>> out;
    auto const add = [&](std::string name, std::string help, kind type,
                         std::atomic<std::uint64_t> const& n) {
        out.push_back(numbers.report(std::move(name), std::move(help), type, [&n] {
            return std::vector<http::metrics::sample>{{{}, static_cast<double>(n.load())}};
        }));
    };
    auto const& s = r.stats();
    add("assay_model_calls_total", "Model calls made, retries included", kind::counter, s.calls);
    add("assay_model_retries_total", "Model calls made again", kind::counter, s.retries);
    add("assay_model_rate_limited_total", "Answers 429 of providers", kind::counter,
        s.rate_limited);
    add("assay_cells_ended_total", "Cells that the runner brought to an end", kind::counter,
        s.cells);
    add("assay_model_calls_in_flight", "Model calls under way", kind::gauge, s.in_flight);
    add("assay_model_calls_reused_total", "Calls answered from earlier recordings", kind::counter,
        s.reused);
    add("assay_runner_faults_total", "Commands of the runner that were refused unexpectedly",
        kind::counter, s.faults);
    return out;
}

/// What the process is told from outside. Made before threads: none of them is interrupted.
class signals {
public:
    /// Returns at the first SIGTERM or SIGINT; from then on a second one kills. Each SIGHUP before
    /// that calls `reload`.
    void wait(std::function<void()> const& reload)
    {
        listen(reload);
        end_.async_wait([this](boost::system::error_code ec, int) {
            if (ec)
                return;
            std::signal(SIGTERM, SIG_DFL);
            std::signal(SIGINT, SIG_DFL);
            reload_.cancel();
        });
        io_.run();
        end_.clear();
        std::signal(SIGTERM, SIG_DFL);
        std::signal(SIGINT, SIG_DFL);
    }

private:
    void listen(std::function<void()> const& reload)
    {
        reload_.async_wait([this, &reload](boost::system::error_code ec, int) {
            if (ec)
                return;
            reload();
            listen(reload);
        });
    }

    boost::asio::io_context io_;
    boost::asio::signal_set end_{io_, SIGINT, SIGTERM};
    boost::asio::signal_set reload_{io_, SIGHUP};
};

void announce(std::optional<std::string> const& key, std::filesystem::path const& dir,
              std::string const& url)
{
    if (key) {
        fmt::print("A workspace was made. Its administrator's API key is in {}\n",
                   (dir / "admin.key").string());
        if (::isatty(STDOUT_FILENO) != 0) // never into a log file or a pipe
            fmt::print("  {}\n", *key);
    }
    fmt::print("assayd {} listening on {}\n", ASSAY_VERSION, url);
    std::fflush(stdout);
}

/// Everything that serves, in the order in which it is made; it ends in the order that `end` spells
/// out.
class serving {
public:
    result<void> begin(serve_options const& o)
    {
        ASSAY_TRY(auto const at, endpoint::parse(o.listen));
        engine::engine_options with;
        with.data_dir = o.data_dir;
        with.recording_roots = o.recordings;
        with.holder = fmt::format("assayd (pid {})", ::getpid());
        ASSAY_TRY(engine_, engine::engine::open(std::move(with)));
        ASSAY_TRY(key_, api::first_start(*engine_));
        auto const threads = std::max(pool_threads_min, std::thread::hardware_concurrency());
        pool_ = std::make_unique<http::blocking_pool>(threads);
        ASSAY_TRY(app_, api::application::open(*engine_, *pool_, numbers_, tokens_of(o)));
        runner_ = std::make_unique<http::runner>(*engine_,
                                                 http::runner_options{.in_flight = o.in_flight});
        reports_ = report_runner(*runner_, numbers_);
        auto options = options_of(at, o);
        options.identify = app_->identify();
        if (!o.tls.certificate.empty()) {
            ASSAY_TRY(tls_, http::tls_identity::open(o.tls, numbers_));
            options.tls = tls_;
        }
        ASSAY_TRY(server_,
                  http::server::start(std::move(options), app_->routes(), *pool_, numbers_));
        ASSAY_CHECK(begin_admin(o));
        runner_->start();
        auto const holder = fmt::format("assayd at {} (pid {})", server_->url(), ::getpid());
        return events::replace_file(o.data_dir / "holder", holder);
    }

    /// Reads again what may have changed outside. What is not good leaves all as it is.
    void reload()
    {
        spdlog::info("reading certificate and keys again");
        app_->reload();
        if (!tls_)
            return;
        if (auto const read = tls_->reload(); !read)
            spdlog::warn("the certificate stays as it is: {}", read.error().detail);
    }

    /// Requests in flight finish, event streams end, model calls under way are recorded; then
    /// everything goes.
    void end(std::chrono::milliseconds grace)
    {
        app_->streams().close();
        server_->drain(grace);
        if (admin_)
            admin_->drain(std::chrono::milliseconds{0});
        runner_->stop(grace);
        server_.reset();
        admin_.reset();
        pool_.reset(); // what it still runs uses the application
        reports_.clear();
        runner_.reset();
        app_.reset();
        engine_.reset();
    }

    [[nodiscard]] std::string url() const { return server_->url(); }

    [[nodiscard]] std::optional<std::string> const& key() const { return key_; }

private:
    result<void> begin_admin(serve_options const& o)
    {
        if (o.admin_listen.empty())
            return {};
        ASSAY_TRY(auto const at, endpoint::parse(o.admin_listen));
        auto options = options_of(at, o);
        options.io_threads = 1;
        options.access_log.clear();
        ASSAY_TRY(admin_, http::server::start(std::move(options), app_->admin_routes(), *pool_,
                                              admin_numbers_));
        spdlog::info("health and metrics on {}", admin_->url());
        return {};
    }

    std::unique_ptr<engine::engine> engine_;
    std::optional<std::string> key_;
    http::metrics numbers_;
    http::metrics admin_numbers_;
    std::shared_ptr<http::tls_identity> tls_;
    std::unique_ptr<api::application> app_;
    std::unique_ptr<http::blocking_pool> pool_;
    std::unique_ptr<http::runner> runner_;
    std::vector<std::shared_ptr<void>> reports_;
    std::unique_ptr<http::server> server_;
    std::unique_ptr<http::server> admin_;
};

} // namespace

result<void> serve(serve_options options)
{
    ASSAY_CHECK(check(options));
    signals told;
    serving all;
    ASSAY_CHECK(all.begin(options));
    announce(all.key(), options.data_dir, all.url());
    told.wait([&all] { all.reload(); });
    spdlog::info("draining");
    all.end(options.grace);
    return {};
}

} // namespace assay::tools
