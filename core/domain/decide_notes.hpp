#pragma once

#include "core/domain/command.hpp"

/// Decisions about notes; see `decide` for what the errors mean.
namespace assay {

[[nodiscard]] result<decision> decide_note(partition_state const& state,
                                           command::save_draft const& c);
[[nodiscard]] result<decision> decide_note(partition_state const& state,
                                           command::open_group const& c);
[[nodiscard]] result<decision> decide_note(partition_state const& state,
                                           command::title_group const& c);
[[nodiscard]] result<decision> decide_note(partition_state const& state,
                                           command::report_problem const& c);

} // namespace assay
