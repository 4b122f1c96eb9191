#pragma once

#include "http/asio.hpp"
#include "http/server/post_gate.hpp"
#include "http/server/server.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>
#include <vector>

/// The server's inside: what connections share. Private to http/server.
namespace assay::http {

class connection;

/// What all workers of a server share. Outlives them.
struct server_shared {
    server_shared(server_options given, router table, blocking_pool& threads, metrics& registry,
                  std::unique_ptr<access_log> lines);

    server_options const options;
    router const routes;
    blocking_pool& pool;
    metrics& numbers;
    std::unique_ptr<access_log> const log;

    gauge& connections_open;
    gauge& requests_in_flight;
    counter& connections_refused;
    counter& handshakes_failed;
    counter& readers_dropped;
    counter& bytes_sent;

    std::atomic<std::size_t> connections{0};
    std::atomic<std::size_t> in_flight{0};
    std::atomic<bool> draining{false};

    /// Waited on by `drain` until `connections` is 0.
    std::mutex idle_mutex;
    std::condition_variable idle;
};

/// One I/O thread and its connections. Everything but `start`, `accept`, `drain`, `abort` and
/// `join` belongs to that thread.
class worker {
public:
    explicit worker(server_shared& shared);
    ~worker();

    void start();

    asio::io_context& io() { return io_; }

    /// Takes over a connection. On the worker's thread.
    void adopt(tcp_socket socket);

    /// Asks the connections to end after what they do now, or at once. From any thread.
    void drain();
    void abort();

    /// Waits for the thread to end; call after `abort`.
    void join();

    // For the connections, on the worker's thread.

    void add(connection& c);
    void remove(connection& c);

    server_shared& shared() { return shared_; }

    std::shared_ptr<post_gate> const& gate() { return gate_; }

    /// "Date: ...\r\n" of this second.
    std::string const& date_line();

    /// Counts an answer. `r` may be null. @param timed whether its duration says something (not for
    /// event streams).
    void count(route const* r, method m, unsigned status, std::chrono::duration<double> took,
               bool timed);

    /// Sixteen hex digits that no other request got lately.
    [[nodiscard]] std::string mint_request_id();

private:
    struct route_numbers {
        std::map<unsigned, counter*> by_status{};
        histogram* durations = nullptr;
    };

    void sweep();
    void for_each(void (*visit)(connection&));

    server_shared& shared_;
    asio::io_context io_{1};
    std::shared_ptr<post_gate> const gate_ = std::make_shared<post_gate>(io_);
    asio::executor_work_guard<executor> work_;
    timer sweeper_;
    std::unordered_set<connection*> connections_;
    std::map<std::pair<route const*, method>, route_numbers> numbers_;
    std::string date_line_;
    std::int64_t date_second_ = 0;
    std::uint64_t request_prefix_;
    std::uint64_t requests_ = 0;
    bool stopping_ = false;
    std::jthread thread_;
};

} // namespace assay::http
