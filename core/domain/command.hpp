#pragma once

#include "core/domain/state.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// Everything that can be asked for. Texts are already sealed: a command carries references, never the text.
namespace assay::command {

struct create_workspace {
    uuid id;
    std::string name;
};

struct create_api_key {
    uuid id;
    uuid profile;
    std::string name;
    digest secret_hash;
};

struct revoke_api_key {
    uuid id;
    std::string reason;
};

/// Creates the item, or replaces it as a whole.
struct save_item {
    uuid id;
    bool create = true;
    event::item_created item;
};

struct delete_item {
    uuid id;
    item_kind kind{};
};

struct start_test {
    uuid test; ///< made by grid_id::test_id
    event::test_started started;
};

struct stop_test {
    uuid test;
    std::optional<uuid> first_open{}; ///< repeated in the answer, so that a replay says the same
};

struct complete_test {
    uuid test;
};

struct archive_test {
    uuid test;
    std::optional<bool> archived; ///< none: toggle
};

/// The runner takes queued cells of a running test. Cells that are no longer queued are passed over, not refused.
struct begin_runs {
    uuid test;
    std::vector<std::uint32_t> cells;
};

/// A client starts a cell, or fires it again.
struct run_cell {
    uuid test;
    std::uint32_t cell = 0;
    std::optional<std::uint16_t> run{}; ///< the run that the caller means to start; none: the next
};

/// What the runner learned: one more call, and, when it was the last, how the run ended and its grade.
struct record_progress {
    uuid test;
    std::uint32_t cell = 0;
    std::uint16_t run = 0;
    std::optional<event::call_recorded> call;
    std::optional<event::run_ended> ended;
    std::optional<event::grade_recorded> grade;
    std::optional<event::grading_failed> grading_failed;
};

struct fail_cells {
    uuid test;
    std::vector<std::uint32_t> cells;
    fail_reason reason{};
};

struct terminate_cell {
    uuid test;
    std::uint32_t cell = 0;
};

struct complete_cell {
    uuid test;
    std::uint32_t cell = 0;
};

struct add_cell {
    uuid test;
    event::cell_added cell;
};

struct grade_cell {
    uuid test;
    std::uint32_t cell = 0;
    std::optional<std::uint16_t> run;  ///< none: the newest
    std::optional<std::int64_t> score; ///< in points; ignored with `full`
    bool full = false;
};

struct give_feedback {
    uuid test;
    std::uint32_t cell = 0;
    std::uint16_t grade = 0;
    uuid call;
    uuid standard_group;
    std::uint8_t score = 0;
    std::optional<content> text;
};

/// A client that drives a test itself is done with a run: closes the cell if it is open, and grades it.
struct end_cell {
    uuid test;
    std::uint32_t cell = 0;
    std::uint16_t run = 0;       ///< the newest, or the one that was to come
    std::optional<double> score; ///< in points
    std::optional<bool> passed;  ///< without a score: all points or none
    /// What graders say of the run when no score came. With an ordinal it is recorded already.
    std::optional<event::grade_recorded> verdict;
    std::optional<event::grading_failed> grading_failed;
    std::optional<content> feedback; ///< below the grade
    std::uint16_t calls_seen = 0;    ///< calls and grades of the cell that `verdict` rests on
    std::uint16_t grades_seen = 0;
};

struct open_trace {
    uuid test;
    std::uint32_t cell = 0;
    std::uint16_t run = 0;
    boost::json::object bundle;
    std::vector<sealed_field> texts;
};

/// Notes that a key's plaintext was asked for, and whether it will be told.
struct note_decrypt {
    event::decrypt_attempted attempt;
};

/// Makes a file of chunks that are stored already.
struct store_file {
    event::file_stored file;
};

/// Makes a draft, or changes the members that `set` and `texts` name.
struct save_draft {
    uuid draft;
    bool create = true;
    std::optional<std::uint32_t> expected_version{};
    boost::json::object set;
    std::vector<sealed_field> texts;
};

/// Makes a group that belongs to no test, unless it is there.
struct open_group {
    uuid group;
};

struct title_group {
    uuid group;
    std::optional<uuid> test{}; ///< whose group it is; none: it belongs to no test
    uuid name;                  ///< id of the title
    std::string title;
};

struct report_problem {
    uuid problem;
    problem_kind kind{};
    content message;
};

/// Writes nothing, unless it is staged: what changes only readings of the log. Under a key that was
/// used before it asks for the answer of then.
struct change_nothing {};

} // namespace assay::command

namespace assay {

using any_command = std::variant<
    command::create_workspace, command::create_api_key, command::revoke_api_key, command::save_item,
    command::delete_item, command::start_test, command::stop_test, command::complete_test,
    command::archive_test, command::begin_runs, command::run_cell, command::record_progress,
    command::fail_cells, command::terminate_cell, command::complete_cell, command::add_cell,
    command::grade_cell, command::give_feedback, command::end_cell, command::open_trace,
    command::note_decrypt, command::store_file, command::save_draft, command::open_group,
    command::title_group, command::report_problem, command::change_nothing>;

/// The streams that a command's decision looks at, and the one partition they belong to.
struct footprint {
    uuid partition; ///< test id, or the workspace for catalog and identity
    std::vector<stream_id> streams;
};

/// @param workspace  the partition of commands that name no test
[[nodiscard]] footprint footprint_of(any_command const& command, uuid const& workspace);

/// One event to be written, and where.
struct draft {
    stream_id stream;
    event_body body;
};

/// What a command leads to. No events: there was nothing to do, and the answer says so.
struct decision {
    std::vector<draft> events;
    boost::json::object
        answer; ///< ids and counts, the same for every surface; stored with an idempotency key
};

/// Decides what `command` means for `state`, which holds the folded streams of its footprint. Pure:
/// no clock, no I/O, no
/// randomness.
///
/// @returns errc::not_found for what is not there or another workspace's,
/// errc::conflict with a stable reason ("test_completed", "invocation_running" ...) for what the
/// lifecycle forbids,
///          errc::invalid for values outside their range; in every case nothing happens.
[[nodiscard]] result<decision> decide(partition_state const& state, any_command const& command);

} // namespace assay
