#pragma once

#include "core/result.hpp"
#include "core/uuid.hpp"

#include <any>
#include <functional>
#include <memory>
#include <string>

namespace assay::http {

struct request;

/// What a route asks for: an operation on a kind of artifact, e.g. {"test", "start"}.
struct permission {
    std::string artifact;
    std::string operation;
};

/// Who is calling, as far as the server itself needs to know. Immutable and shared: one key's
/// requests share one.
struct identity {
    uuid workspace{};
    uuid profile{};
    std::string name{}; ///< for people
    /// Whether the caller may do this. Called on the I/O thread: memory only, no blocking.
    std::function<bool(permission const&)> may;
    /// Whether it is still good: asked while an event stream goes on, which ends when it is not.
    /// Called on the I/O thread: memory only, no blocking. Empty: it always is.
    std::function<bool()> stands{};
    /// What the one who identified the caller attached for the handlers (workspace, departments
    /// ...).
    std::any claims{};
};

/// Finds out who is calling, before a handler of a route that is not open runs.
///
/// Called on an I/O thread, from several at once: memory only, no blocking. Sees the head of the
/// request; its body has not been read yet.
///
/// @returns errc::unauthenticated without an identity that checks out.
using identify_function = std::function<result<std::shared_ptr<identity const>>(request const&)>;

} // namespace assay::http
