#pragma once

#include "http/server/server.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace assay::test {

/// One answer as it came over the wire. Header names are in lower case.
struct raw_response {
    int status = 0; ///< 0: the connection ended or nothing came in time
    std::map<std::string, std::string> headers;
    std::string body;
};

/// How long is waited for what must happen: only a failure takes so long, however busy the machine.
constexpr std::chrono::seconds patience{60};

/// A client that sends exactly the bytes that it is told to. Blocking.
class raw_client {
public:
    /// @param small_buffer makes the kernel hold little, so that not reading is felt by the sender
    ///          soon.
    explicit raw_client(std::uint16_t port, bool small_buffer = false);
    raw_client(raw_client const&) = delete;
    ~raw_client();

    /// @returns false if the other side has closed.
    bool send(std::string_view bytes);

    /// Reads one answer; chunked bodies are put together. @param head of a HEAD request: no body
    /// follows.
    raw_response receive(bool head = false);

    /// Reads until `text` has come. @returns what was read up to and with it; "" if it did not
    /// come.
    std::string receive_until(std::string_view text, std::chrono::milliseconds limit = patience);

    /// Whether there is anything to read, the other side's end included, within `limit`.
    [[nodiscard]] bool readable_within(std::chrono::milliseconds limit) const;

    /// Whether the other side closes within `limit`.
    bool closed_within(std::chrono::milliseconds limit = patience);

private:
    bool fill(std::chrono::milliseconds limit = patience);

    int fd_;
    std::string input_;
};

/// "GET /path HTTP/1.1" with a Host and what is given.
std::string get(std::string_view path, std::string_view more_fields = {});
std::string post(std::string_view path, std::string_view body, std::string_view more_fields = {});

/// A server with the routes of a test; limits are short where a test waits for them.
class test_server {
public:
    explicit test_server(http::router routes, http::server_options options = {});

    [[nodiscard]] std::uint16_t port() const { return server->port(); }

    http::blocking_pool pool{2};
    http::metrics numbers;
    std::unique_ptr<http::server> server;
};

/// Waits until `met` holds. @returns whether it does.
template <class Condition>
bool eventually(Condition met)
{
    auto const give_up = std::chrono::steady_clock::now() + patience;
    while (!met()) {
        if (std::chrono::steady_clock::now() > give_up)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
    return true;
}

} // namespace assay::test
