#include "core/domain/state.hpp"

#include <cassert>

namespace assay {

std::string stream_id::text() const
{
    std::string out;
    out.reserve(48);
    out.append(codec::enum_name(kind)).push_back('/');
    id.append_text(out);
    return out;
}

std::optional<stream_id> stream_id::parse(std::string_view text)
{
    auto const slash = text.find('/');
    if (slash == std::string_view::npos)
        return std::nullopt;
    auto const kind = codec::parse_enum<stream_kind>(text.substr(0, slash));
    auto const id = uuid::parse(text.substr(slash + 1));
    if (!kind || !id)
        return std::nullopt;
    return stream_id{*kind, *id};
}

std::uint32_t& cell_counts::of(cell_status s)
{
    switch (s) {
    case cell_status::queued: return queued;
    case cell_status::running: return running;
    case cell_status::completed: return completed;
    case cell_status::failed: return failed;
    case cell_status::terminated: return terminated;
    }
    std::unreachable();
}

grid_place place_of(grid_size const& size, std::uint32_t cell)
{
    grid_place place;
    place.agent = cell % size.agents;
    cell /= size.agents;
    place.model = cell % size.models;
    cell /= size.models;
    place.scenario = cell % size.scenarios;
    place.repeat = cell / size.scenarios;
    return place;
}

std::uint32_t cell_at(grid_size const& size, grid_place const& place)
{
    auto const row = place.repeat * size.scenarios + place.scenario;
    return (row * size.models + place.model) * size.agents + place.agent;
}

bool test_state::has_cell(std::uint32_t cell) const
{
    if (cell >= added_cells_from)
        return cell - added_cells_from < added;
    return cell < size.cells();
}

cell_status effective_status(test_state const& test, cell_state const& cell)
{
    if (cell.status == cell_status::queued &&
        (cell.stops < test.stops || test.phase == test_phase::completed))
        return cell_status::terminated;
    if (cell.status == cell_status::running && test.phase == test_phase::completed)
        return cell_status::terminated;
    return cell.status;
}

namespace {

struct test_applier {
    test_state& test;
    event_context const& context;

    void operator()(event::test_started const& e) const
    {
        test.exists = true;
        test.workspace = context.workspace;
        test.eval = e.eval;
        test.size = {static_cast<std::uint32_t>(e.models.size()), e.scenarios,
                     static_cast<std::uint32_t>(e.agents.size()), e.repeats};
        test.drive = e.drive;
        test.max_repeats = e.infinite ? e.max_repeats.value_or(0) : 0;
        test.total_points = e.total_points;
        test.pass_points = e.pass_points;
        test.standards = e.standards;
        test.config = e.config;
        test.config_hash = e.config_hash;
        test.started_at = context.at;
        test.counts.queued = static_cast<std::uint32_t>(test.size.cells());
    }

    void operator()(event::test_stopped const&) const
    {
        test.phase = test_phase::stopped;
        ++test.stops;
        test.counts.terminated += test.counts.queued;
        test.counts.queued = 0;
    }

    void operator()(event::test_reopened const&) const { test.phase = test_phase::running; }

    void operator()(event::test_completed const&) const
    {
        test.phase = test_phase::completed;
        test.counts.terminated += test.counts.queued + test.counts.running;
        test.counts.queued = 0;
        test.counts.running = 0;
    }

    void operator()(event::test_archived const& e) const { test.archived = e.archived; }

    void operator()(event::test_extended const& e) const
    {
        test.size.repeats = e.repeats;
        test.counts.queued += e.cells;
    }

    template <class Other>
    void operator()(Other const&) const
    {
    }
};

struct cell_applier {
    cell_state& cell;
    test_state& test;

    void operator()(event::cell_added const& e) const
    {
        ++test.added;
        cell.stops = test.stops;
        cell.added_model = e.model;
        cell.added_agent = e.agent;
        cell.added_scenario = e.scenario;
    }

