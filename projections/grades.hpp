#pragma once

#include "core/domain/event.hpp"
#include "projections/reader.hpp"
#include "projections/rows.hpp"

#include <cstdint>
#include <optional>
#include <vector>

namespace assay::projections {

/// One grading of a cell; the newest is current.
struct grade_row {
    event::grade_recorded grade;
    uuid profile; ///< who graded; nil: the server
    events::channel channel{};
    instant at;
};
BOOST_DESCRIBE_STRUCT(grade_row, (), (grade, profile, channel, at))

/// A remark below a grade.
struct feedback_row {
    event::feedback_recorded feedback;
    uuid profile;
    events::channel channel{};
    instant at;
};
BOOST_DESCRIBE_STRUCT(feedback_row, (), (feedback, profile, channel, at))

/// Grades and the feedback below them. Reads grade.* and feedback.*.
///
/// Rows:  g test, cell, grade -> grade_row
///        f test, cell, feedback -> feedback_row
class grades {
public:
    static constexpr std::string_view name = "grades";
    static constexpr std::uint32_t schema = 1;

    [[nodiscard]] result<void> apply(events::recorded const& e, rows& out) const;
    [[nodiscard]] std::string describe(std::string_view key, std::string_view value) const;
};

/// Every grade of a cell, oldest first; the last is current.
[[nodiscard]] result<std::vector<grade_row>> list_grades(reader const& views, uuid const& test,
                                                         std::uint32_t cell);

[[nodiscard]] result<std::optional<grade_row>> get_grade(reader const& views, uuid const& test,
                                                         std::uint32_t cell, std::uint16_t grade);

/// Feedback on a cell, oldest first.
///
/// @param grade  only what was said below this grade
[[nodiscard]] result<std::vector<feedback_row>>
list_feedback(reader const& views, uuid const& test, std::uint32_t cell,
              std::optional<std::uint16_t> grade = {});

/// Grades of a whole test in the order of cells, from cell `from` on, while `visit` returns true.
[[nodiscard]] result<void>
visit_grades(reader const& views, uuid const& test, std::uint32_t from,
             std::function<bool(std::uint32_t cell, grade_row const&)> const& visit);

} // namespace assay::projections
