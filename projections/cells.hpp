#pragma once

#include "core/domain/state.hpp"
#include "projections/reader.hpp"
#include "projections/rows.hpp"
#include "projections/tests.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace assay::projections {

/// Cells by the outcome of their newest run; cells without an ended run are in none.
struct outcome_counts {
    std::uint32_t completed = 0;
    std::uint32_t refused = 0;
    std::uint32_t provider_error = 0;
    std::uint32_t timeout = 0;
    std::uint32_t not_recorded = 0;
    std::uint32_t terminated = 0;

    [[nodiscard]] std::uint32_t& of(outcome o);
};
BOOST_DESCRIBE_STRUCT(outcome_counts, (),
                      (completed, refused, provider_error, timeout, not_recorded, terminated))

/// What the cells of a test add up to.
struct test_counts {
    test_phase phase{};
    std::uint32_t stops = 0;
    std::uint32_t added = 0; ///< cells made by hand
    cell_counts counts;      ///< by effective status
    outcome_counts outcomes;
    std::uint32_t graded = 0;        ///< cells with a current grade
    std::uint32_t passed = 0;        ///< of them
    std::uint32_t grader_errors = 0; ///< cells with an answer that the grader could not judge
    std::uint64_t calls = 0;
    instant last_activity;
};
BOOST_DESCRIBE_STRUCT(test_counts, (),
                      (phase, stops, added, counts, outcomes, graded, passed, grader_errors, calls,
                       last_activity))

/// The newest grade of a cell.
struct current_grade {
    std::uint16_t grade = 0;
    std::uint16_t run = 0;
    std::uint32_t score_ppm = 0;
    std::uint32_t total_points = 1;
    std::uint32_t pass_points = 1;
    bool passed = false;
    std::uint64_t time_taken_us = 0;
    std::vector<event::standard_score> standards;
    instant at;
};
BOOST_DESCRIBE_STRUCT(current_grade, (),
                      (grade, run, score_ppm, total_points, pass_points, passed, time_taken_us,
                       standards, at))

/// What was given with a cell made by hand.
struct added_info {
    std::string title;
    bool custom = false;
};
BOOST_DESCRIBE_STRUCT(added_info, (), (title, custom))

/// A cell that something has happened to. Of the others there is no row: they are as the grid
/// implies them.
struct cell_row {
    cell_state own;                        ///< what decisions see of it
    std::optional<assay::outcome> outcome; ///< of the newest run, when it has ended
    std::string error_code;                ///< of the newest run, or why it never ran
    std::optional<current_grade> grade;
    std::optional<std::string>
        grading_error;               ///< the newest run has an answer that could not be graded
    std::optional<digest> cell_hash; ///< of the newest ended run
    std::optional<added_info> added;
    instant touched_at;                ///< first event of its own
    std::optional<instant> started_at; ///< of the newest run
    std::optional<instant> ended_at;   ///< when it last came to rest
};
BOOST_DESCRIBE_STRUCT(cell_row, (),
                      (own, outcome, error_code, grade, grading_error, cell_hash, added, touched_at,
                       started_at, ended_at))

/// Cells of each test and what they add up to. Reads all events of tests and cells.
///
/// Rows:  t test -> test_counts
///        c test, cell -> cell_row, from its first event on
class cells {
public:
    static constexpr std::string_view name = "cells";
    static constexpr std::uint32_t schema = 1;

    [[nodiscard]] result<void> apply(events::recorded const& e, rows& out) const;
    [[nodiscard]] std::string describe(std::string_view key, std::string_view value) const;
};

/// A cell as everybody sees it.
struct cell_view {
    std::uint32_t cell = 0;
    uuid invocation;
    std::uint64_t position = 0; ///< in the list of the test's cells
    grid_place place;           ///< repeat counts from 0; of a cell made by hand 0
    cell_status status{};       ///< effective
    cell_row row;               ///< as the grid implies it when nothing has happened yet
    instant created_at;         ///< the test's start, or when it was made by hand
    bool touched = false;       ///< whether it has events of its own
};

struct cell_page {
    std::vector<cell_view> cells;
    std::uint64_t total = 0;
};

[[nodiscard]] result<test_counts> get_test_counts(reader const& views, uuid const& test);

/// A page of a test's cells: the grid in its own order, then those made by hand. Costs the page,
/// however big the test.
[[nodiscard]] result<cell_page> list_cells(reader const& views, test_row const& test,
                                           page const& page);

/// @returns errc::not_found if the test has no such cell.
[[nodiscard]] result<cell_view> get_cell(reader const& views, test_row const& test,
                                         std::uint32_t cell);

/// A cell by its invocation's id, with its test. errc::not_found also for another workspace's.
struct cell_of_test {
    test_row test;
    cell_view cell;
};

[[nodiscard]] result<cell_of_test> get_invocation(reader const& views, uuid const& workspace,
                                                  uuid const& invocation);

/// The first cell, in the order of list_cells, that is queued or running; none when all are closed.
[[nodiscard]] result<std::optional<cell_view>> first_open_cell(reader const& views,
                                                               test_row const& test);

} // namespace assay::projections
