#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace assay::http {

class sse_stream;

/// Appends the next part of a long body to `out`.
///
/// Called on the blocking pool, one call at a time; nothing is read ahead of the client.
///
/// @returns whether more follows. After an error the connection is cut, so that the client sees
///          that the body is not whole (the status has long been sent).
using body_source = std::move_only_function<result<bool>(std::string& out)>;

/// An answer. The server adds Date, Content-Length or Transfer-Encoding, Connection and
/// X-Request-Id.
struct response {
    unsigned status = 200;
    std::string content_type = "application/json"; ///< empty: no Content-Type is sent
    /// The whole body, a source that is pulled from (chunked encoding), or an event stream.
    std::variant<std::string, body_source, std::shared_ptr<sse_stream>> body;
    /// Further fields. Values with control characters are dropped, so that nothing can be smuggled
    /// in.
    std::vector<std::pair<std::string, std::string>> headers{};
    /// Bytes that a source will give, when they are known: sent as Content-Length. A source that
    /// gives another number has its connection cut.
    std::optional<std::uint64_t> length{};
};

[[nodiscard]] inline response text(unsigned status, std::string body,
                                   std::string content_type = "text/plain; charset=utf-8")
{
    return {.status = status, .content_type = std::move(content_type), .body = std::move(body)};
}

[[nodiscard]] inline response json_text(unsigned status, std::string body)
{
    return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

/// Answers one request, once, from any thread; may outlive the connection and the server.
///
/// An error becomes the problem body that its route documents (http/server/problem.hpp). One that
/// is destroyed unused answers 500, so that no client waits for ever.
class responder {
public:
    using function = std::move_only_function<void(result<response>)>;

    explicit responder(function answer) : answer_(std::move(answer)) {}

    responder(responder&& other) noexcept : answer_(std::exchange(other.answer_, nullptr)) {}

    responder& operator=(responder&& other) noexcept
    {
        std::swap(answer_, other.answer_);
        return *this;
    }

    ~responder()
    {
        if (answer_)
            (*this)(fail(errc::internal, "the request was dropped without an answer"));
    }

    /// Answers. The second and later calls do nothing.
    void operator()(result<response> answer)
    {
        if (auto once = std::exchange(answer_, nullptr))
            once(std::move(answer));
    }

private:
    function answer_;
};

} // namespace assay::http
