#include "tools/session.hpp"

#include "http/api/application.hpp"
#include "http/api/first_start.hpp"
#include "http/api/remote_client.hpp"

#include <fmt/format.h>

#include <unistd.h>

namespace assay::tools {

namespace {

constexpr unsigned pool_threads = 2;

/// The key that was given, else the data directory's.
result<std::string> own_key(settings const& s)
{
    if (!s.key.empty())
        return s.key;
    return api::read_admin_key(s.data);
}

/// A server's API.
class remote_session final : public session {
public:
    explicit remote_session(std::unique_ptr<api::remote_client> client) : client_(std::move(client))
    {
    }

    static result<std::unique_ptr<session>> open(settings const& s)
    {
        auto key = own_key(s);
        if (!key)
            return fail(
                errc::unauthenticated,
                fmt::format(
                    "no API key: give --key or set ASSAY_API_KEY, or --data of a server on this "
                    "machine ({})",
                    key.error().detail));
        auto client = api::remote_client::make(s.url, std::move(*key));
        if (!client)
            return fail(errc::invalid, "--url: " + client.error().detail, "usage");
        return std::make_unique<remote_session>(std::move(*client));
    }

    api::api_client& api() override { return *client_; }

    bool embedded() const override { return false; }

    void start_runner(http::runner_options) override {}

    void stop_runner() override {}

private:
    std::unique_ptr<api::remote_client> client_;
};

/// The engine with its routes, without a socket.
class local_session final : public session {
public:
    static result<std::unique_ptr<session>> open(settings const& s, session_options const& options)
    {
        engine::engine_options with;
        with.data_dir = s.data;
        with.holder = fmt::format("{} (pid {})", options.what, ::getpid());
        with.recording_roots = options.recording_roots;
        auto opened = engine::engine::open(std::move(with));
        if (!opened)
            return fail(in_words(std::move(opened.error())));
        auto out = std::unique_ptr<local_session>(new local_session(std::move(*opened)));
        ASSAY_CHECK(out->enter(s));
        return out;
    }

    api::api_client& api() override { return *client_; }

    bool embedded() const override { return true; }

    void start_runner(http::runner_options options) override
    {
        runner_ = std::make_unique<http::runner>(*engine_, options);
        runner_->start();
    }

    void stop_runner() override
    {
        if (runner_)
            runner_->stop();
        runner_.reset();
    }

private:
    explicit local_session(std::unique_ptr<engine::engine> e)
        : engine_(std::move(e)), pool_(pool_threads)
    {
    }

    /// A directory in use names its holder; one that is served can be talked to.
    static error in_words(error e)
    {
        auto const at =
            e.reason == "directory_in_use" ? e.detail.find(" at http") : std::string::npos;
        if (at != std::string::npos) {
            auto const url = e.detail.substr(at + 4, e.detail.find(' ', at + 4) - at - 4);
            e.detail += fmt::format("; talk to it with --url {}", url);
        }
        return e;
    }

    /// Finds the identity to act as, made at the first use of a directory.
    result<void> enter(settings const& s)
    {
        ASSAY_CHECK(api::first_start(*engine_));
        ASSAY_TRY(application_, api::application::open(*engine_, pool_, numbers_));
        routes_ = application_->routes();
        auto const key = own_key(s);
        auto const who = key ? application_->keys().find(*key) : nullptr;
        if (!who && !s.key.empty())
            return fail(errc::unauthenticated, "the API key is not good in this data directory");
        if (!who)
            return fail(errc::unauthenticated,
                        fmt::format("{}; assay admin reset makes another key",
                                    key ? "the key in admin.key is not good any more"
                                        : key.error().detail));
        auto const caller = application_->keys().local(who->profile, events::channel::cli);
        client_ = std::make_unique<api::local_client>(routes_, caller);
        return {};
    }

    // In the order of their needs: what stands below uses what stands above.
    std::unique_ptr<engine::engine> engine_;
    http::metrics numbers_;
    http::blocking_pool pool_;
    std::unique_ptr<api::application> application_;
    http::router routes_;
    std::unique_ptr<api::local_client> client_;
    std::unique_ptr<http::runner> runner_;
};

} // namespace

result<std::unique_ptr<session>> session::open(settings const& s, session_options options)
{
    if (!s.url.empty())
        return remote_session::open(s);
    return local_session::open(s, options);
}

} // namespace assay::tools
