#include "core/json.hpp"
#include "core/time.hpp"
#include "http/server/access_log.hpp"
#include "tests/http/loopback.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>
#include <vector>

using namespace assay;
using namespace assay::http;
using namespace assay::test;

namespace {

std::vector<json::object> lines_of(std::filesystem::path const& file)
{
    std::vector<json::object> lines;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);)
        if (auto parsed = json::parse(line); parsed && parsed->is_object())
            lines.push_back(parsed->get_object());
    return lines;
}

} // namespace

TEST_CASE("access log: a line a request, without secrets", "[http][log]")
{
    auto const file =
        std::filesystem::temp_directory_path() / fmt::format("assay-access-{}.log", ::getpid());
    std::filesystem::remove(file);
    server_options options;
    options.access_log = file.string();
    options.identify = [](request const&) -> result<std::shared_ptr<identity const>> {
        return std::make_shared<identity const>(
            identity{.profile = derive_uuid("p"), .may = [](permission const&) { return true; }});
    };
    router routes;
    routes.add({.method = method::post,
                .pattern = "/a/{id}",
                .name = "a.post",
                .permission = permission{"a", "post"},
                .serve = on_io_thread([](request const&) { return text(201, "four"); })});
    test_server served(std::move(routes), options);
    raw_client client(served.port());
    REQUIRE(client.send(
        post("/a/x%20y?key=sesame", "sesame",
             "Authorization: Bearer sesame\r\nCookie: sesame\r\nX-Request-Id: r-1\r\n")));
    CHECK(client.receive().status == 201);
    REQUIRE(client.send(get("/not\"here\xC3\xA4")));
    CHECK(client.receive().status == 404);
    REQUIRE(client.send("nonsense\r\n\r\n"));
    CHECK(client.receive().status == 400);
    REQUIRE(eventually([&] { return lines_of(file).size() >= 3; }));
    served.server.reset();

    auto const lines = lines_of(file);
    auto const& first = lines.at(0);
    CHECK(first.at("request_id") == "r-1");
    CHECK(first.at("method") == "POST");
    CHECK(first.at("path") == "/a/x%20y");
    CHECK(first.at("route") == "a.post");
    CHECK(first.at("status") == 201);
    CHECK(first.at("bytes") == 4);
    CHECK(first.at("duration_ms").is_double());
    CHECK(first.at("profile").as_string() == derive_uuid("p").text());
    CHECK(std::string(first.at("peer").as_string()).starts_with("127.0.0.1:"));
    CHECK(instant::parse(std::string(first.at("time").as_string())));
    CHECK(lines.at(1).at("path") == "/not\"here%C3%A4");
    CHECK(lines.at(2).at("status") == 400);
    CHECK(lines.at(2).at("path") == "");
    CHECK(lines.at(2).at("method") == "OTHER");
    std::stringstream all;
    all << std::ifstream(file).rdbuf();
    CHECK(all.str().find("sesame") == std::string::npos);
    std::filesystem::remove(file);
}

TEST_CASE("access log: off is off, and a path that cannot be opened is an error", "[http][log]")
{
    CHECK(access_log::open("")->get() == nullptr);
    CHECK(access_log::open("off")->get() == nullptr);
    CHECK(access_log::open("stderr")->get() != nullptr);
    CHECK(access_log::open("/proc/nowhere/access.log").error().code == errc::io);
}
