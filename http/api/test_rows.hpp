#pragma once

#include "http/api/json_writer.hpp"
#include "http/api/test_data.hpp"

/// The rows that answers about tests are made of, one function each; the names of their members are
/// the contract's.
namespace assay::api {

/// Cells that stand in an answer about a whole test; the rest is behind /test/invocations.
constexpr std::uint64_t inline_cells_max = 10'000;

/// From here on such an answer is written while it is sent.
constexpr std::uint64_t streamed_from_cells = 256;

/// Points of a score kept in millionths of `total`. A score that was given in whole points comes
/// out whole.
[[nodiscard]] double points_of(std::uint32_t score_ppm, std::uint32_t total);

/// Whole seconds, rounded up: something that took time never took none.
[[nodiscard]] std::int64_t seconds_of(std::uint64_t us);

/// What feedback is about; none: the grade as a whole.
[[nodiscard]] inline std::optional<uuid> group_id_of(event::feedback_recorded const& f)
{
    return f.standard_group.nil() ? std::nullopt : std::optional(f.standard_group);
}

/// A standard group of the test's rubric; null if it has none of that id.
[[nodiscard]] event::standard_group const* group_of(test_data const& d, uuid const& id);

/// The ids of voice, levels, quality and modalities that the cell's newest trace binds; nothing
/// for a cell that was read without its traces.
void write_bound_ids(json_writer& w, cell_data const& c);

void write_test(json_writer& w, test_data const& d);
void write_invocation(json_writer& w, test_data const& d, cell_data const& c);
void write_run_item(json_writer& w, test_data const& d, cell_data const& c);
void write_status_summary(json_writer& w, projections::test_counts const& counts,
                          std::uint64_t total);

/// A cell with its runs and how they were graded.
void write_detail(json_writer& w, test_data const& d, cell_data const& c);

/// Score of each standard group by the newest grade; empty array without one.
void write_scores(json_writer& w, test_data const& d, cell_data const& c);

void write_run_entry(json_writer& w, test_data const& d, cell_data const& c,
                     projections::run_view const& run);
void write_trace_entry(json_writer& w, test_data const& d, cell_data const& c,
                       projections::trace_row const& trace);
void write_grade_entry(json_writer& w, test_data const& d, cell_data const& c,
                       projections::grade_row const& grade);
void write_feedback_entry(json_writer& w, test_data const& d, cell_data const& c,
                          std::size_t index);
void write_call_entry(json_writer& w, test_data const& d, cell_data const& c,
                      projections::run_view const& run, projections::call_row const& call);

/// The members of an entry, for an object that has more.
void write_call_members(json_writer& w, test_data const& d, cell_data const& c,
                        projections::run_view const& run, projections::call_row const& call);

/// The model's, the agent's and the scenario's ids of a cell with status and score.
void write_aggregated_cell(json_writer& w, test_data const& d, cell_data const& c);

/// One message of a cell: what was sent or answered, in the order of the calls over all runs.
struct message_place {
    projections::run_view const* run = nullptr;
    projections::call_row const* call = nullptr;
    uuid id;
    std::string_view role;
    content const* text = nullptr;
};

[[nodiscard]] std::vector<message_place> messages_of(test_data const& d, cell_data const& c);

/// Which API is answered: the older one names a message's parts otherwise.
enum class surface : std::uint8_t { current, v5 };

/// @param text  of a message that was asked for; null: the row has ids only
void write_message_entry(json_writer& w, test_data const& d, cell_data const& c,
                         message_place const& m, surface form, std::string const* text);

/// The model call that a message is the answer of; empty if it was sent.
[[nodiscard]] std::vector<uuid> calls_answered(test_data const& d, cell_data const& c,
                                               message_place const& m);

/// Ids of a run's calls; of a run without any the one implicit call, so that feedback can name it.
[[nodiscard]] std::vector<uuid> call_ids_of(test_data const& d, cell_data const& c,
                                            projections::run_view const& run);

/// 10^-12 of a unit as a decimal text, exact.
[[nodiscard]] std::string decimal_of_pico(std::int64_t pico);

/// Wire words of the phases.
[[nodiscard]] std::string_view word_of(test_phase phase);

} // namespace assay::api
