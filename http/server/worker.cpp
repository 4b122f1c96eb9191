#include "http/server/worker.hpp"

#include "http/server/connection.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <random>

namespace assay::http {

namespace {

/// Deadlines are kept by looking at all connections this often: a store a step instead of a timer a
/// step.
std::chrono::milliseconds sweep_period(server_options const& options)
{
    auto const shortest =
        std::min({options.head_timeout, options.body_timeout, options.idle_timeout,
                  options.write_timeout, options.sse_keep_alive, options.handshake_timeout});
    return std::clamp(shortest / 4, std::chrono::milliseconds{5}, std::chrono::milliseconds{250});
}

} // namespace

server_shared::server_shared(server_options given, router table, blocking_pool& threads,
                             metrics& registry, std::unique_ptr<access_log> lines)
    : options(std::move(given)), routes(std::move(table)), pool(threads), numbers(registry),
      log(std::move(lines)),
      connections_open(registry.make_gauge("assay_http_connections", "Open connections.")),
      requests_in_flight(registry.make_gauge("assay_http_requests_in_flight",
                                             "Requests that handlers have not answered yet.")),
      connections_refused(registry.make_counter("assay_http_connections_refused_total",
                                                "Connections beyond the limit, answered 503.")),
      handshakes_failed(registry.make_counter("assay_http_tls_handshakes_failed_total",
                                              "Connections that ended in the TLS handshake.")),
      readers_dropped(registry.make_counter("assay_http_sse_readers_dropped_total",
                                            "Event stream readers that were too slow.")),
      bytes_sent(registry.make_counter("assay_http_sent_bytes_total", "Bytes of bodies sent."))
{
}

worker::worker(server_shared& shared)
    : shared_(shared), work_(io_.get_executor()), sweeper_(io_.get_executor()),
      request_prefix_(std::random_device{}())
{
}

worker::~worker()
{
    gate_->close();
}

void worker::start()
{
    // Handlers see the thread's id only after this, since the thread takes its first work from
    // here.
    asio::post(io_, [this] {
        gate_->thread = std::this_thread::get_id();
        sweep();
    });
    thread_ = std::jthread([this] {
        for (;;) {
            try {
                io_.run();
                return;
            } catch (std::exception const& e) {
                // Only a completion handler of ours can throw here (bad_alloc); its connection
                // unwinds, others go on.
                spdlog::error("http worker: {}", e.what());
            }
        }
    });
}

void worker::adopt(tcp_socket socket)
{
    connection::start(*this, std::move(socket));
}

void worker::drain()
{
    gate_->post([this] { for_each([](connection& c) { c.drain(); }); });
}

void worker::abort()
{
    gate_->post([this] { for_each([](connection& c) { c.abort(); }); });
}

void worker::join()
{
    gate_->post([this] {
        stopping_ = true;
        sweeper_.cancel();
        work_.reset();
    });
    if (thread_.joinable())
        thread_.join();
}

void worker::add(connection& c)
{
    connections_.insert(&c);
    shared_.connections_open.add(1);
}

/// Holds every connection while it is visited: what is done to one may end others.
void worker::for_each(void (*visit)(connection&))
{
    std::vector<std::shared_ptr<connection>> kept;
    kept.reserve(connections_.size());
    for (auto* const each : connections_)
        kept.push_back(each->shared_from_this());
    for (auto const& each : kept)
        visit(*each);
}

void worker::remove(connection& c)
{
    connections_.erase(&c);
    shared_.connections_open.add(-1);
    // Under the mutex, or `drain` could miss the last one between its look and its wait.
    std::lock_guard const lock(shared_.idle_mutex);
    if (shared_.connections.fetch_sub(1) == 1)
        shared_.idle.notify_all();
}

std::string const& worker::date_line()
{
    auto const now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    if (now != date_second_) {
        date_second_ = now;
        date_line_ = fmt::format("Date: {:%a, %d %b %Y %H:%M:%S} GMT\r\n", fmt::gmtime(now));
    }
    return date_line_;
}

void worker::count(route const* r, method m, unsigned status, std::chrono::duration<double> took,
                   bool timed)
{
    auto& series = numbers_[{r, m}];
    auto const labels = [&] {
        return metric_labels{{"route", r ? r->name : "none"},
                             {"method", std::string(to_string(m))}};
    };
    auto& total = series.by_status[status];
    if (!total) {
        auto with_status = labels();
        with_status.emplace_back("status", fmt::format("{}", status));
        total = &shared_.numbers.make_counter("assay_http_requests_total", "Requests answered.",
                                              std::move(with_status));
    }
    total->add();
    if (!timed)
        return;
    if (!series.durations)
        series.durations = &shared_.numbers.make_histogram(
            "assay_http_request_duration_seconds", "From the head received to the answer written.",
            duration_bounds(), labels());
    series.durations->observe(took.count());
}

std::string worker::mint_request_id()
{
    return fmt::format("{:08x}{:08x}", static_cast<std::uint32_t>(request_prefix_),
                       static_cast<std::uint32_t>(++requests_));
}

void worker::sweep()
{
    if (stopping_)
        return;
    for_each([](connection& c) { c.sweep(std::chrono::steady_clock::now()); });
    if (shared_.log)
        shared_.log->flush();
    sweeper_.expires_after(sweep_period(shared_.options));
    sweeper_.async_wait([this](boost::system::error_code) { sweep(); });
}

} // namespace assay::http
