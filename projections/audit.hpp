#pragma once

#include "core/result.hpp"
#include "projections/generation.hpp"
#include "projections/rebuild.hpp"
#include "projections/view.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace assay::projections {

/// A row that is not what the log says.
struct differing_row {
    std::string key;                     ///< table, first id, the rest in hexadecimal
    std::optional<std::string> stored;   ///< as JSON; none: it is missing
    std::optional<std::string> replayed; ///< as JSON; none: no event made it
};

struct audited_view {
    std::string name;
    bool serving = false;             ///< false: it waits to be built; nothing was compared
    std::uint64_t rows = 0;           ///< compared
    std::uint64_t differing = 0;      ///< of them: missing on one side, or not equal
    std::vector<differing_row> first; ///< the first of those
};

struct replay_report {
    std::uint64_t commits = 0; ///< how many were replayed: up to where the snapshot stands
    std::uint64_t events = 0;
    std::vector<audited_view> views;

    /// Whether every view serves and every row is what the log says.
    [[nodiscard]] bool clean() const;
};

struct audit_options {
    std::size_t rows_max = 20; ///< differing rows that are told in full
    std::filesystem::path
        scratch{}; ///< where the replayed rows go meanwhile; empty: the system's directory for this
    std::span<view const> views = all_views();
    build_options build{};
};

/// Replays the log into rows of its own, outside the data directory, and compares them with the
/// stored ones row by row. Reads a snapshot: a server may go on writing. Works on a store opened
/// for reading only.
///
/// @param at  what `projector::read` returned
/// @returns errc::corrupt if the log cannot be read or a view refuses an event; differences are no
/// error, they are told.
[[nodiscard]] result<replay_report> audit_replay(events::store const& s, snapshot_reader const& at,
                                                 audit_options const& options = {});

} // namespace assay::projections
