#include "http/server/sse.hpp"
#include "tests/http/loopback.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

using namespace assay;
using namespace assay::http;
using namespace assay::test;
using namespace std::chrono_literals;

namespace {

/// A server whose GET /watch opens a stream and hands it to the test.
class watched_server {
public:
    explicit watched_server(sse_options stream_options = {}, server_options options = {},
                            std::optional<http::permission> wanted = {})
        : permission(std::move(wanted)), served(routes(stream_options), std::move(options))
    {
    }

    /// The stream of the n-th reader, once it is there.
    std::shared_ptr<sse_stream> stream(std::size_t n = 0)
    {
        REQUIRE(eventually([&] {
            std::lock_guard const lock(mutex);
            return streams.size() > n;
        }));
        std::lock_guard const lock(mutex);
        return streams[n];
    }

    std::optional<http::permission> const permission; ///< of the route
    std::mutex mutex;
    std::vector<std::shared_ptr<sse_stream>> streams;
    std::string last_event_id;
    test_server served;

private:
    router routes(sse_options stream_options)
    {
        router table;
        table.add({.pattern = "/watch",
                   .name = "watch",
                   .permission = permission,
                   .serve = on_io_thread([this, stream_options](request const& req) {
                       std::lock_guard const lock(mutex);
                       last_event_id = req.last_event_id().value_or("");
                       streams.push_back(std::make_shared<sse_stream>(stream_options));
                       return response{.content_type = "text/event-stream", .body = streams.back()};
                   })});
        return table;
    }
};

} // namespace

TEST_CASE("sse: events are written as the standard has them", "[http][sse]")
{
    CHECK(encode({.id = "7", .name = "grade", .data = "{}"}) ==
          "id: 7\nevent: grade\ndata: {}\n\n");
    CHECK(encode({.data = "one\ntwo"}) == "data: one\ndata: two\n\n");
    CHECK(encode({.data = "a\r\nb"}) == "data: a\ndata: b\n\n");
    CHECK(encode({.id = "1\ndata: forged", .data = ""}) == "id: 1data: forged\ndata: \n\n");
}

TEST_CASE("sse: events from other threads reach the reader in order", "[http][sse]")
{
    watched_server watched;
    raw_client reader(watched.served.port());
    REQUIRE(reader.send(get("/watch?last_event_id=41")));
    auto const stream = watched.stream();
    auto const head = reader.receive_until("\r\n\r\n");
    CHECK(head.find("Content-Type: text/event-stream") != std::string::npos);
    CHECK(head.find("Cache-Control: no-store") != std::string::npos);
    CHECK(watched.last_event_id == "41");

    auto pusher = std::async(std::launch::async, [&] {
        int pushed = 0;
        while (pushed < 500 && stream->push({.id = std::to_string(pushed), .data = "x"}))
            ++pushed;
        return pushed;
    });
    for (int i = 0; i < 500; ++i)
        REQUIRE_FALSE(reader.receive_until("id: " + std::to_string(i) + "\ndata: x\n\n").empty());
    CHECK(pusher.get() == 500);
    stream->close();
    CHECK_FALSE(reader.receive_until("0\r\n\r\n").empty());
    CHECK(reader.closed_within());
    CHECK_FALSE(stream->push({.data = "late"}));
}

TEST_CASE("sse: the header Last-Event-ID goes before the query", "[http][sse]")
{
    watched_server watched;
    raw_client reader(watched.served.port());
    REQUIRE(reader.send(get("/watch?last_event_id=1", "Last-Event-ID: 2\r\n")));
    (void)watched.stream();
    CHECK(watched.last_event_id == "2");
}

TEST_CASE("sse: events pushed before the answer is out are not lost", "[http][sse]")
{
    router routes;
    routes.add({.pattern = "/watch",
                .name = "watch",
                .serve = on_io_thread([](request const&) {
                    auto const stream = std::make_shared<sse_stream>();
                    stream->push({.data = "early"});
                    stream->close();
                    return response{.content_type = "text/event-stream", .body = stream};
                })});
    test_server served(std::move(routes));
    raw_client reader(served.port());
    REQUIRE(reader.send(get("/watch")));
    CHECK(reader.receive().body == "data: early\n\n");
    raw_client old(served.port());
    REQUIRE(old.send("GET /watch HTTP/1.0\r\n\r\n"));
    CHECK_FALSE(old.receive_until("\r\n\r\ndata: early\n\n").empty());
    CHECK(old.closed_within());
}

TEST_CASE("sse: a silent stream is kept alive by comments", "[http][sse]")
{
    server_options options;
    options.sse_keep_alive = 40ms;
    watched_server watched({}, options);
    raw_client reader(watched.served.port());
    REQUIRE(reader.send(get("/watch")));
    CHECK_FALSE(reader.receive_until(": keep-alive\n\n").empty());
    CHECK_FALSE(reader.receive_until(": keep-alive\n\n").empty());
    REQUIRE(watched.stream()->push({.data = "still here"}));
    CHECK_FALSE(reader.receive_until("still here").empty());
}

