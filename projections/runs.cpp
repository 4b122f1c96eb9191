#include "projections/runs.hpp"

#include "projections/describe.hpp"
#include "projections/key.hpp"
#include "projections/streams.hpp"
#include "projections/usage.hpp"

namespace assay::projections {

namespace {

constexpr std::size_t cell_key_bytes = 1 + 16 + 4;
constexpr std::size_t run_key_bytes = cell_key_bytes + 2;

key cell_key(uuid const& test, std::uint32_t cell)
{
    return key('r').id(test).u32(cell);
}

key run_key(uuid const& test, std::uint32_t cell, std::uint16_t run)
{
    return cell_key(test, cell).u16(run);
}

struct applier {
    events::recorded const& e;
    grid_id const& id;
    rows& out;

    result<void> operator()(event::run_started const& s) const
    {
        run_row row;
        row.run = s.run;
        row.profile = e.head->profile;
        row.channel = e.head->channel;
        row.started_at = e.head->at;
        save_new(out, run_key(id.test, id.cell, s.run), row);
        return {};
    }

    template <class Change>
    result<void> change(std::uint16_t run, Change const& f) const
    {
        auto const where = run_key(id.test, id.cell, run);
        ASSAY_TRY(auto row, load_existing<run_row>(out, where, "the run"));
        f(row);
        save(out, where, row);
        return {};
    }

    result<void> operator()(event::call_recorded const& c) const
    {
        save_new(out, run_key(id.test, id.cell, c.run).u16(c.call), call_row{c, e.head->at});
        return change(c.run, [&](run_row& row) {
            ++row.calls;
            add_known(row.input_tokens, c.input_tokens);
            add_known(row.output_tokens, c.output_tokens);
            add_known(row.cached_input_tokens, c.cached_input_tokens);
            add_cost(row.costs, c);
            row.latency_us += c.latency_us;
        });
    }

    result<void> operator()(event::run_ended const& r) const
    {
        return change(r.run, [&](run_row& row) {
            row.ended_at = e.head->at;
            row.outcome = r.outcome;
            row.error_code = r.error_code;
            row.error = r.error;
            row.cell_hash = r.cell_hash;
        });
    }

    result<void> operator()(event::cell_terminated const& t) const
    {
        if (t.run == 0)
            return {};
        return change(t.run, [&](run_row& row) {
            row.ended_at = e.head->at;
            row.outcome = outcome::terminated;
        });
    }

    result<void> operator()(event::cell_completed const& c) const
    {
        if (c.run == 0)
            return {};
        return change(c.run, [&](run_row& row) {
            row.ended_at = e.head->at;
            row.closed_by_hand = true;
        });
    }

    template <class Other>
    result<void> operator()(Other const&) const
    {
        return {};
    }
};

/// Puts rows in key order together: a run, then its calls.
class run_collector {
public:
    explicit run_collector(uuid const& test) : test_(test) {}

    /// @returns the run that is complete because this row is another run's.
    result<std::optional<std::pair<std::uint32_t, run_view>>> take(std::string_view k,
                                                                   std::string_view value)
    {
        key_reader parts(k.substr(17));
        auto const cell = parts.u32();
        std::optional<std::pair<std::uint32_t, run_view>> done;
        if (k.size() == run_key_bytes) {
            ASSAY_TRY(auto row, pack::from_bytes<run_row>(value));
            done = finish();
            current_.emplace(cell, run_view{grid_id::make(test_, grid_kind::run, cell, row.run),
                                            grid_id::make(test_, grid_kind::invocation, cell),
                                            std::move(row),
                                            {}});
        } else if (current_) {
            ASSAY_TRY(auto row, pack::from_bytes<call_row>(value));
            current_->second.calls.push_back(std::move(row));
        }
        return done;
    }

    std::optional<std::pair<std::uint32_t, run_view>> finish()
    {
        return std::exchange(current_, std::nullopt);
    }

private:
    uuid const test_;
    std::optional<std::pair<std::uint32_t, run_view>> current_;
};

result<void> visit_range(reader const& views, uuid const& test, std::string_view prefix,
                         std::string_view from,
                         std::function<bool(std::uint32_t, run_view&)> const& visit)
{
    run_collector collector(test);
    std::optional<error> problem;
    bool wanted = true;
    ASSAY_CHECK(
        views.scan(view_id::runs, prefix, from, [&](std::string_view k, std::string_view value) {
            auto done = collector.take(k, value);
            if (!done)
                problem = std::move(done.error());
            else if (*done)
                wanted = visit((*done)->first, (*done)->second);
            return wanted && !problem;
        }));
    if (problem)
        return std::unexpected(std::move(*problem));
    if (auto last = wanted ? collector.finish() : std::nullopt)
        visit(last->first, last->second);
    return {};
}

result<std::vector<run_view>> collect(reader const& views, uuid const& test,
                                      std::string_view prefix)
{
    std::vector<run_view> out;
    ASSAY_CHECK(visit_range(views, test, prefix, {}, [&](std::uint32_t, run_view& run) {
        out.push_back(std::move(run));
        return true;
    }));
    return out;
}

std::unexpected<error> no_run()
{
    return fail(errc::not_found, "there is no such run", "run_not_found");
}

} // namespace

result<void> runs::apply(events::recorded const& e, rows& out) const
{
    if (e.stream.kind != stream_kind::cell)
        return {};
    ASSAY_TRY(auto const id, cell_of(e));
    return std::visit(applier{e, id, out}, e.body);
}

std::string runs::describe(std::string_view key, std::string_view value) const
{
    return key.size() == run_key_bytes ? describe_row<run_row>(value)
                                       : describe_row<call_row>(value);
}

result<std::vector<run_view>> list_runs(reader const& views, uuid const& test, std::uint32_t cell)
{
    return collect(views, test, cell_key(test, cell));
}

result<run_view> get_run(reader const& views, uuid const& test, std::uint32_t cell,
                         std::uint16_t run)
{
    ASSAY_TRY(auto found, collect(views, test, run_key(test, cell, run)));
    if (found.empty())
        return no_run();
    return std::move(found.front());
}

result<run_of_test> get_run(reader const& views, uuid const& workspace, uuid const& run)
{
    auto const id = grid_id::read(run, grid_kind::run);
    if (!id)
        return no_run();
    auto test = get_test(views, workspace, id->test);
    if (!test)
        return test.error().code == errc::not_found ? no_run()
                                                    : std::unexpected(std::move(test.error()));
    ASSAY_TRY(auto found, get_run(views, id->test, id->cell, id->ordinal));
    return run_of_test{std::move(*test), id->cell, std::move(found)};
}

result<std::vector<call_row>> list_calls(reader const& views, uuid const& test, std::uint32_t cell,
                                         std::uint16_t run)
{
    ASSAY_TRY(auto found, collect(views, test, run_key(test, cell, run)));
    return found.empty() ? std::vector<call_row>{} : std::move(found.front().calls);
}

result<void> visit_runs(reader const& views, uuid const& test, std::uint32_t from,
                        std::function<bool(std::uint32_t, run_view const&)> const& visit)
{
    return visit_range(views, test, key('r').id(test), cell_key(test, from),
                       [&](std::uint32_t cell, run_view& run) { return visit(cell, run); });
}

} // namespace assay::projections
