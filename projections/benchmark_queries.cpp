#include "projections/benchmark_rows.hpp"

#include <bit>
#include <cstring>
#include <map>

namespace assay::projections {

namespace {

using namespace benchmark_rows;

result<std::vector<latency_bucket>> read_buckets(reader const& views, key const& prefix)
{
    std::vector<latency_bucket> out;
    ASSAY_CHECK(fetch_range<bucket_count>(
        views, view_id::benchmark, prefix, {}, [&](std::string_view k, bucket_count const& row) {
            out.push_back({key_reader(k.substr(group_key_bytes)).u16(), row.calls});
            return true;
        }));
    return out;
}

/// The rubric's groups in its order; groups that it does not know (a grade may name any) follow.
result<std::vector<standard_line>> read_standards(reader const& views, key const& prefix,
                                                  std::vector<event::standard_group> const& rubric)
{
    std::vector<standard_line> out;
    for (auto const& g : rubric)
        out.push_back({g.id, g.name, {}});
    ASSAY_CHECK(fetch_range<score_total>(
        views, view_id::benchmark, prefix, {}, [&](std::string_view k, score_total const& row) {
            auto const group = key_reader(k.substr(group_key_bytes)).id();
            auto at = std::find_if(out.begin(), out.end(),
                                   [&](auto const& s) { return s.group == group; });
            if (at == out.end())
                at = out.insert(out.end(), {group, {}, {}});
            at->scores = row;
            return true;
        }));
    return out;
}

/// Adds one word of scenarios to the counts.
void count_word(statistics::paired_counts& counts, std::uint64_t both_graded, std::uint64_t a,
                std::uint64_t b)
{
    auto const count = [](std::uint64_t bits) {
        return static_cast<std::uint64_t>(std::popcount(bits));
    };
    counts.both += count(both_graded & a & b);
    counts.baseline_only += count(both_graded & a & ~b);
    counts.candidate_only += count(both_graded & ~a & b);
    counts.neither += count(both_graded & ~a & ~b);
}

std::uint64_t word(std::string const& bits, std::size_t i)
{
    std::uint64_t v = 0;
    std::memcpy(&v, bits.data() + i * 8, 8);
    return v;
}

void count_chunk(statistics::paired_counts& counts, grade_bits const& a, grade_bits const& b)
{
    for (std::size_t i = 0; i < chunk_scenarios / 64; ++i)
        count_word(counts, word(a.graded, i) & word(b.graded, i), word(a.passed, i),
                   word(b.passed, i));
}

placed_score placed(std::string_view k, cell_score score)
{
    key_reader parts(k.substr(17));
    placed_score p;
    p.model = parts.u16();
    p.agent = parts.u16();
    p.scenario = parts.u32();
    p.repeat = parts.u32();
    p.score = std::move(score);
    return p;
}

void add_to_heat(heat_cell& to, placed_score const& p)
{
    if (p.score.result != cell_result::open)
        ++to.ended;
    if (!p.score.graded)
        return;
    to.scores.add(p.score.score_ppm, p.score.passed);
    for (auto const& s : p.score.standards) {
        auto at = std::find_if(to.standards.begin(), to.standards.end(),
                               [&](auto const& line) { return line.group == s.group; });
        if (at == to.standards.end())
            at = to.standards.insert(at, {s.group, {}, {}});
        at->scores.add(s.score_ppm, s.passed);
    }
}

void add_to_card(eval_card& card, eval_test const& test)
{
    ++card.tests;
    card.archived_tests += test.archived ? 1 : 0;
    card.running_tests += test.phase == test_phase::running ? 1 : 0;
    card.cells += test.cells;
    card.completed_cells += test.completed;
    card.infinite = card.infinite || test.infinite;
    for (auto const& m : test.models) {
        card.passed += m.passed;
        if (m.n > 0)
            card.best_ppm =
                std::max(card.best_ppm.value_or(0), static_cast<std::uint32_t>(m.sum / m.n));
    }
}

/// Mean score of each scenario that has a grade in the grid.
result<std::map<std::uint32_t, score_total>>
scenario_scores(reader const& views, uuid const& test, std::uint32_t model, std::uint32_t agent)
{
    std::map<std::uint32_t, score_total> out;
    ASSAY_CHECK(visit_scores(views, test, model, agent, [&](placed_score const& p) {
        if (p.score.graded && p.repeat < added_cells_from)
            out[p.scenario].add(p.score.score_ppm, p.score.passed);
        return true;
    }));
    return out;
}

} // namespace

result<std::vector<benchmark_line>> get_benchmark(reader const& views, test_row const& test)
{
    std::vector<benchmark_line> out;
    auto const size = test.size();
    for (std::uint32_t model = 0; model < size.models; ++model) {
        for (std::uint32_t agent = 0; agent < size.agents; ++agent) {
            benchmark_line line{model, agent, std::uint64_t{size.scenarios} * size.repeats,
                                {},    {},    {}};
            ASSAY_TRY(auto totals, fetch<benchmark_row>(views, view_id::benchmark,
                                                        group_key('g', test.id, model, agent)));
            if (totals)
                line.totals = std::move(*totals);
            line.cells += line.totals.added;
            ASSAY_TRY(line.latencies, read_buckets(views, group_key('h', test.id, model, agent)));
            ASSAY_TRY(line.standards, read_standards(views, group_key('s', test.id, model, agent),
                                                     test.started.standards));
            out.push_back(std::move(line));
        }
    }
    return out;
}

result<statistics::paired_counts> paired(reader const& views, test_row const& test,
                                         std::uint32_t model_a, std::uint32_t model_b,
                                         std::uint32_t agent, std::optional<std::uint32_t> repeat)
{
    statistics::paired_counts counts;
    auto prefix = group_key('p', test.id, model_a, agent);
    if (repeat)
        prefix.u32(*repeat);
    std::optional<error> problem;
    ASSAY_CHECK(fetch_range<grade_bits>(
        views, view_id::benchmark, prefix, {}, [&](std::string_view k, grade_bits const& a) {
            key_reader place(k.substr(group_key_bytes));
            auto const of_repeat = place.u32();
            auto const first = place.u32() * chunk_scenarios;
            auto b = fetch<grade_bits>(views, view_id::benchmark,
                                       bits_key(test.id, model_b, agent, of_repeat, first));
            if (!b)
                problem = std::move(b.error());
            else if (*b)
                count_chunk(counts, a, **b);
            return !problem;
        }));
    if (problem)
        return std::unexpected(std::move(*problem));
    return counts;
}

result<std::vector<statistics::score_pair>> paired_scores(reader const& views, test_row const& test,
                                                          std::uint32_t model_a,
                                                          std::uint32_t model_b,
                                                          std::uint32_t agent)
{
    ASSAY_TRY(auto const a, scenario_scores(views, test.id, model_a, agent));
    ASSAY_TRY(auto const b, scenario_scores(views, test.id, model_b, agent));
    auto const mean = [](score_total const& s) { return static_cast<std::int64_t>(s.sum / s.n); };
    std::vector<statistics::score_pair> out;
    for (auto const& [scenario, score] : a) {
        if (auto const other = b.find(scenario); other != b.end())
            out.push_back({mean(score), mean(other->second)});
    }
    return out;
}

result<void> visit_scores(reader const& views, uuid const& test, std::uint32_t model,
                          std::uint32_t agent,
                          std::function<bool(placed_score const&)> const& visit)
{
    return fetch_range<cell_score>(
        views, view_id::benchmark, group_key('c', test, model, agent), {},
        [&](std::string_view k, cell_score score) { return visit(placed(k, std::move(score))); });
}

result<std::vector<heat_cell>> get_heatmap(reader const& views, test_row const& test,
                                           page const& scenarios)
{
    std::vector<heat_cell> out;
    auto const size = test.size();
    auto const first = std::min<std::uint64_t>(scenarios.offset, size.scenarios);
    auto const last = first + std::min<std::uint64_t>(scenarios.limit, size.scenarios - first);
    for (std::uint32_t model = 0; model < size.models; ++model) {
        for (std::uint32_t agent = 0; agent < size.agents; ++agent) {
            auto const prefix = group_key('c', test.id, model, agent);
            auto from = prefix;
            from.u32(static_cast<std::uint32_t>(first));
            ASSAY_CHECK(fetch_range<cell_score>(
                views, view_id::benchmark, prefix, from, [&](std::string_view k, cell_score score) {
                    auto const p = placed(k, std::move(score));
                    if (p.scenario >= last)
                        return false;
                    bool const same = !out.empty() && out.back().model == model &&
                                      out.back().agent == agent &&
                                      out.back().scenario == p.scenario;
                    if (!same)
                        out.push_back({model, agent, p.scenario, 0, {}, {}});
                    add_to_heat(out.back(), p);
                    return true;
                }));
        }
    }
    return out;
}

result<std::vector<eval_card>> list_eval_cards(reader const& views, uuid const& workspace)
{
    std::vector<eval_card> out;
    ASSAY_CHECK(fetch_range<eval_test>(views, view_id::benchmark, key('e').id(workspace), {},
                                       [&](std::string_view k, eval_test const& row) {
                                           auto const eval = key_reader(k.substr(17)).id();
                                           if (out.empty() || out.back().eval != eval)
                                               out.push_back({eval, 0, 0, 0, 0, 0, {}, 0, false});
                                           add_to_card(out.back(), row);
                                           return true;
                                       }));
    return out;
}

result<eval_card> get_eval_card(reader const& views, uuid const& workspace, uuid const& eval)
{
    eval_card card{eval, 0, 0, 0, 0, 0, {}, 0, false};
    ASSAY_CHECK(fetch_range<eval_test>(views, view_id::benchmark, key('e').id(workspace).id(eval),
                                       {}, [&](std::string_view, eval_test const& row) {
                                           add_to_card(card, row);
                                           return true;
                                       }));
    return card;
}

} // namespace assay::projections
