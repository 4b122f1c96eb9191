#pragma once

#include "core/result.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

namespace spdlog {
class logger;
}

namespace assay::http {

/// What one line of the access log tells. No header, body or query is ever part of it.
struct access_entry {
    std::chrono::system_clock::time_point time; ///< when the request's head was complete
    std::string_view request_id;
    std::string_view method;
    std::string_view path;  ///< without query
    std::string_view route; ///< name, "" if none matched
    unsigned status;        ///< 0: the connection broke before an answer
    std::uint64_t bytes;    ///< of the body sent
    std::chrono::microseconds duration;
    std::string_view peer;
    std::string_view profile; ///< "" when unknown
};

/// One JSON object a request and line. Thread-safe.
class access_log {
public:
    /// @param target "" or "off": none; "stderr"; else a file's path, appended to.
    /// @returns errc::io if the file cannot be opened. A null pointer when off.
    [[nodiscard]] static result<std::unique_ptr<access_log>> open(std::string_view target);

    void write(access_entry const& entry);

    /// Hands buffered lines to the operating system; the server calls it several times a second.
    void flush();

private:
    explicit access_log(std::shared_ptr<spdlog::logger> logger) : logger_(std::move(logger)) {}

    std::shared_ptr<spdlog::logger> logger_;
};

} // namespace assay::http
