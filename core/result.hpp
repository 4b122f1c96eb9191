#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay {

/// What went wrong, in the words that every surface shares. One HTTP status each (http/server/problem.hpp).
enum class errc : std::uint8_t {
    malformed = 1,      ///< cannot be read at all (400)
    unauthenticated,    ///< no identity, or one that does not check out (401)
    forbidden,          ///< the identity may not do this (403)
    not_found,          ///< unknown, or another workspace's: indistinguishable (404)
    conflict,           ///< a lifecycle rule or an expected version stands against it (409)
    gone,               ///< was there once (410)
    too_large,          ///< more bytes than the limit (413)
    invalid,            ///< readable, but a value is not allowed (422)
    idempotency_reused, ///< the key was used before with another body (422)
    rate_limited,       ///< ask later (429)
    projection_failed,  ///< a view refused an event; nothing was written (500)
    internal,           ///< a broken promise of our own (500)
    unavailable,        ///< writing is not possible now, reading is (503)
    overloaded,         ///< the queue is full (503)
    corrupt,            ///< stored bytes do not check out
    io,                 ///< the operating system refused
    timeout,            ///< a deadline passed
    cancelled,          ///< asked to stop
};

/// One field of a refused request, as the documented 422 body has it.
struct field_problem {
    std::vector<std::string> loc; ///< path to the field, e.g. {"body", "test_id"}
    std::string msg;              ///< what a person should change
    std::string type;             ///< stable word, e.g. "missing", "uuid_parsing"
};

/// Why something was refused. `detail` is for the log and for the client: it never holds a secret.
struct error {
    errc code;
    std::string detail;
    std::string reason{};                ///< stable code beside `code`, e.g. "test_completed"
    std::vector<field_problem> fields{}; ///< with errc::invalid
    std::optional<std::uint32_t> retry_after_ms{}; ///< with rate_limited, unavailable, overloaded
};

template <class T>
using result = std::expected<T, error>;

[[nodiscard]] inline std::unexpected<error> fail(errc code, std::string detail,
                                                 std::string reason = {})
{
    return std::unexpected(error{code, std::move(detail), std::move(reason)});
}

[[nodiscard]] inline std::unexpected<error> fail(error e)
{
    return std::unexpected(std::move(e));
}

} // namespace assay

/// Returns the error of `expression`, a result, from the enclosing function; otherwise goes on.
#define ASSAY_CHECK(expression)                                                                    \
    do {                                                                                           \
        if (auto assay_checked = (expression); !assay_checked)                                     \
            return std::unexpected(std::move(assay_checked).error());                              \
    } while (false)

#define ASSAY_TRY_CONCAT_(a, b) a##b
#define ASSAY_TRY_NAME_(a, b) ASSAY_TRY_CONCAT_(a, b)
#define ASSAY_TRY_(name, declaration, expression)                                                  \
    auto name = (expression);                                                                      \
    if (!name)                                                                                     \
        return std::unexpected(std::move(name).error());                                           \
    declaration = std::move(*name)

/// `ASSAY_TRY(auto x, f())`: binds the value of a result, or returns its error.
#define ASSAY_TRY(declaration, expression)                                                         \
    ASSAY_TRY_(ASSAY_TRY_NAME_(assay_tried_, __COUNTER__), declaration, expression)
