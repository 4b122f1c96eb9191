#include "tools/serve.hpp"

#include "events/anchor.hpp"
#include "http/api/application.hpp"
#include "http/api/first_start.hpp"
#include "http/runner/runner.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <yaml-cpp/yaml.h>

#include <charconv>
#include <csignal>
#include <cstdio>
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

/// Returns at the first SIGTERM or SIGINT; from then on a second one kills.
void wait_for_signal(boost::asio::io_context& io, boost::asio::signal_set& signals)
{
    signals.async_wait([](boost::system::error_code ec, int) {
        if (ec)
            return;
        std::signal(SIGTERM, SIG_DFL);
        std::signal(SIGINT, SIG_DFL);
    });
    io.run();
    signals.clear();
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
}

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
        ASSAY_TRY(app_, api::application::open(*engine_, *pool_, numbers_));
        runner_ = std::make_unique<http::runner>(*engine_,
                                                 http::runner_options{.in_flight = o.in_flight});
        reports_ = report_runner(*runner_, numbers_);
        auto options = options_of(at, o);
        options.identify = app_->identify();
        ASSAY_TRY(server_,
                  http::server::start(std::move(options), app_->routes(), *pool_, numbers_));
        ASSAY_CHECK(begin_admin(o));
        runner_->start();
        auto const holder = fmt::format("assayd at {} (pid {})", server_->url(), ::getpid());
        return events::replace_file(o.data_dir / "holder", holder);
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
    std::unique_ptr<api::application> app_;
    std::unique_ptr<http::blocking_pool> pool_;
    std::unique_ptr<http::runner> runner_;
    std::vector<std::shared_ptr<void>> reports_;
    std::unique_ptr<http::server> server_;
    std::unique_ptr<http::server> admin_;
};

template <class T>
result<void> take(YAML::Node const& from, char const* name, T& into)
{
    auto const node = from[name];
    if (!node)
        return {};
    try {
        into = node.as<T>();
    } catch (YAML::Exception const&) {
        return fail(errc::invalid, fmt::format("configuration: {} is not what it should be", name));
    }
    return {};
}

constexpr std::array<std::string_view, 8> config_members{
    "data", "listen", "admin_listen", "insecure", "in_flight", "threads", "recordings", "log"};

result<void> check_members(YAML::Node const& root)
{
    if (!root.IsMap())
        return fail(errc::invalid, "configuration: expected members, e.g. listen: 127.0.0.1:8321");
    for (auto const& entry : root) {
        auto const name = entry.first.as<std::string>();
        if (std::ranges::find(config_members, name) == config_members.end())
            return fail(errc::invalid, fmt::format("configuration: {} is unknown; there are {}",
                                                   name, fmt::join(config_members, ", ")));
    }
    return {};
}

} // namespace

result<endpoint> endpoint::parse(std::string const& text)
{
    auto const wrong = [&] {
        return fail(errc::invalid, fmt::format("{} is not ADDRESS:PORT", text));
    };
    auto const colon = text.rfind(':');
    if (colon == std::string::npos)
        return wrong();
    endpoint out{text.substr(0, colon), 0};
    if (out.address.starts_with('[') && out.address.ends_with(']'))
        out.address = out.address.substr(1, out.address.size() - 2);
    auto const first = text.data() + colon + 1;
    auto const last = text.data() + text.size();
    auto const [end, ec] = std::from_chars(first, last, out.port);
    boost::system::error_code bad;
    boost::asio::ip::make_address(out.address, bad);
    if (bad || ec != std::errc{} || end != last)
        return wrong();
    return out;
}

bool endpoint::loopback() const
{
    boost::system::error_code bad;
    auto const parsed = boost::asio::ip::make_address(address, bad);
    return !bad && parsed.is_loopback();
}

result<void> read_config(std::filesystem::path const& file, serve_options& options)
{
    YAML::Node root;
    try {
        root = YAML::LoadFile(file.string());
        ASSAY_CHECK(check_members(root));
    } catch (YAML::BadFile const&) {
        return fail(errc::io, fmt::format("cannot read {}", file.string()));
    } catch (YAML::Exception const& e) {
        return fail(errc::invalid, fmt::format("{}: {}", file.string(), e.what()));
    }
    auto data = options.data_dir.string();
    std::vector<std::string> recordings;
    ASSAY_CHECK(take(root, "data", data));
    ASSAY_CHECK(take(root, "listen", options.listen));
    ASSAY_CHECK(take(root, "admin_listen", options.admin_listen));
    ASSAY_CHECK(take(root, "insecure", options.insecure));
    ASSAY_CHECK(take(root, "in_flight", options.in_flight));
    ASSAY_CHECK(take(root, "threads", options.threads));
    ASSAY_CHECK(take(root, "recordings", recordings));
    ASSAY_CHECK(take(root, "log", options.log));
    options.data_dir = data;
    options.recordings.insert(options.recordings.end(), recordings.begin(), recordings.end());
    return {};
}

result<void> check(serve_options const& options)
{
    if (options.data_dir.empty())
        return fail(errc::invalid, "say where the data is: --data DIR");
    if (options.in_flight == 0)
        return fail(errc::invalid, "--in-flight must be at least 1");
    for (auto const* const text : {&options.listen, &options.admin_listen}) {
        if (text->empty())
            continue;
        ASSAY_TRY(auto const at, endpoint::parse(*text));
        if (!at.loopback() && !options.insecure)
            return fail(errc::invalid,
                        fmt::format("{} can be reached from other machines, and keys would travel "
                                    "unencrypted; put a TLS proxy in front of 127.0.0.1, or say "
                                    "--insecure",
                                    *text));
    }
    return {};
}

result<void> serve(serve_options options)
{
    ASSAY_CHECK(check(options));
    boost::asio::io_context io;
    boost::asio::signal_set signals(io, SIGINT,
                                    SIGTERM); // before threads: none of them is interrupted
    serving all;
    ASSAY_CHECK(all.begin(options));
    announce(all.key(), options.data_dir, all.url());
    wait_for_signal(io, signals);
    spdlog::info("draining");
    all.end(options.grace);
    return {};
}

} // namespace assay::tools
