#pragma once

#include "core/domain/event.hpp"
#include "core/domain/state.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace assay::events {

/// Through which door a command came in.
BOOST_DEFINE_ENUM_CLASS(channel, api, cli, mcp, runner, system)

/// What all events of one commit share.
struct commit_head {
    std::uint64_t position = 0; ///< dense, from 0
    uuid commit;
    uuid command;
    instant at; ///< never less than the commit before
    uuid workspace;
    uuid partition;
    uuid profile; ///< nil: the server itself
    events::channel channel{};
};

/// One event as every reader of the log sees it, upcast to today's version.
struct recorded {
    commit_head const* head = nullptr; ///< lives as long as the commit it came with
    std::uint32_t index = 0;           ///< within its commit
    stream_id stream;
    std::uint64_t version = 0; ///< of the stream after this event, from 1
    event_body body;
};

/// One decoded commit. Not copyable: its events point to its head.
struct commit {
    commit_head head;
    std::vector<recorded> events;

    commit() = default;
    commit(commit const&) = delete;
    commit& operator=(commit const&) = delete;
};

using commit_ptr = std::shared_ptr<commit const>;

} // namespace assay::events
