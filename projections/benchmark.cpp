#include "projections/benchmark.hpp"

#include "projections/benchmark_rows.hpp"
#include "projections/describe.hpp"
#include "projections/streams.hpp"
#include "projections/usage.hpp"

namespace assay::projections {

namespace {

using namespace benchmark_rows;

std::uint32_t* counter_of(result_counts& counts, cell_result r)
{
    switch (r) {
    case cell_result::open: return nullptr;
    case cell_result::completed: return &counts.completed;
    case cell_result::refused: return &counts.refused;
    case cell_result::provider_error: return &counts.provider_error;
    case cell_result::timeout: return &counts.timeout;
    case cell_result::not_recorded: return &counts.not_recorded;
    case cell_result::terminated: return &counts.terminated;
    case cell_result::failed_unrun: return &counts.failed_unrun;
    }
    std::unreachable();
}

cell_result result_of(outcome o)
{
    switch (o) {
    case outcome::completed: return cell_result::completed;
    case outcome::refused: return cell_result::refused;
    case outcome::provider_error: return cell_result::provider_error;
    case outcome::timeout: return cell_result::timeout;
    case outcome::not_recorded: return cell_result::not_recorded;
    case outcome::terminated: return cell_result::terminated;
    }
    std::unreachable();
}

void set_bit(std::string& bits, std::uint32_t i, bool on)
{
    auto const mask = static_cast<std::uint8_t>(1U << (i % 8));
    auto& byte = bits[i / 8];
    byte = static_cast<char>(on ? static_cast<std::uint8_t>(byte) | mask
                                : static_cast<std::uint8_t>(byte) & ~mask);
}

/// Puts one cell's event into the aggregates of its model and agent.
class cell_applier {
public:
    cell_applier(events::recorded const& e, dimensions const& dims, spot const& at, bool in_grid,
                 std::uint32_t cell, rows& out)
        : e_(e), dims_(dims), at_(at), in_grid_(in_grid), cell_(cell), out_(out)
    {
    }

    result<void> operator()(event::cell_added const&) const
    {
        ASSAY_TRY(auto group, load_group());
        ++group.added;
        save_group(group);
        return with_test([](eval_test& test) { ++test.cells; });
    }

    result<void> operator()(event::run_started const&) const
    {
        return with_score([](cell_score& score, benchmark_row& group) {
            score.result = cell_result::open;
            score.grader_error = false;
            ++group.running;
        });
    }

    result<void> operator()(event::call_recorded const& call) const
    {
        ASSAY_TRY(auto group, load_group());
        ++group.calls;
        group.reused += call.reused ? 1 : 0;
        add_known(group.input_tokens, call.input_tokens);
        add_known(group.output_tokens, call.output_tokens);
        add_known(group.cached_input_tokens, call.cached_input_tokens);
        add_cost(group.costs, call);
        // No call takes no time: zero is what a recording says that does not know.
        bool const timed = call.answer && call.latency_us > 0;
        if (timed) {
            auto& l = group.latency;
            l.min_us = l.n == 0 ? call.latency_us : std::min(l.min_us, call.latency_us);
            l.max_us = std::max(l.max_us, call.latency_us);
            l.sum_us += call.latency_us;
            ++l.n;
        }
        save_group(group);
        return timed ? count_latency(call.latency_us) : result<void>{};
    }

    result<void> operator()(event::run_ended const& ended) const
    {
        return end(result_of(ended.outcome), true);
    }

    result<void> operator()(event::cell_failed const&) const
    {
        return end(cell_result::failed_unrun, false);
    }

    result<void> operator()(event::cell_terminated const& t) const
    {
        return end(cell_result::terminated, t.run > 0);
    }

    result<void> operator()(event::cell_completed const& c) const
    {
        return end(cell_result::completed, c.run > 0);
    }

    result<void> operator()(event::grade_recorded const& grade) const
    {
        ASSAY_CHECK(replace_standards(grade));
        ASSAY_CHECK(with_score([&](cell_score& score, benchmark_row&) {
            score.graded = true;
            score.grader_error = false;
            score.passed = grade.passed;
            score.score_ppm = grade.score_ppm;
            score.standards = grade.standards;
        }));
        return in_grid_ ? mark_graded(grade.passed) : result<void>{};
    }

    result<void> operator()(event::grading_failed const&) const
    {
        return with_score([](cell_score& score, benchmark_row&) { score.grader_error = true; });
    }

