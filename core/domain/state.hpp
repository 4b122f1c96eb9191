#pragma once

#include "core/domain/event.hpp"
#include "core/grid_id.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>

/// What decisions look at: the fold of each stream's events, and nothing else.
namespace assay {

/// Where an event is written. Streams of one partition can be written by one commit.
BOOST_DEFINE_ENUM_CLASS(stream_kind, workspace, api_key, item, test, cell, note)

struct stream_id {
    stream_kind kind{};
    uuid id;

    friend auto operator<=>(stream_id const&, stream_id const&) = default;

    /// "test/01234567-...": what envelopes and conflicts say.
    [[nodiscard]] std::string text() const;
    [[nodiscard]] static std::optional<stream_id> parse(std::string_view text);
};

struct workspace_state {
    bool exists = false;
};
BOOST_DESCRIBE_STRUCT(workspace_state, (), (exists))

struct api_key_state {
    bool exists = false;
    bool revoked = false;
    uuid workspace;
};
BOOST_DESCRIBE_STRUCT(api_key_state, (), (exists, revoked, workspace))

struct item_state {
    bool exists = false;
    bool deleted = false;
    uuid workspace;
    item_kind kind{};
};
BOOST_DESCRIBE_STRUCT(item_state, (), (exists, deleted, workspace, kind))

BOOST_DEFINE_ENUM_CLASS(test_phase, running, stopped, completed)

/// Cells by effective status; always sums up to the number of cells.
struct cell_counts {
    std::uint32_t queued = 0;
    std::uint32_t running = 0;
    std::uint32_t completed = 0;
    std::uint32_t failed = 0;
    std::uint32_t terminated = 0;

    [[nodiscard]] std::uint32_t& of(cell_status s);

    [[nodiscard]] std::uint32_t total() const
    {
        return queued + running + completed + failed + terminated;
    }

    [[nodiscard]] std::uint32_t open() const { return queued + running; }
};
BOOST_DESCRIBE_STRUCT(cell_counts, (), (queued, running, completed, failed, terminated))

/// The size of the implied grid. Cell number = ((repeat * scenarios + scenario) * models + model) * agents + agent, so
/// that all models meet a question at about the same time and repeats append at the end.
struct grid_size {
    std::uint32_t models = 0;
    std::uint32_t scenarios = 0;
    std::uint32_t agents = 0;
    std::uint32_t repeats = 1;

    /// How many cells; beyond 64 bits the largest number there is, so that limits hold for any request.
    [[nodiscard]] std::uint64_t cells() const
    {
        auto const first = std::uint64_t{models} * scenarios;
        auto const second = std::uint64_t{agents} * repeats;
        if (second != 0 && first > UINT64_MAX / second)
            return UINT64_MAX;
        return first * second;
    }
};
BOOST_DESCRIBE_STRUCT(grid_size, (), (models, scenarios, agents, repeats))

/// A cell's place in the grid.
struct grid_place {
    std::uint32_t model = 0;
    std::uint32_t scenario = 0;
    std::uint32_t agent = 0;
    std::uint32_t repeat = 0;
};

[[nodiscard]] grid_place place_of(grid_size const& size, std::uint32_t cell);
[[nodiscard]] std::uint32_t cell_at(grid_size const& size, grid_place const& place);

/// Cells made by hand are numbered from here, apart from the grid.
constexpr std::uint32_t added_cells_from = 0x8000'0000U;

/// Limits of one test; beyond them a start is 422.
constexpr std::uint64_t cells_max = 0x7000'0000U;
constexpr std::uint32_t scenarios_max = 100'000;

struct test_state {
    bool exists = false;
    uuid workspace;
    uuid eval;
    grid_size size;
    std::uint32_t added = 0;
    assay::drive drive{};
    std::uint32_t max_repeats = 0; ///< of an infinite test; 0: it ends with the repeats it has
    test_phase phase{};
    bool archived = false;
    std::uint32_t stops = 0; ///< how often it was stopped: queued cells from before are terminated
    cell_counts counts;
    std::uint32_t total_points = 1;
    std::uint32_t pass_points = 1;
    std::vector<event::standard_group> standards;
    content config;
    digest config_hash;
    instant started_at;

    [[nodiscard]] std::uint64_t cells() const { return size.cells() + added; }

    [[nodiscard]] bool has_cell(std::uint32_t cell) const;
};
BOOST_DESCRIBE_STRUCT(test_state, (),
                      (exists, workspace, eval, size, added, drive, max_repeats, phase, archived,
                       stops, counts, total_points, pass_points, standards, config, config_hash,
                       started_at))

struct cell_state {
    cell_status status{};    ///< as its own events say; see effective_status
    std::uint32_t stops = 0; ///< the test's `stops` when it was last queued or fired
    std::uint16_t runs = 0;
    std::uint16_t calls = 0;
    std::uint16_t grades = 0;
    std::uint16_t feedbacks = 0;
    std::uint16_t traces = 0;
    bool run_open = false;         ///< the newest run has begun and not ended
    bool answered = false;         ///< the newest run ended with an answer
    std::uint16_t added_model = 0; ///< of a cell made by hand
    std::uint16_t added_agent = 0;
    std::uint32_t added_scenario = 0;
};
BOOST_DESCRIBE_STRUCT(cell_state, (),
                      (status, stops, runs, calls, grades, feedbacks, traces, run_open, answered,
                       added_model, added_agent, added_scenario))

/// A cell's status as everybody sees it: its own, unless a stop or the end of the test has closed it.
[[nodiscard]] cell_status effective_status(test_state const& test, cell_state const& cell);

BOOST_DEFINE_ENUM_CLASS(note_kind, draft, group, problem, staged_write)
BOOST_DEFINE_ENUM_CLASS(note_phase, open, accepted, rejected)

/// What is kept beside tests and catalog.
struct note_state {
    bool exists = false;
    uuid workspace;
    note_kind kind{};
    std::uint32_t version = 0; ///< number of its changes
    note_phase phase{};        ///< of a staged write, as are the next
    std::string operation;
    digest body_hash;
    std::string answer; ///< canonical JSON
};
BOOST_DESCRIBE_STRUCT(note_state, (),
                      (exists, workspace, kind, version, phase, operation, body_hash, answer))

/// The streams that one decision reads and writes, folded. All of them belong to one partition.
struct partition_state {
    uuid workspace; ///< whose command it is
    workspace_state workspace_row;
    std::map<uuid, api_key_state> api_keys;
    std::map<uuid, item_state> items;
    test_state test;
    std::map<std::uint32_t, cell_state> cells;
    std::map<uuid, note_state> notes;
};

/// When and in whose name an event happened: what `apply` may need beside the event.
struct event_context {
    uuid workspace;
    instant at;
};

/// Folds one event into the state. Total: every recorded event applies, on replay too. A cell's event also moves
/// the counts of its test.
void apply(partition_state& state, stream_id const& stream, event_body const& body,
           event_context const& context);

} // namespace assay
