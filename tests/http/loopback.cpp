#include "tests/http/loopback.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <charconv>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace assay::test {

raw_client::raw_client(std::uint16_t port, bool small_buffer)
    : fd_(::socket(AF_INET, SOCK_STREAM, 0))
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int const on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int const bytes = 8192;
    if (small_buffer)
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (fd_ < 0 || ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
        throw std::runtime_error("test client cannot connect");
}

raw_client::~raw_client()
{
    ::close(fd_);
}

bool raw_client::send(std::string_view bytes)
{
    while (!bytes.empty()) {
        auto const n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
}

bool raw_client::fill(std::chrono::milliseconds limit)
{
    if (!readable_within(limit))
        return false;
    std::array<char, 16384> bytes;
    auto const n = ::recv(fd_, bytes.data(), bytes.size(), 0);
    if (n <= 0)
        return false;
    input_.append(bytes.data(), static_cast<std::size_t>(n));
    return true;
}

std::string raw_client::receive_until(std::string_view text, std::chrono::milliseconds limit)
{
    auto const give_up = std::chrono::steady_clock::now() + limit;
    for (;;) {
        if (auto const at = input_.find(text); at != std::string::npos) {
            auto found = input_.substr(0, at + text.size());
            input_.erase(0, found.size());
            return found;
        }
        auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(
            give_up - std::chrono::steady_clock::now());
        if (left.count() <= 0 || !fill(left))
            return {};
    }
}

raw_response raw_client::receive(bool head)
{
    raw_response out;
    auto const top = receive_until("\r\n\r\n");
    if (top.size() < 12)
        return out;
    std::from_chars(top.data() + 9, top.data() + 12, out.status);
    for (auto at = top.find("\r\n") + 2; at + 2 < top.size(); at = top.find("\r\n", at) + 2) {
        auto const line = top.substr(at, top.find("\r\n", at) - at);
        auto name = line.substr(0, line.find(':'));
        std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
        out.headers[name] = line.substr(std::min(line.size(), name.size() + 2));
    }
    if (head || out.status == 204 || out.status / 100 == 1)
        return out;
    if (out.headers.contains("transfer-encoding")) {
        for (;;) {
            auto const size = std::stoul("0" + receive_until("\r\n"), nullptr, 16);
            while (input_.size() < size + 2 && fill()) {
            }
            if (input_.size() < size + 2 || size == 0)
                break;
            out.body += input_.substr(0, size);
            input_.erase(0, size + 2);
        }
        return out;
    }
    std::size_t const size =
        out.headers.contains("content-length") ? std::stoul(out.headers["content-length"]) : 0;
    while (input_.size() < size && fill()) {
    }
    out.body = input_.substr(0, size);
    input_.erase(0, size);
    return out;
}

bool raw_client::readable_within(std::chrono::milliseconds limit) const
{
    pollfd ready{fd_, POLLIN, 0};
    return ::poll(&ready, 1, static_cast<int>(limit.count())) > 0;
}

bool raw_client::closed_within(std::chrono::milliseconds limit)
{
    auto const give_up = std::chrono::steady_clock::now() + limit;
    for (;;) {
        auto const left = std::chrono::duration_cast<std::chrono::milliseconds>(
            give_up - std::chrono::steady_clock::now());
        if (left.count() <= 0 || !readable_within(left))
            return false;
        if (!fill())
            return true;
    }
}

std::string get(std::string_view path, std::string_view more_fields)
{
    return fmt::format("GET {} HTTP/1.1\r\nHost: test\r\n{}\r\n", path, more_fields);
}

std::string post(std::string_view path, std::string_view body, std::string_view more_fields)
{
    return fmt::format("POST {} HTTP/1.1\r\nHost: test\r\nContent-Length: {}\r\n{}\r\n{}", path,
                       body.size(), more_fields, body);
}

test_server::test_server(http::router routes, http::server_options options)
{
    auto started = http::server::start(std::move(options), std::move(routes), pool, numbers);
    if (!started)
        throw std::runtime_error(started.error().detail);
    server = std::move(*started);
}

} // namespace assay::test