TEST_CASE("sse: a reader that is too slow is dropped, not buffered", "[http][sse]")
{
    watched_server watched({.queue_bytes_max = 64 * 1024});
    raw_client slow(watched.served.port(), true);
    raw_client quick(watched.served.port());
    REQUIRE(slow.send(get("/watch")));
    auto const slow_stream = watched.stream(0);
    REQUIRE(quick.send(get("/watch")));
    auto const quick_stream = watched.stream(1);

    std::atomic<bool> ended{false};
    slow_stream->on_end([&] { ended = true; });
    // At leisure, the writer has been woken and waits for the kernel when the queue overflows; in a
    // rush, it has not.
    auto const pause = GENERATE(0ms, 2ms);
    std::string const data(pause == 0ms ? 1000 : 30'000, 'd');
    std::size_t pushed = 0;
    // The kernel takes some megabytes before the queue begins to fill.
    while (pushed < 100'000 && slow_stream->push({.data = data})) {
        ++pushed;
        std::this_thread::sleep_for(pause);
    }
    CHECK(pushed < 100'000);
    CHECK(ended);
    CHECK(slow_stream->dropped());
    CHECK(eventually([&] {
        return watched.served.numbers.text().find("assay_http_sse_readers_dropped_total 1") !=
               std::string::npos;
    }));
    CHECK(slow.closed_within());

    REQUIRE(quick_stream->push({.data = "unharmed"}));
    CHECK_FALSE(quick.receive_until("unharmed").empty());
}

TEST_CASE("sse: history is offered at the reader's pace and arrives whole", "[http][sse]")
{
    watched_server watched({.queue_bytes_max = 4096});
    raw_client reader(watched.served.port());
    REQUIRE(reader.send(get("/watch")));
    auto const stream = watched.stream();
    auto teller = std::async(std::launch::async, [&] {
        for (int i = 0; i < 5000; ++i)
            while (!stream->offer({.id = std::to_string(i), .data = std::string(300, 'h')}))
                if (!stream->wait_for_room(patience))
                    return i;
        stream->close();
        return 5000;
    });
    for (int i = 0; i < 5000; ++i)
        REQUIRE_FALSE(reader.receive_until("id: " + std::to_string(i) + "\n").empty());
    CHECK(teller.get() == 5000);
}

TEST_CASE("sse: the handler learns that its reader has gone", "[http][sse]")
{
    watched_server watched;
    std::promise<void> gone;
    {
        raw_client reader(watched.served.port());
        REQUIRE(reader.send(get("/watch")));
        watched.stream()->on_end([&] { gone.set_value(); });
    }
    CHECK(gone.get_future().wait_for(patience) == std::future_status::ready);
    CHECK(watched.stream()->ended());
    CHECK_FALSE(watched.stream()->offer({.data = "x"}));
    CHECK_FALSE(watched.stream()->wait_for_room(1ms));
}

TEST_CASE("sse: streams end when the server drains, what is queued goes out", "[http][sse]")
{
    watched_server watched;
    raw_client reader(watched.served.port());
    REQUIRE(reader.send(get("/watch")));
    auto const stream = watched.stream();
    REQUIRE(stream->push({.data = "last words"}));
    auto const began = std::chrono::steady_clock::now();
    watched.served.server->drain(patience);
    CHECK(std::chrono::steady_clock::now() - began < patience);
    CHECK(stream->ended());
    CHECK_FALSE(reader.receive_until("last words\n\n").empty());
    CHECK_FALSE(reader.receive_until("0\r\n\r\n").empty());
}

TEST_CASE("sse: a stream ends with the identity that opened it", "[http][sse]")
{
    std::atomic<bool> good = true;
    server_options options;
    options.sse_keep_alive = 40ms;
    options.identify = [&](request const&) -> result<std::shared_ptr<identity const>> {
        auto who = std::make_shared<identity>();
        who->may = [](permission const&) { return true; };
        who->stands = [&] { return good.load(); };
        return who;
    };
    watched_server watched({}, options, permission{"test", "watch"});
    raw_client reader(watched.served.port());
    REQUIRE(reader.send(get("/watch")));
    REQUIRE(watched.stream()->push({.data = "for you"}));
    CHECK_FALSE(reader.receive_until("for you\n\n").empty());
    good = false;
    CHECK_FALSE(reader.receive_until("0\r\n\r\n").empty());
    CHECK(eventually([&] { return watched.stream()->ended(); }));
}

TEST_CASE("sse: HEAD opens no stream", "[http][sse]")
{
    watched_server watched;
    raw_client reader(watched.served.port());
    REQUIRE(reader.send("HEAD /watch HTTP/1.1\r\nHost: a\r\n\r\n"));
    CHECK(reader.receive(true).status == 200);
    CHECK(eventually([&] { return watched.stream()->ended(); }));
}
