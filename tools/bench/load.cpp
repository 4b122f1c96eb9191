#include "tools/bench/load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <chrono>
#include <cstring>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

namespace assay::tools::bench {

namespace {

using clock = std::chrono::steady_clock;

/// One connection: what was sent last, and what has come back of its answer.
struct connection {
    int fd = -1;
    std::string in;
    std::size_t needed = 0; ///< bytes of the answer; 0: its head is not complete
    clock::time_point sent;
};

result<int> connect_to(std::uint16_t port)
{
    int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int const on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
        return fail(errc::io,
                    fmt::format("cannot connect to port {}: {}", port, std::strerror(errno)));
    return fd;
}

/// Length of the whole answer once its head is there; 0 before.
std::size_t answer_length(std::string_view in)
{
    auto const end = in.find("\r\n\r\n");
    if (end == std::string_view::npos)
        return 0;
    constexpr std::string_view field = "Content-Length: ";
    auto const at = in.find(field);
    std::size_t length = 0;
    if (at < end)
        std::from_chars(in.data() + at + field.size(), in.data() + end, length);
    return end + 4 + length;
}

class load {
public:
    explicit load(load_options const& o) : options_(o), poll_(::epoll_create1(EPOLL_CLOEXEC)) {}

    ~load()
    {
        for (auto const& c : connections_)
            ::close(c.fd);
        ::close(poll_);
    }

    load(load const&) = delete;
    load& operator=(load const&) = delete;

    result<load_result> run()
    {
        auto const start = clock::now();
        connections_.resize(options_.connections);
        for (std::size_t i = 0; i < connections_.size(); ++i) {
            ASSAY_TRY(connections_[i].fd, connect_to(options_.port));
            epoll_event event{};
            event.events = EPOLLIN;
            event.data.u64 = i;
            ::epoll_ctl(poll_, EPOLL_CTL_ADD, connections_[i].fd, &event);
            ASSAY_CHECK(send_next(connections_[i]));
        }
        std::array<epoll_event, 64> events{};
        while (answered_ < options_.requests) {
            int const n = ::epoll_wait(poll_, events.data(), events.size(), 10'000);
            if (n <= 0)
                return fail(errc::timeout, "the server does not answer");
            for (int i = 0; i < n; ++i)
                ASSAY_CHECK(receive(connections_[events[static_cast<std::size_t>(i)].data.u64]));
        }
        load_result out{answered_, refused_,
                        std::chrono::duration<double>(clock::now() - start).count(), 0, 0};
        std::sort(latencies_ms_.begin(), latencies_ms_.end());
        out.p50_ms = latencies_ms_[latencies_ms_.size() / 2];
        out.p99_ms = latencies_ms_[latencies_ms_.size() * 99 / 100];
        return out;
    }

private:
    result<void> send_next(connection& c)
    {
        if (sent_ == options_.requests)
            return {};
        auto const bytes = options_.request(sent_++);
        c.sent = clock::now();
        if (::send(c.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(bytes.size()))
            return fail(errc::io, "a request could not be sent whole");
        return {};
    }

    result<void> receive(connection& c)
    {
        std::array<char, 64 * 1024> buffer{};
        auto const n = ::recv(c.fd, buffer.data(), buffer.size(), 0);
        if (n <= 0)
            return fail(errc::io, "the server closed a connection");
        c.in.append(buffer.data(), static_cast<std::size_t>(n));
        if (c.needed == 0)
            c.needed = answer_length(c.in);
        if (c.needed == 0 || c.in.size() < c.needed)
            return {};
        ++answered_;
        if (!c.in.starts_with("HTTP/1.1 200"))
            ++refused_;
        latencies_ms_.push_back(
            std::chrono::duration<double, std::milli>(clock::now() - c.sent).count());
        c.in.clear();
        c.needed = 0;
        return send_next(c);
    }

    load_options const& options_;
    int const poll_;
    std::vector<connection> connections_;
    std::vector<double> latencies_ms_;
    std::uint64_t sent_ = 0;
    std::uint64_t answered_ = 0;
    std::uint64_t refused_ = 0;
};

} // namespace

result<load_result> run_load(load_options const& options)
{
    return load(options).run();
}

std::string post_request(std::string const& path, std::string const& api_key,
                         std::string const& body)
{
    return fmt::format("POST {} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer "
                       "{}\r\nContent-Type: application/json\r\n"
                       "Content-Length: {}\r\n\r\n{}",
                       path, api_key, body.size(), body);
}

} // namespace assay::tools::bench
