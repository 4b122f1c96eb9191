#pragma once

#include "core/hash.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace assay::events {

/// A size and root of the log that was certainly durable once. Kept in a file of its own, synced on
/// its own, at most one second
/// old: what the database cannot notice about its own loss, the anchor does.
struct anchor {
    std::uint64_t size = 0; ///< number of commits
    digest root;
};

/// Reads the file; none when there is none. errc::corrupt if it is not an anchor.
[[nodiscard]] result<std::optional<anchor>> read_anchor(std::filesystem::path const& file);

/// Replaces the file: temporary file, sync, rename, sync of the directory.
[[nodiscard]] result<void> write_anchor(std::filesystem::path const& file, anchor const& a);

/// Replaces `file` by `bytes` the same way. One caller a file at a time, unless each has a `suffix` of its own.
///
/// @param mode    permission bits of the new file
/// @param suffix  what the temporary file's name has more than the file's
[[nodiscard]] result<void> replace_file(std::filesystem::path const& file, std::string_view bytes,
                                        unsigned mode = 0644, std::string_view suffix = ".new");

/// Makes `dir` and what is missing above it, each synced into its parent: a synced file in a directory that a power cut
/// takes away would be lost with it.
[[nodiscard]] result<void> make_directories(std::filesystem::path const& dir);

/// Overwrites the file's bytes where they lie, syncs, and removes it; absent is fine. What a file
/// system keeps elsewhere
/// (copies on write, a journal of data, a worn cell) is out of reach.
[[nodiscard]] result<void> shred_file(std::filesystem::path const& file);

/// The whole file; errc::not_found when there is none.
[[nodiscard]] result<std::string> read_file(std::filesystem::path const& file);

} // namespace assay::events
