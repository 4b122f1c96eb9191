#pragma once

#include <span>
#include <string_view>

namespace assay {

/// An operation on a kind of artifact that a role holds; "*" stands for any.
struct permission_pair {
    std::string_view artifact;
    std::string_view operation;
};

/// What a role may do, as pairs. Of a role that nobody knows: nothing.
///
/// administrator  everything of the workspace
/// instructor     configures, runs and grades; reads everything but keys
/// learner        reads tests, their results and the configuration that they ran
/// auditor        reads everything, and the log; changes nothing
[[nodiscard]] std::span<permission_pair const> permissions_of(std::string_view role);

/// Whether `role` holds (artifact, operation), literally or by a "*".
[[nodiscard]] bool may(std::string_view role, std::string_view artifact,
                       std::string_view operation);

/// Whether there is such a role.
[[nodiscard]] bool is_role(std::string_view role);

/// Every role, the mightiest first.
[[nodiscard]] std::span<std::string_view const> roles();

} // namespace assay