    template <class Other>
    result<void> operator()(Other const&) const
    {
        return {};
    }

private:
    result<void> end(cell_result how, bool was_running) const
    {
        return with_score([&](cell_score& score, benchmark_row& group) {
            score.result = how;
            group.running -= was_running ? 1 : 0;
        });
    }

    static void move_score(cell_score const& score, int sign, score_total& to)
    {
        if (!score.graded)
            return;
        if (sign > 0)
            to.add(score.score_ppm, score.passed);
        else
            to.remove(score.score_ppm, score.passed);
    }

    static void count(cell_score const& score, int sign, benchmark_row& group)
    {
        auto const step = static_cast<std::uint32_t>(sign);
        if (auto* counter = counter_of(group.results, score.result))
            *counter += step;
        if (score.grader_error)
            group.grader_errors += step;
        move_score(score, sign, group.scores);
    }

    static bool counts_for_test(cell_score const& score)
    {
        return score.graded || score.result != cell_result::open;
    }

    void count(cell_score const& score, int sign, eval_test& test) const
    {
        auto const step = static_cast<std::uint64_t>(static_cast<std::int64_t>(sign));
        if (score.result != cell_result::open)
            test.ended += step;
        if (score.result == cell_result::completed || score.result == cell_result::refused)
            test.completed += step;
        move_score(score, sign, test.models[at_.model]);
    }

    [[nodiscard]] result<benchmark_row> load_group() const
    {
        ASSAY_TRY(auto stored,
                  load<benchmark_row>(out_, group_key('g', at_.test, at_.model, at_.agent)));
        return std::move(stored).value_or(benchmark_row{});
    }

    void save_group(benchmark_row const& group) const
    {
        save(out_, group_key('g', at_.test, at_.model, at_.agent), group);
    }

    template <class Change>
    result<void> with_test(Change const& change) const
    {
        auto const where = eval_key(dims_.workspace, dims_.eval, at_.test);
        ASSAY_TRY(auto test, load_existing<eval_test>(out_, where, "the test in its eval"));
        change(test);
        save(out_, where, test);
        return {};
    }

    /// Changes what the cell counts for: takes the old out of every total and puts the new in.
    template <class Change>
    result<void> with_score(Change const& change) const
    {
        auto const where = score_key(at_);
        cell_score before;
        if (e_.version > 1) {
            ASSAY_TRY(auto stored, load<cell_score>(out_, where));
            before = std::move(stored).value_or(cell_score{});
        }
        auto score = before;
        score.cell = cell_;
        ASSAY_TRY(auto group, load_group());
        count(before, -1, group);
        change(score, group);
        count(score, +1, group);
        save_group(group);
        if (counts_for_test(before) || counts_for_test(score)) {
            ASSAY_CHECK(with_test([&](eval_test& test) {
                count(before, -1, test);
                count(score, +1, test);
            }));
        }
        if (e_.version > 1)
            save(out_, where, score);
        else
            save_new(out_, where, score);
        return {};
    }

    result<void> count_latency(std::uint64_t us) const
    {
        auto const where = bucket_key(at_, latency::bucket_of(us));
        ASSAY_TRY(auto stored, load<bucket_count>(out_, where));
        save(out_, where, bucket_count{stored.value_or(bucket_count{}).calls + 1});
        return {};
    }

    result<void> move_standard(event::standard_score const& s, bool in) const
    {
        auto const where = standard_key(at_, s.group);
        ASSAY_TRY(auto stored, load<score_total>(out_, where));
        auto total = stored.value_or(score_total{});
        if (in)
            total.add(s.score_ppm, s.passed);
        else
            total.remove(s.score_ppm, s.passed);
        save(out_, where, total);
        return {};
    }

    result<void> replace_standards(event::grade_recorded const& grade) const
    {
        if (grade.grade > 1) {
            ASSAY_TRY(auto old, load<cell_score>(out_, score_key(at_)));
            if (old) {
                for (auto const& s : old->standards)
                    ASSAY_CHECK(move_standard(s, false));
            }
        }
        for (auto const& s : grade.standards)
            ASSAY_CHECK(move_standard(s, true));
        return {};
    }

    result<void> mark_graded(bool passed) const
    {
        auto const where = bits_key(at_.test, at_.model, at_.agent, at_.repeat, at_.scenario);
        ASSAY_TRY(auto stored, load<grade_bits>(out_, where));
        auto bits = std::move(stored).value_or(grade_bits{});
        set_bit(bits.graded, at_.scenario % chunk_scenarios, true);
        set_bit(bits.passed, at_.scenario % chunk_scenarios, passed);
        save(out_, where, bits);
        return {};
    }

