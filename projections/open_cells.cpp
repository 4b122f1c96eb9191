#include "projections/open_cells.hpp"

#include "projections/describe.hpp"
#include "projections/open_cells_rows.hpp"
#include "projections/streams.hpp"

namespace assay::projections {

namespace {

using namespace open_cells_rows;

void save_test(rows& out, uuid const& id, open_test const& test, bool was_open)
{
    save(out, test_key(id), test);
    bool const is_open = test.queued + test.running > 0;
    if (is_open && !was_open)
        out.put(open_key(id), {});
    if (!is_open && was_open)
        out.erase(open_key(id));
}

struct test_applier {
    open_test& test;
    events::recorded const& e;

    void operator()(event::test_started const& s) const
    {
        test.workspace = e.head->workspace;
        test.size = {static_cast<std::uint32_t>(s.models.size()), s.scenarios,
                     static_cast<std::uint32_t>(s.agents.size()), s.repeats};
        test.drive = s.drive;
        test.infinite = s.infinite;
        test.queued = static_cast<std::uint32_t>(test.size.cells());
    }

    void operator()(event::test_stopped const&) const
    {
        test.phase = test_phase::stopped;
        test.queued = 0;
        test.grid_closed = true;
        test.added_closed = test.added;
    }

    void operator()(event::test_reopened const&) const { test.phase = test_phase::running; }

    void operator()(event::test_extended const& x) const
    {
        test.size.repeats = x.repeats;
        test.queued += x.cells;
    }

    void operator()(event::test_completed const&) const
    {
        test.phase = test_phase::completed;
        test.queued = 0;
        test.running = 0;
    }

    template <class Other>
    void operator()(Other const&) const
    {
    }
};

result<void> apply_to_test(events::recorded const& e, rows& out)
{
    open_test test;
    if (!std::holds_alternative<event::test_started>(e.body)) {
        ASSAY_TRY(test, load_existing<open_test>(out, test_key(e.stream.id), "the test"));
    }
    bool const was_open = test.queued + test.running > 0;
    std::visit(test_applier{test, e}, e.body);
    save_test(out, e.stream.id, test, was_open);
    return {};
}

/// What an event does to a cell's place in the queue.
enum class move : std::uint8_t { none, add, start, end };

move move_of(event_body const& body)
{
    return std::visit(overloaded{
                          [](event::cell_added const&) { return move::add; },
                          [](event::run_started const&) { return move::start; },
                          [](event::run_ended const&) { return move::end; },
                          [](event::cell_failed const&) { return move::end; },
                          [](event::cell_terminated const&) { return move::end; },
                          [](event::cell_completed const&) { return move::end; },
                          [](auto const&) { return move::none; },
                      },
                      body);
}

/// Takes the cell out of the queue and moves it to or from the running ones.
result<void> move_cell(events::recorded const& e, uuid const& id, std::uint32_t cell, move m,
                       open_test& test, rows& out)
{
    auto const where = chunk_key(id, cell);
    ASSAY_TRY(auto stored, load<chunk_row>(out, where));
    auto chunk = std::move(stored).value_or(chunk_row{});

    bool const queued = !chunk.has_left(cell) && !closed(test, cell);
    if (queued)
        --test.queued;
    chunk.leave(cell);
    if (m == move::start) {
        test.running += chunk.start(cell, std::get<event::run_started>(e.body).run) ? 1 : 0;
    } else if (chunk.end(cell) && test.phase != test_phase::completed) {
        --test.running;
    }
    save(out, where, chunk);
    return {};
}

result<void> apply_to_cell(events::recorded const& e, grid_id const& id, rows& out)
{
    auto const m = move_of(e.body);
    if (m == move::none)
        return {};
    ASSAY_TRY(auto test, load_existing<open_test>(out, test_key(id.test), "the test"));
    bool const was_open = test.queued + test.running > 0;
    if (m == move::add) {
        ++test.added;
        ++test.queued;
    } else {
        ASSAY_CHECK(move_cell(e, id.test, id.cell, m, test, out));
    }
    save_test(out, id.test, test, was_open);
    return {};
}

} // namespace

result<void> open_cells::apply(events::recorded const& e, rows& out) const
{
    return by_stream(e, out, apply_to_test, apply_to_cell);
}

std::string open_cells::describe(std::string_view key, std::string_view value) const
{
    switch (key.front()) {
    case 't': return describe_row<open_test>(value);
    case 'n': {
        auto const row = pack::from_bytes<chunk_row>(value);
        if (!row)
            break;
        return "{\"left\":\"" + to_hex(row->left) +
               "\",\"running\":" + codec::to_json(row->running) + "}";
    }
    }
    return "\"" + to_hex(value) + "\"";
}

} // namespace assay::projections
