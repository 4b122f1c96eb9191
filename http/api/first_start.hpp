#pragma once

#include "http/engine/engine.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace assay::api {

/// Makes the workspace "default" with an administrator if the directory holds none, and leaves its
/// API key in `admin.key`, readable by the owner alone. What a crash left half done is finished: it
/// is done when the first workspace has had a key.
///
/// @returns the key if one was made. errc::io if the file cannot be written.
[[nodiscard]] result<std::optional<std::string>> first_start(engine::engine& e);

/// Puts a new key of the first workspace's administrator into `admin.key` and revokes the older
/// ones: for whoever owns the directory and has lost its key.
///
/// @returns how many were revoked; errc::not_found without a workspace or an administrator.
[[nodiscard]] result<std::size_t> renew_admin_key(engine::engine& e);

/// The administrator's key of a data directory; errc::not_found without the file, errc::io if it
/// may not be read.
[[nodiscard]] result<std::string> read_admin_key(std::filesystem::path const& data_dir);

} // namespace assay::api