    events::recorded const& e_;
    dimensions const& dims_;
    spot const& at_;
    bool const in_grid_;
    std::uint32_t const cell_;
    rows& out_;
};

result<void> start_test(events::recorded const& e, event::test_started const& s, rows& out)
{
    dimensions const dims{e.head->workspace,
                          s.eval,
                          {static_cast<std::uint32_t>(s.models.size()), s.scenarios,
                           static_cast<std::uint32_t>(s.agents.size()), s.repeats}};
    save_new(out, dimensions_key(e.stream.id), dims);
    eval_test test;
    test.cells = dims.size.cells();
    test.infinite = s.infinite;
    test.models.resize(s.models.size());
    save_new(out, eval_key(dims.workspace, dims.eval, e.stream.id), test);
    return {};
}

result<void> apply_to_test(events::recorded const& e, rows& out)
{
    if (auto const* started = std::get_if<event::test_started>(&e.body))
        return start_test(e, *started, out);
    ASSAY_TRY(auto dims, load_existing<dimensions>(out, dimensions_key(e.stream.id), "the test"));
    if (auto const* extended = std::get_if<event::test_extended>(&e.body)) {
        dims.size.repeats = extended->repeats;
        save(out, dimensions_key(e.stream.id), dims);
    }
    auto const where = eval_key(dims.workspace, dims.eval, e.stream.id);
    ASSAY_TRY(auto test, load_existing<eval_test>(out, where, "the test in its eval"));
    std::visit(overloaded{
                   [&](event::test_stopped const&) { test.phase = test_phase::stopped; },
                   [&](event::test_reopened const&) { test.phase = test_phase::running; },
                   [&](event::test_completed const&) { test.phase = test_phase::completed; },
                   [&](event::test_archived const& a) { test.archived = a.archived; },
                   [&](event::test_extended const& x) { test.cells += x.cells; },
                   [](auto const&) {},
               },
               e.body);
    save(out, where, test);
    return {};
}

result<spot> spot_of(uuid const& test, std::uint32_t cell, dimensions const& dims,
                     event_body const& body, rows& out)
{
    if (cell < added_cells_from) {
        auto const place = place_of(dims.size, cell);
        return spot{test, static_cast<std::uint16_t>(place.model),
                    static_cast<std::uint16_t>(place.agent), place.scenario, place.repeat};
    }
    if (auto const* added = std::get_if<event::cell_added>(&body)) {
        save_new(out, added_key(test, cell),
                 added_place{added->model, added->agent, added->scenario});
        return spot{test, added->model, added->agent, added->scenario, cell};
    }
    ASSAY_TRY(auto const place,
              load_existing<added_place>(out, added_key(test, cell), "the added cell"));
    return spot{test, place.model, place.agent, place.scenario, cell};
}

result<void> apply_to_cell(events::recorded const& e, grid_id const& id, rows& out)
{
    ASSAY_TRY(auto const dims, load_existing<dimensions>(out, dimensions_key(id.test), "the test"));
    ASSAY_TRY(auto const at, spot_of(id.test, id.cell, dims, e.body, out));
    return std::visit(cell_applier(e, dims, at, id.cell < added_cells_from, id.cell, out), e.body);
}

} // namespace

result<void> benchmark::apply(events::recorded const& e, rows& out) const
{
    return by_stream(e, out, apply_to_test, apply_to_cell);
}

std::string benchmark::describe(std::string_view key, std::string_view value) const
{
    switch (key.front()) {
    case 'd': return describe_row<dimensions>(value);
    case 'a': return describe_row<added_place>(value);
    case 'c': return describe_row<cell_score>(value);
    case 'g': return describe_row<benchmark_row>(value);
    case 's': return describe_row<score_total>(value);
    case 'h': return describe_row<bucket_count>(value);
    case 'e': return describe_row<eval_test>(value);
    case 'p': {
        auto const row = pack::from_bytes<grade_bits>(value);
        if (!row)
            break;
        return "{\"graded\":\"" + to_hex(row->graded) + "\",\"passed\":\"" + to_hex(row->passed) +
               "\"}";
    }
    }
    return "\"" + to_hex(value) + "\"";
}

} // namespace assay::projections
