#pragma once

#include "core/domain/command.hpp"
#include "core/domain/staging.hpp"
#include "core/result.hpp"
#include "events/blobs.hpp"
#include "events/record.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// What goes into the commit pipeline and what comes out.
namespace assay::events {

/// In whose name a command is given.
struct actor {
    uuid workspace;
    uuid profile; ///< nil: the server itself
    events::channel channel{};
};

/// What makes a command repeatable: hashes under the workspace's address key, so the log confirms no guess.
struct idempotency {
    digest key;  ///< of workspace, profile, operation and the client's key
    digest body; ///< of the request's body
};

/// What the caller believes of a stream. `version` counts with `exact`.
struct expectation {
    enum class kind : std::uint8_t { any, none, exists, exact };
    stream_id stream;
    kind wanted = kind::any;
    std::uint64_t version = 0;
};

/// One command on its way in.
struct submission {
    events::actor actor;
    uuid command_id;       ///< ids that the command mints derive from it
    std::string operation; ///< "test.start"
    any_command command;
    blob_list blobs;          ///< sealed texts that its events refer to
    std::vector<uuid> keys{}; ///< data keys of `blobs`; `submit` fills it in
    std::vector<expectation> expects;
    std::optional<events::idempotency> idempotency;
    std::optional<assay::staging> staging{}; ///< it waits to be accepted, or answers what waits
    blob_list staged_blobs{};                ///< the request's body, when it is staged
    std::optional<digest> request;           ///< HMAC of the client's request id
    std::optional<std::uint64_t> causation;  ///< commit that led to this command
};

/// What became of a command.
struct receipt {
    boost::json::object answer;
    std::optional<std::uint64_t> position; ///< of its commit; none when there was nothing to write
    bool replayed = false; ///< the answer is that of an earlier call with the same idempotency key
};

} // namespace assay::events
