#include "http/api/export_tables.hpp"

#include "http/api/test_rows.hpp"
#include "http/export/values.hpp"

namespace assay::api {

namespace {

using exporting::cell;
using exporting::row_visitor;

constexpr std::uint64_t cells_at_once = 256;

/// A test whose cells are walked in their order.
struct cell_walk {
    engine::engine const& engine;
    std::shared_ptr<test_data> data;
    std::optional<std::uint32_t> only;

    using visitor = std::function<result<void>(cell_data const&)>;

    result<void> each(visitor const& visit) const
    {
        if (only) {
            ASSAY_TRY(auto const one, data->cell(*only));
            return visit(one);
        }
        for (std::uint64_t at = 0; at < data->total(); at += cells_at_once) {
            ASSAY_TRY(auto const some, data->cells({at, cells_at_once}, true));
            for (auto const& c : some)
                ASSAY_CHECK(visit(c));
        }
        return {};
    }

    [[nodiscard]] uuid id(grid_kind kind, cell_data const& c, std::uint16_t ordinal) const
    {
        return data->id(kind, c.cell.cell, ordinal);
    }

    /// Null when the text was erased.
    [[nodiscard]] result<json::value> text(content const& c) const
    {
        auto plain = engine.text(data->test().workspace, c);
        if (!plain && plain.error().code == errc::gone)
            return json::value(nullptr);
        if (!plain)
            return std::unexpected(std::move(plain.error()));
        return cell(std::string_view(*plain));
    }
};

using walk_ptr = std::shared_ptr<cell_walk const>;

std::optional<std::uint64_t> known(projections::known_sum const& sum)
{
    return sum.known > 0 ? std::optional(sum.sum) : std::nullopt;
}

double milliseconds(std::uint64_t us)
{
    return static_cast<double>(us) / 1000;
}

/// Cost and its currency; two nulls when it is unknown or in several currencies.
void append_cost(exporting::row& to, std::vector<projections::cost_sum> const& costs)
{
    bool const one = costs.size() == 1;
    to.push_back(one ? cell(std::string_view(decimal_of_pico(costs[0].pico))) : json::value());
    to.push_back(one ? cell(std::string_view(costs[0].currency)) : json::value());
}

result<json::value> scenario_name(cell_walk const& walk, cell_data const& c)
{
    auto const found = walk.engine.scenario_of(walk.data->test(), c.cell.place.scenario);
    if (!found && found.error().code != errc::gone)
        return std::unexpected(found.error());
    return found ? cell(std::string_view(found->name)) : json::value();
}

exporting::row grade_cells(cell_walk const& walk, cell_data const& c)
{
    auto const& g = c.cell.row.grade;
    if (!g)
        return {nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};
    return {cell(walk.id(grid_kind::grade, c, g->grade)),
            cell(points_of(g->score_ppm, g->total_points)),
            cell(g->total_points),
            cell(g->pass_points),
            cell(g->passed),
            cell(g->at)};
}

result<void> invocation_row(cell_walk const& walk, cell_data const& c, row_visitor const& visit)
{
    auto const& d = *walk.data;
    auto const& started = d.test().started;
    auto const& own = c.cell.row;
    ASSAY_TRY(auto const scenario, scenario_name(walk, c));
    exporting::row out{
        cell(d.test().id),
        cell(std::string_view(started.name)),
        cell(codec::enum_name(d.test().phase)),
        cell(started.eval),
        cell(std::string_view(started.eval_name)),
        cell(c.cell.invocation),
        cell(c.cell.position),
        own.added ? cell(std::string_view(own.added->title)) : json::value(),
        cell(c.cell.place.repeat),
        cell(codec::enum_name(c.cell.status)),
        own.outcome ? cell(codec::enum_name(*own.outcome)) : json::value(),
        own.error_code.empty() ? json::value() : cell(std::string_view(own.error_code)),
        cell(d.model_of(c).id),
        cell(std::string_view(d.model_of(c).name)),
        cell(d.agent_of(c).id),
        cell(std::string_view(d.agent_of(c).name)),
        cell(c.scenario),
        scenario,
        started.rubric ? cell(started.rubric->id) : json::value(),
        started.rubric ? cell(std::string_view(started.rubric->name)) : json::value(),
        cell(own.own.runs),
        cell(own.started_at),
        cell(own.ended_at)};
    for (auto& v : grade_cells(walk, c))
        out.push_back(std::move(v));
    return visit(out);
}

result<void> run_rows(cell_walk const& walk, cell_data const& c, row_visitor const& visit)
{
    for (auto const& run : c.runs) {
        auto const& r = run.row;
        exporting::row out{cell(run.id),
                           cell(c.cell.invocation),
                           cell(r.started_at),
                           cell(r.ended_at),
                           r.outcome ? cell(codec::enum_name(*r.outcome)) : json::value(),
                           r.error_code.empty() ? json::value()
                                                : cell(std::string_view(r.error_code)),
                           cell(codec::enum_name(r.channel)),
                           cell(r.calls),
                           cell(known(r.input_tokens)),
                           cell(known(r.output_tokens)),
                           cell(known(r.cached_input_tokens)),
                           cell(milliseconds(r.latency_us))};
        append_cost(out, r.costs);
        ASSAY_CHECK(visit(out));
    }
    (void)walk;
    return {};
}

result<void> message_rows(cell_walk const& walk, cell_data const& c, row_visitor const& visit)
{
    for (auto const& m : messages_of(*walk.data, c)) {
        ASSAY_TRY(auto const text, walk.text(*m.text));
        ASSAY_CHECK(visit({cell(m.id), cell(m.run->id), cell(c.cell.invocation), cell(m.role),
                           cell(m.call->at), text}));
    }
    return {};
}

result<void> call_rows(cell_walk const& walk, cell_data const& c, row_visitor const& visit)
{
    for (auto const& run : c.runs)
        for (auto const& row : run.calls) {
            auto const& call = row.call;
            ASSAY_CHECK(visit(
                {cell(walk.id(grid_kind::call, c, call.call)), cell(run.id),
                 cell(c.cell.invocation), cell(row.at), cell(std::string_view(call.resolved_model)),
                 cell(std::string_view(call.finish_reason)), cell(call.attempts),
                 cell(call.input_tokens), cell(call.output_tokens), cell(call.cached_input_tokens),
                 cell(milliseconds(call.latency_us)),
                 call.cost_pico ? cell(std::string_view(decimal_of_pico(*call.cost_pico)))
                                : json::value(),
                 call.currency ? cell(std::string_view(*call.currency)) : json::value(),
                 cell(call.reused)}));
        }
    return {};
}

result<void> grade_rows(cell_walk const& walk, cell_data const& c, row_visitor const& visit)
{
    for (auto const& row : c.grades) {
        auto const& g = row.grade;
        ASSAY_CHECK(visit({cell(walk.id(grid_kind::grade, c, g.grade)), cell(c.cell.invocation),
                           g.run > 0 ? cell(walk.id(grid_kind::run, c, g.run)) : json::value(),
                           cell(points_of(g.score_ppm, g.total_points)), cell(g.total_points),
                           cell(g.pass_points), cell(g.passed), cell(std::string_view(g.grader)),
                           cell(row.at), cell(g.grade == c.cell.row.own.grades)}));
    }
    return {};
}

result<void> score_rows(cell_walk const& walk, cell_data const& c, row_visitor const& visit)
{
    for (auto const& row : c.grades)
        for (auto const& s : row.grade.standards) {
            auto const* const group = group_of(*walk.data, s.group);
            auto const points = group ? group->points : 1;
            ASSAY_CHECK(
                visit({cell(walk.id(grid_kind::grade, c, row.grade.grade)), cell(c.cell.invocation),
                       cell(s.group), group ? cell(std::string_view(group->name)) : json::value(),
                       cell(points_of(s.score_ppm, points)), cell(points), cell(s.passed)}));
        }
    return {};
}

result<void> feedback_rows(cell_walk const& walk, cell_data const& c, row_visitor const& visit)
{
    for (std::size_t i = 0; i < c.feedback.size(); ++i) {
        auto const& f = c.feedback[i].feedback;
        auto const& text = c.comments[i];
        ASSAY_CHECK(visit(
            {cell(walk.id(grid_kind::feedback, c, f.feedback)),
             cell(walk.id(grid_kind::grade, c, f.grade)), cell(c.cell.invocation), cell(f.call),
             cell(group_id_of(f)), f.score > 0 ? cell(static_cast<int>(f.score)) : json::value(),
             text ? cell(std::string_view(*text)) : json::value(), cell(c.feedback[i].at)}));
    }
    return {};
}

} // namespace

std::vector<exporting::table> invocation_tables(services const& s, std::shared_ptr<test_data> data,
                                                std::optional<std::uint32_t> only)
{
    auto const walk = std::make_shared<cell_walk const>(cell_walk{s.engine, std::move(data), only});
    using rows_of_cell = result<void> (*)(cell_walk const&, cell_data const&, row_visitor const&);
    auto const table = [&](std::string_view name, std::vector<std::string_view> columns,
                           rows_of_cell write) {
        return exporting::table{name, std::move(columns), [walk, write](row_visitor const& visit) {
                                    return walk->each(
                                        [&](cell_data const& c) { return write(*walk, c, visit); });
                                }};
    };
    return {
        table("invocations",
              {"test_id",       "test_name",   "test_status",   "eval_id",    "eval_name",
               "invocation_id", "position",    "title",         "repeat",     "status",
               "outcome",       "error_code",  "model_id",      "model_name", "agent_id",
               "agent_name",    "scenario_id", "scenario_name", "rubric_id",  "rubric_name",
               "runs",          "started_at",  "ended_at",      "grade_id",   "score",
               "total_points",  "pass_points", "passed",        "graded_at"},
              invocation_row),
        table("runs",
              {"run_id", "invocation_id", "started_at", "ended_at", "outcome", "error_code",
               "channel", "calls", "input_tokens", "output_tokens", "cached_input_tokens",
               "latency_ms", "cost", "currency"},
              run_rows),
        table("messages",
              {"message_id", "run_id", "invocation_id", "role", "created_at", "content"},
              message_rows),
        table("calls",
              {"call_id", "run_id", "invocation_id", "created_at", "model", "finish_reason",
               "attempts", "input_tokens", "output_tokens", "cached_input_tokens", "latency_ms",
               "cost", "currency", "reused"},
              call_rows),
        table("grades",
              {"grade_id", "invocation_id", "run_id", "score", "total_points", "pass_points",
               "passed", "grader", "created_at", "current"},
              grade_rows),
        table("scores",
              {"grade_id", "invocation_id", "standard_group_id", "standard_group_name", "score",
               "points", "passed"},
              score_rows),
        table("feedback",
              {"feedback_id", "grade_id", "invocation_id", "tool_call_id", "standard_group_id",
               "score", "feedback", "created_at"},
              feedback_rows),
    };
}

} // namespace assay::api
