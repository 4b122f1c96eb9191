#include "tools/mock.hpp"

#include "http/providers/mock_server.hpp"
#include "tools/arguments.hpp"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace assay::tools {

namespace {

/// The flags as they were typed.
struct mock_arguments {
    std::string recordings;
    std::string listen = "127.0.0.1:0";
    std::string latency = "0";
    std::string retry_after = "0";
    std::vector<std::string> statuses;
    double hang = 0;
    double truncate = 0;
    std::uint64_t seed = 1;
    http::recording_fields fields;
};

constexpr char const* example = R"(Example:
  assay mock --recordings examples/gsm8k/example_model_solutions.jsonl --listen 127.0.0.1:9100 --latency 20ms \
      --status 429:0.02 --retry-after 1s --status 500:0.01 --hang 0.001 --truncate 0.001
  curl -s http://127.0.0.1:9100/stats)";

result<http::mock_options> read(mock_arguments const& given)
{
    ASSAY_TRY(auto const listen, parse_listen(given.listen));
    ASSAY_TRY(auto const latency, parse_duration(given.latency));
    ASSAY_TRY(auto const retry_after, parse_duration(given.retry_after));
    http::mock_options options{
        .address = listen.host,
        .port = listen.port,
        .latency = latency,
        .retry_after = std::chrono::duration_cast<std::chrono::milliseconds>(retry_after),
        .hang = given.hang,
        .truncate = given.truncate,
        .seed = given.seed};
    for (auto const& text : given.statuses) {
        ASSAY_TRY(auto share, parse_share(text));
        options.statuses.push_back(share);
    }
    return options;
}

void wait_for_signal(boost::asio::io_context& io, boost::asio::signal_set& signals)
{
    signals.async_wait([](boost::system::error_code, int) {});
    io.run();
}

int complain(error const& e, int exit_code)
{
    fmt::print(stderr, "assay mock: {}\n", e.detail);
    return exit_code;
}

int run(mock_arguments const& given)
{
    auto options = read(given);
    if (!options)
        return complain(options.error(), 2);
    auto recorded = http::recordings::load(given.recordings, given.fields);
    if (!recorded)
        return complain(recorded.error(), 1);

    // Before the first thread starts, so that no signal takes the default way.
    boost::asio::io_context io;
    boost::asio::signal_set signals(io, SIGINT, SIGTERM);
    auto const shared = std::make_shared<http::recordings const>(std::move(*recorded));
    auto const mock = http::mock_server::start(std::move(*options), shared);
    if (!mock)
        return complain(mock.error(), mock.error().code == errc::invalid ? 2 : 1);
    fmt::print("listening on {}\n{} questions from {}\n", (*mock)->base_url(), shared->questions(),
               given.recordings);
    std::fflush(stdout);
    wait_for_signal(io, signals);
    fmt::print("{}\n", (*mock)->stats_json());
    return 0;
}

} // namespace

void add_mock(CLI::App& root, int& exit_code)
{
    auto const given = std::make_shared<mock_arguments>();
    auto* const verb = root.add_subcommand(
        "mock", "Serve recorded answers as a chat-completions host, and misbehave on request");
    verb->footer(example);
    verb->add_option("--recordings", given->recordings,
                     "JSON Lines file with questions and answers")
        ->required();
    verb->add_option("--listen", given->listen, "Address and port; port 0 lets the system choose")
        ->capture_default_str();
    verb->add_option("--latency", given->latency, "Time before each answer, e.g. 20ms")
        ->capture_default_str();
    verb->add_option("--status", given->statuses,
                     "Error status and its share, e.g. 429:0.02; repeatable")
        ->take_all();
    verb->add_option("--retry-after", given->retry_after,
                     "Retry-After sent with 429 and 503, e.g. 1s");
    verb->add_option("--hang", given->hang, "Share of requests that are never answered");
    verb->add_option("--truncate", given->truncate, "Share of answers that are cut in the middle");
    verb->add_option("--seed", given->seed, "Seed of the misbehaviour")->capture_default_str();
    verb->add_option("--question-field", given->fields.question, "Path of the question in a line")
        ->capture_default_str();
    verb->add_option("--answer-field", given->fields.answer,
                     "Path of an answer; {model} is the model's name")
        ->capture_default_str();
    verb->callback([given, &exit_code] { exit_code = run(*given); });
}

} // namespace assay::tools
