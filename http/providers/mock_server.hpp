#pragma once

#include "core/result.hpp"
#include "http/providers/recordings.hpp"
#include "http/server/server.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace assay::http {

/// How a mock answers, and how often it misbehaves. Shares are between 0 and 1 and add up to at
/// most 1.
struct mock_options {
    std::string address = "127.0.0.1";
    std::uint16_t port = 0;
    std::chrono::microseconds latency{0}; ///< of every answer, errors too
    std::vector<std::pair<unsigned, double>>
        statuses{};                           ///< error status and its share of the requests
    std::chrono::milliseconds retry_after{0}; ///< sent with 429 and 503; 0: not sent
    double hang = 0;                          ///< share that is never answered
    double truncate = 0;                      ///< share whose body is cut in the middle
    std::uint64_t seed = 1; ///< of the misbehaviour: the n-th request's fate follows from it
    std::size_t connections_max = 10'000;
};

/// A server that speaks the chat-completions wire format from recordings and misbehaves on request:
/// for load tests, for CI without a key, and for our own tests.
///
/// POST /v1/chat/completions looks at `model` and the last user message. An unknown question is 404
/// with an error body of the usual shape. `usage` is sent only if the recording has it. GET /stats
/// tells what was asked, GET /healthz that it lives.
class mock_server {
public:
    /// @returns errc::invalid for shares that cannot be, and what `server::start` returns.
    [[nodiscard]] static result<std::unique_ptr<mock_server>>
    start(mock_options options, std::shared_ptr<recordings const> recorded);

    /// Ends at once, hanging requests included.
    ~mock_server();

    /// "http://127.0.0.1:8080/v1", a base URL for clients.
    [[nodiscard]] std::string base_url() const;

    struct tally {
        std::uint64_t requests = 0;           ///< completions asked for, well-formed or not
        std::uint64_t answered = 0;           ///< given an answer from the recordings
        std::uint64_t distinct_questions = 0; ///< different (model, question) pairs asked
        std::uint64_t repeated_questions = 0; ///< of them, asked more than once
        std::uint64_t answered_twice = 0;     ///< of them, answered more than once
    };

    [[nodiscard]] tally stats() const;

    /// The same as GET /stats shows it, with `outcomes`: how many requests got each status, "hang"
    /// or "truncate".
    [[nodiscard]] std::string stats_json() const;

private:
    struct impl;

    explicit mock_server(std::unique_ptr<impl> made);

    std::unique_ptr<impl> impl_;
};

} // namespace assay::http
