#pragma once

#include "core/hash.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace assay::events {

/// What a check of a whole log found.
struct log_report {
    std::uint64_t commits = 0;             ///< that the log says it has
    std::uint64_t sound = 0;               ///< leading ones that check out
    std::uint64_t events = 0;              ///< in those
    std::uint64_t bytes = 0;               ///< of their records
    digest root;                           ///< over the sound ones
    std::optional<std::uint64_t> anchored; ///< size that the anchor file vouches for

    /// The first thing that is wrong; none: the log is whole.
    struct damage {
        std::optional<std::uint64_t> position; ///< none: it is not one commit's
        std::string what;
    };

    std::optional<damage> found;
};

/// Checks a directory's log from its bytes up: every record against its own hashes, its leaf
/// against the tree's row, the tree against the stored root, both against the anchor. Reads only;
/// needs no keys; the log may be damaged to any degree, and may be in use (then what was on disk at
/// the start is checked).
///
/// @param progress  called now and then with commits done and commits in all; false ends the check
/// with errc::cancelled.
/// @returns the report, also of a damaged log; errc::io or errc::not_found when there is no log to
/// be read.
[[nodiscard]] result<log_report>
check_log(std::filesystem::path const& dir,
          std::function<bool(std::uint64_t, std::uint64_t)> const& progress = {});

} // namespace assay::events
