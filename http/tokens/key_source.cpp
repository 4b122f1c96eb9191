#include "http/tokens/key_source.hpp"

#include "http/client/url.hpp"
#include "http/tokens/key_file.hpp"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <future>

namespace assay::tokens {

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t document_bytes_max = 256 * 1024;

bool is_url(std::string_view text)
{
    return text.starts_with("https://") || text.starts_with("http://");
}

/// Keys that came over a network unprotected would be anybody's keys.
result<void> check_url(std::string const& text)
{
    ASSAY_TRY(auto const url, http::parse_url(text));
    boost::system::error_code no_address;
    auto const address = boost::asio::ip::make_address(url.host, no_address);
    bool const local = url.host == "localhost" || (!no_address && address.is_loopback());
    if (!url.tls && !local)
        return fail(errc::invalid, fmt::format("key set: {} must be https", url.origin()));
    return {};
}

} // namespace

key_source::key_source(key_source_options options, http::metrics& numbers)
    : options_(std::move(options)), remote_(is_url(options_.key_set)),
      good_(numbers.make_counter("assay_token_key_reads_total", "Readings of the token keys",
                                 {{"outcome", "good"}})),
      failed_(numbers.make_counter("assay_token_key_reads_total", "Readings of the token keys",
                                   {{"outcome", "failed"}}))
{
    report_ = numbers.report("assay_token_keys", "Keys that tokens are checked with",
                             http::metrics::kind::gauge, [this] {
                                 return std::vector<http::metrics::sample>{
                                     {{}, static_cast<double>(keys().keys->size())}};
                             });
}

key_source::~key_source()
{
    report_.reset();
    thread_.request_stop();
    if (client_)
        client_->cancel_all();
    if (thread_.joinable())
        thread_.join();
}

result<std::unique_ptr<key_source>> key_source::open(key_source_options options,
                                                     http::metrics& numbers)
{
    std::unique_ptr<key_source> out(new key_source(std::move(options), numbers));
    if (out->remote_) {
        ASSAY_CHECK(check_url(out->options_.key_set));
        ASSAY_TRY(out->client_, http::client::make({.response_bytes_max = document_bytes_max,
                                                    .ca_file = out->options_.ca_file}));
    }
    if (!out->options_.secret_file.empty())
        ASSAY_CHECK(read_secret_file(out->options_.secret_file));
    if (auto const first = out->refresh(); !first) {
        // A file that is not good does not get better by waiting; a host does.
        if (!out->remote_)
            return std::unexpected(first.error());
        spdlog::warn("token keys: {}", first.error().detail);
    }
    out->thread_ = std::jthread([s = out.get()](std::stop_token stop) { s->run(std::move(stop)); });
    return out;
}

key_source::current key_source::keys() const
{
    std::lock_guard const lock(mutex_);
    return {keys_, version_};
}

void key_source::want_newer()
{
    std::lock_guard const lock(mutex_);
    if (!std::exchange(wanted_, true))
        change_.notify_all();
}

void key_source::reload()
{
    std::lock_guard const lock(mutex_);
    at_once_ = true;
    change_.notify_all();
}

result<std::string> key_source::fetch()
{
    if (!remote_)
        return read_text_file(options_.key_set);
    auto const told = std::make_shared<std::promise<result<http::inbound_response>>>();
    auto answered = told->get_future();
    client_->send({.url = options_.key_set,
                   .headers = {{"Accept", "application/jwk-set+json, application/json"}},
                   .timeout = options_.timeout},
                  [told](result<http::inbound_response> r) { told->set_value(std::move(r)); });
    ASSAY_TRY(auto answer, answered.get());
    if (answer.status != 200)
        return fail(errc::io, fmt::format("the key set's host answered {}", answer.status));
    return std::move(answer.body);
}

result<key_set> key_source::read()
{
    key_set out;
    if (!options_.key_set.empty()) {
        ASSAY_TRY(auto const document, fetch());
        ASSAY_TRY(out, key_set::read(document, !remote_));
    }
    if (!options_.secret_file.empty()) {
        ASSAY_TRY(auto secret, read_secret_file(options_.secret_file));
        ASSAY_CHECK(out.add(std::move(secret)));
    }
    if (out.size() == 0)
        return fail(errc::invalid, "the key set holds no key that can be used", "bad_key_set");
    return out;
}

result<void> key_source::refresh()
{
    auto fresh = read();
    (fresh ? good_ : failed_).add();
    if (!fresh)
        return std::unexpected(std::move(fresh.error()));
    std::lock_guard const lock(mutex_);
    keys_ = std::make_shared<key_set const>(std::move(*fresh));
    ++version_;
    return {};
}

void key_source::run(std::stop_token stop)
{
    auto last = clock::now();
    bool failing = keys().version == 0;
    for (;;) {
        {
            std::unique_lock lock(mutex_);
            auto const soon = last + options_.refetch_min;
            auto const due =
                failing ? std::min(soon, last + options_.refresh) : last + options_.refresh;
            // Two waits: for a reason to read before it is due, then for the pause to be over.
            change_.wait_until(lock, stop, due, [&] { return wanted_ || at_once_; });
            change_.wait_until(lock, stop, std::min(soon, due), [&] { return at_once_; });
            wanted_ = at_once_ = false;
        }
        if (stop.stop_requested())
            return;
        last = clock::now();
        auto const done = refresh();
        failing = !done;
        if (!done)
            spdlog::warn("token keys stay as they are: {}", done.error().detail);
    }
}

} // namespace assay::tokens