    void operator()(event::run_started const& e) const
    {
        cell.status = cell_status::running;
        cell.stops = test.stops;
        cell.runs = e.run;
        cell.run_open = true;
        cell.answered = false;
    }

    void operator()(event::call_recorded const& e) const { cell.calls = e.call; }

    void operator()(event::run_ended const& e) const
    {
        cell.run_open = false;
        cell.answered = e.outcome == outcome::completed;
        switch (e.outcome) {
        case outcome::completed:
        case outcome::refused: cell.status = cell_status::completed; break;
        case outcome::provider_error:
        case outcome::timeout:
        case outcome::not_recorded: cell.status = cell_status::failed; break;
        case outcome::terminated: cell.status = cell_status::terminated; break;
        }
    }

    void operator()(event::cell_failed const&) const { cell.status = cell_status::failed; }

    void operator()(event::cell_terminated const&) const
    {
        cell.status = cell_status::terminated;
        cell.run_open = false;
    }

    void operator()(event::cell_completed const&) const
    {
        cell.status = cell_status::completed;
        cell.run_open = false;
    }

    void operator()(event::grade_recorded const& e) const { cell.grades = e.grade; }

    void operator()(event::feedback_recorded const& e) const { cell.feedbacks = e.feedback; }

    void operator()(event::trace_opened const& e) const { cell.traces = e.trace; }

    template <class Other>
    void operator()(Other const&) const
    {
    }
};

struct note_applier {
    note_state& note;

    void operator()(event::draft_saved const&) const { note.kind = note_kind::draft; }

    void operator()(event::group_opened const&) const { note.kind = note_kind::group; }

    void operator()(event::group_titled const&) const { note.kind = note_kind::group; }

    void operator()(event::problem_reported const&) const { note.kind = note_kind::problem; }

    void operator()(event::write_staged const& e) const
    {
        note.kind = note_kind::staged_write;
        note.operation = e.operation;
        note.body_hash = e.body_hash;
        note.answer = json::canonical(e.answer);
    }

    void operator()(event::write_accepted const&) const { note.phase = note_phase::accepted; }

    void operator()(event::write_rejected const&) const { note.phase = note_phase::rejected; }

    template <class Other>
    void operator()(Other const&) const
    {
    }
};

void apply_cell(partition_state& state, std::uint32_t index, event_body const& body)
{
    auto& test = state.test;
    auto& cell = state.cells[index];
    bool const added_now = std::holds_alternative<event::cell_added>(body);
    auto const before = effective_status(test, cell);
    std::visit(cell_applier{cell, test}, body);
    auto const after = effective_status(test, cell);
    if (!added_now)
        --test.counts.of(before);
    ++test.counts.of(after);
}

} // namespace

void apply(partition_state& state, stream_id const& stream, event_body const& body,
           event_context const& context)
{
    switch (stream.kind) {
    case stream_kind::workspace: state.workspace_row.exists = true; return;
    case stream_kind::api_key: {
        auto& key = state.api_keys[stream.id];
        key.exists = true;
        key.workspace = context.workspace;
        key.revoked = key.revoked || std::holds_alternative<event::api_key_revoked>(body);
        return;
    }
    case stream_kind::item: {
        auto& item = state.items[stream.id];
        item.exists = true;
        item.workspace = context.workspace;
        if (auto const* created = std::get_if<event::item_created>(&body))
            item.kind = created->kind;
        item.deleted = std::holds_alternative<event::item_deleted>(body);
        return;
    }
    case stream_kind::test: std::visit(test_applier{state.test, context}, body); return;
    case stream_kind::cell: {
        auto const id = grid_id::read(stream.id, grid_kind::invocation);
        assert(id && "a cell's stream is an invocation's id");
        apply_cell(state, id->cell, body);
        return;
    }
    case stream_kind::note: {
        auto& note = state.notes[stream.id];
        note.exists = true;
        note.workspace = context.workspace;
        ++note.version;
        std::visit(note_applier{note}, body);
        return;
    }
    }
}

} // namespace assay
