#include "projections/cells.hpp"

#include "projections/cells_rows.hpp"
#include "projections/describe.hpp"
#include "projections/streams.hpp"

namespace assay::projections {

std::uint32_t& outcome_counts::of(outcome o)
{
    switch (o) {
    case outcome::completed: return completed;
    case outcome::refused: return refused;
    case outcome::provider_error: return provider_error;
    case outcome::timeout: return timeout;
    case outcome::not_recorded: return not_recorded;
    case outcome::terminated: return terminated;
    }
    std::unreachable();
}

namespace {

using namespace cells_rows;

/// What a cell adds to its test's counts; taken out before an event and put in again after it.
void count_cell(test_counts& counts, cell_row const& cell, int sign)
{
    auto const add = [&](std::uint32_t& n) { n += static_cast<std::uint32_t>(sign); };
    if (cell.outcome)
        add(counts.outcomes.of(*cell.outcome));
    if (cell.grade)
        add(counts.graded);
    if (cell.grade && cell.grade->passed)
        add(counts.passed);
    if (cell.grading_error)
        add(counts.grader_errors);
}

/// The part of a cell's row that decisions do not look at.
struct cell_details {
    cell_row& row;
    events::commit_head const& head;

    void operator()(event::cell_added const& e) const { row.added = added_info{e.title, e.custom}; }

    void operator()(event::run_started const&) const
    {
        row.outcome.reset();
        row.error_code.clear();
        row.grading_error.reset();
        row.started_at = head.at;
        row.ended_at.reset();
    }

    void operator()(event::run_ended const& e) const
    {
        row.outcome = e.outcome;
        row.error_code = e.error_code;
        row.cell_hash = e.cell_hash;
        row.ended_at = head.at;
    }

    void operator()(event::cell_failed const& e) const
    {
        row.error_code = codec::enum_name(e.reason);
        row.ended_at = head.at;
    }

    void operator()(event::cell_terminated const& e) const
    {
        if (e.run > 0)
            row.outcome = outcome::terminated;
        row.ended_at = head.at;
    }

    void operator()(event::cell_completed const&) const
    {
        row.outcome = outcome::completed;
        row.ended_at = head.at;
    }

    void operator()(event::grade_recorded const& e) const
    {
        row.grade =
            current_grade{e.grade,  e.run,           e.score_ppm, e.total_points, e.pass_points,
                          e.passed, e.time_taken_us, e.standards, head.at};
        row.grading_error.reset();
    }

    void operator()(event::grading_failed const& e) const { row.grading_error = e.code; }

    template <class Other>
    void operator()(Other const&) const
    {
    }
};

result<void> apply_to_test(events::recorded const& e, rows& out)
{
    auto const where = counts_key(e.stream.id);
    test_counts counts;
    if (!std::holds_alternative<event::test_started>(e.body)) {
        ASSAY_TRY(counts, load_existing<test_counts>(out, where, "the test's counts"));
    }
    partition_state state;
    to_state(counts, state.test);
    assay::apply(state, e.stream, e.body, {e.head->workspace, e.head->at});
    from_state(state.test, counts);
    counts.last_activity = e.head->at;
    save(out, where, counts);
    return {};
}

result<void> apply_to_cell(events::recorded const& e, grid_id const& id, rows& out)
{
    auto const test_at = counts_key(id.test);
    ASSAY_TRY(auto counts, load_existing<test_counts>(out, test_at, "the test's counts"));

    auto const cell_at = cell_key(id.test, id.cell);
    cell_row row;
    row.touched_at = e.head->at;
    if (e.version > 1) {
        ASSAY_TRY(row, load_existing<cell_row>(out, cell_at, "the cell"));
    }

    count_cell(counts, row, -1);
    partition_state state;
    to_state(counts, state.test);
    auto& own = state.cells.emplace(id.cell, row.own).first->second;
    assay::apply(state, e.stream, e.body, {e.head->workspace, e.head->at});
    row.own = own;
    from_state(state.test, counts);
    std::visit(cell_details{row, *e.head}, e.body);
    count_cell(counts, row, +1);
    if (std::holds_alternative<event::call_recorded>(e.body))
        ++counts.calls;
    counts.last_activity = e.head->at;

    save(out, test_at, counts);
    if (e.version > 1)
        save(out, cell_at, row);
    else
        save_new(out, cell_at, row);
    return {};
}

} // namespace

result<void> cells::apply(events::recorded const& e, rows& out) const
{
    return by_stream(e, out, apply_to_test, apply_to_cell);
}

std::string cells::describe(std::string_view key, std::string_view value) const
{
    return key.front() == 't' ? describe_row<test_counts>(value) : describe_row<cell_row>(value);
}

} // namespace assay::projections
