#include "http/client/client.hpp"
#include "tools/mock.hpp"

#include <CLI/CLI.hpp>
#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <future>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

using namespace assay;

namespace {

/// `assay mock ...` in a process of its own, its output in a pipe.
class mock_process {
public:
    explicit mock_process(std::vector<std::string> arguments)
    {
        std::array<int, 2> ends{};
        REQUIRE(::pipe(ends.data()) == 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(ends[1], STDOUT_FILENO);
            ::dup2(ends[1], STDERR_FILENO);
            ::_exit(run(std::move(arguments)));
        }
        ::close(ends[1]);
        output_ = ends[0];
    }

    ~mock_process()
    {
        if (pid_ > 0)
            (void)stop();
        ::close(output_);
    }

    /// What was printed up to the next line break.
    std::string line()
    {
        std::string text;
        for (char c = 0; ::read(output_, &c, 1) == 1 && c != '\n';)
            text.push_back(c);
        return text;
    }

    int wait()
    {
        int status = 0;
        ::waitpid(std::exchange(pid_, -1), &status, 0);
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    int stop()
    {
        ::kill(pid_, SIGTERM);
        return wait();
    }

private:
    static int run(std::vector<std::string> arguments)
    {
        CLI::App app;
        int exit_code = 0;
        tools::add_mock(app, exit_code);
        std::reverse(arguments.begin(), arguments.end()); // as CLI11 wants a vector
        try {
            app.parse(arguments);
        } catch (CLI::ParseError const&) {
            return 2;
        }
        return exit_code;
    }

    pid_t pid_ = -1;
    int output_ = -1;
};

} // namespace

TEST_CASE("mock: serves until it is told to stop", "[tools][mock]")
{
    auto const file =
        std::filesystem::temp_directory_path() / fmt::format("assay-mock-{}.jsonl", ::getpid());
    std::ofstream(file) << R"({"ask":"q","m":{"said":"a"}})" << '\n';
    mock_process mock({"mock", "--recordings", file.string(), "--question-field", "ask",
                       "--answer-field", "{model}.said", "--latency", "1ms", "--status", "429:0",
                       "--status", "500:0"});
    auto const first = mock.line();
    REQUIRE(first.starts_with("listening on http://127.0.0.1:"));
    CHECK(first.ends_with("/v1"));
    CHECK(mock.line() == "1 questions from " + file.string());

    auto const client = http::client::make();
    REQUIRE(client);
    std::promise<std::string> answer;
    (*client)->send({.method = http::method::post,
                     .url = first.substr(13) + "/chat/completions",
                     .body = R"({"model":"m","messages":[{"role":"user","content":"q"}]})"},
                    [&](auto said) { answer.set_value(said ? said->body : said.error().detail); });
    CHECK(answer.get_future().get().find(R"("content":"a")") != std::string::npos);
    CHECK(mock.stop() == 0);
    std::filesystem::remove(file);
}

TEST_CASE("mock: what cannot be is said, with the exit code for it", "[tools][mock]")
{
    mock_process nothing({"mock", "--recordings", "/nowhere.jsonl"});
    CHECK(nothing.wait() == 1);
    CHECK(nothing.line() == "assay mock: cannot read recordings /nowhere.jsonl");
    mock_process bad({"mock", "--recordings", "x", "--latency", "soon"});
    CHECK(bad.wait() == 2);
    mock_process missing({"mock"});
    CHECK(missing.wait() == 2);
}
