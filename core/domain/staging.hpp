#pragma once

#include "core/domain/command.hpp"

#include <string>

/// Staged writes: a command that is decided now and takes place only when its sender accepts it.
namespace assay {

enum class staging_step : std::uint8_t { stage, accept, reject };

/// What a command has beside itself when it is staged, or when the staged one is answered.
struct staging {
    staging_step step = staging_step::stage;
    uuid note;             ///< follows from who asks, the operation and the idempotency key
    std::string operation; ///< "test.start"
    content body;          ///< of the request; only with `stage`
    digest body_hash;      ///< keyed; an answer must come with the body that was staged
};

/// Decides a staged command, or the answer to it. The note's stream is in the command's partition,
/// so what is accepted takes place in the commit that says so.
///
/// The decision's answer has a member `staged`: "staged", "accepted" or "rejected".
///
/// @returns the errors of the command itself (but a reject has none of them), errc::invalid with
/// reason "nothing_staged" when there is nothing to answer, errc::idempotency_reused when the body
/// differs, errc::conflict with reason "write_accepted" or "write_rejected" for what was answered
/// before.
[[nodiscard]] result<decision> decide(partition_state const& state, any_command const& command,
                                      staging const& how);

} // namespace assay
