#pragma once

#include "core/domain/event.hpp"
#include "projections/reader.hpp"
#include "projections/rows.hpp"

#include <string>
#include <string_view>

namespace assay::projections {

/// A file that can be downloaded.
struct file_row {
    event::file_stored file;
    uuid profile; ///< who had it made
    instant at;
};
BOOST_DESCRIBE_STRUCT(file_row, (), (file, profile, at))

/// Files of each workspace. Reads file.*.
///
/// Rows:  f workspace, file -> file_row
class files {
public:
    static constexpr std::string_view name = "files";
    static constexpr std::uint32_t schema = 1;

    [[nodiscard]] result<void> apply(events::recorded const& e, rows& out) const;
    [[nodiscard]] std::string describe(std::string_view key, std::string_view value) const;
};

/// @returns errc::not_found also for another workspace's file.
[[nodiscard]] result<file_row> get_file(reader const& views, uuid const& workspace,
                                        uuid const& file);

} // namespace assay::projections
