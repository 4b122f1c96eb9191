#pragma once

#include "core/codec.hpp"
#include "core/result.hpp"
#include "events/recorded.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The bytes of one commit. The page that explains them is events/log_format.md.
namespace assay::events {

constexpr std::uint8_t record_format = 1;

/// Limits of one commit.
constexpr std::size_t commit_events_max = 256;
constexpr std::size_t commit_bytes_max = 512 * 1024;
constexpr std::size_t entry_bytes_max = 65'535; ///< of tlog-tiles

struct envelope_stream {
    std::string id;                        ///< stream_id::text
    std::optional<std::uint64_t> previous; ///< position of the commit that wrote to it before
    std::uint64_t version = 0;             ///< after this commit
};
BOOST_DESCRIBE_STRUCT(envelope_stream, (), (id, previous, version))

struct envelope_event {
    digest payload;           ///< SHA-256 of the stored payload
    std::uint32_t stream = 0; ///< index into the envelope's streams
    std::string type;
    std::uint16_t v = 1; ///< schema version of the payload
};
BOOST_DESCRIBE_STRUCT(envelope_event, (), (payload, stream, type, v))

/// Who did what, when, to which streams. Its canonical JSON is the leaf of the log's tree; it holds
/// no text that a client
/// or a model chose, only hashes of it.
struct envelope {
    std::uint16_t format = record_format;
    std::uint64_t position = 0;
    uuid commit;
    uuid command;
    std::string operation; ///< e.g. "test.start"; one command may be several commits
    instant at;
    uuid workspace;
    uuid partition;
    std::optional<std::uint64_t> previous; ///< commit before this one in the partition
    uuid profile;
    events::channel channel{};
    std::optional<std::uint64_t> causation; ///< commit that led to this one
    std::vector<envelope_stream> streams;
    std::vector<envelope_event> events;
    digest events_root;     ///< RFC 6962 root over the events: leaf = type, version, payload hash
    std::vector<uuid> keys; ///< data keys that this commit's contents are sealed under
    std::optional<digest> request;     ///< HMAC of the client's request id
    std::optional<digest> idempotency; ///< HMAC of scope and key
    std::optional<digest> body;        ///< HMAC of the request body that came with the key
    std::optional<digest> answer;      ///< SHA-256 of the stored, sealed answer
};
BOOST_DESCRIBE_STRUCT(envelope, (),
                      (format, position, commit, command, operation, at, workspace, partition,
                       previous, profile, channel, causation, streams, events, events_root, keys,
                       request, idempotency, body, answer))

/// A commit's record taken apart; the views point into the bytes it was read from.
struct record_parts {
    std::string_view entry; ///< the envelope's canonical JSON
    std::vector<std::string_view> payloads;
    std::string_view answer; ///< sealed; empty without an idempotency key
};

[[nodiscard]] std::string write_record(std::string_view entry,
                                       std::vector<std::string> const& payloads,
                                       std::string_view answer);

/// @returns errc::corrupt if lengths do not fit, errc::unavailable for a newer format.
[[nodiscard]] result<record_parts> read_record(std::string_view bytes);

/// Leaf hash of one event in the small tree of its commit: over the canonical JSON of {payload, type, v}.
[[nodiscard]] digest event_leaf(envelope_event const& e);

/// The whole commit, decoded; events raised to today's versions.
///
/// @returns errc::corrupt naming the position, or errc::unavailable for what a newer program wrote.
[[nodiscard]] result<commit_ptr> read_commit(std::string_view bytes);

/// Recomputes every hash that the record holds of itself.
///
/// @returns the leaf hash for the tree, or errc::corrupt saying which part does not fit.
[[nodiscard]] result<digest> verify_record(std::uint64_t position, std::string_view bytes);

} // namespace assay::events
