#pragma once

#include "core/hash.hpp"
#include "projections/reader.hpp"
#include "projections/rows.hpp"

#include <cstdint>
#include <optional>

namespace assay::projections {

/// Where a recorded answer stands.
struct answer_row {
    uuid test;
    std::uint32_t cell = 0;
    std::uint16_t run = 0;
    instant at; ///< when it was graded
};
BOOST_DESCRIBE_STRUCT(answer_row, (), (test, cell, run, at))

/// Answers that can be used again: the newest completed and graded run of each cell hash. Reads
/// run.ended and grade.*.
///
/// Rows:  a workspace, cell hash -> answer_row
///        p test, cell, run -> its cell hash; a completed run that has no grade yet
class answers {
public:
    static constexpr std::string_view name = "answers";
    static constexpr std::uint32_t schema = 1;

    [[nodiscard]] result<void> apply(events::recorded const& e, rows& out) const;
    [[nodiscard]] std::string describe(std::string_view key, std::string_view value) const;
};

/// Equal model, parameters, question and repeat: the answer need not be paid for again.
[[nodiscard]] result<std::optional<answer_row>>
find_answer(reader const& views, uuid const& workspace, digest const& cell_hash);

} // namespace assay::projections
