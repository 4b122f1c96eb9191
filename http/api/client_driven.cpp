#include "http/api/invocation_ids.hpp"
#include "http/api/routes.hpp"
#include "http/api/test_rows.hpp"
#include "http/runner/conversation.hpp"

/// Tests that a client drives: next, run, end.
namespace assay::api {

namespace {

struct next_body {
    uuid test_id;

    static constexpr auto fields = std::tuple{field{"test_id", &next_body::test_id}};
};

struct run_body {
    uuid test_id;
    uuid test_invocation_id;
    uuid run_id;

    static constexpr auto fields = std::tuple{
        field{"test_id", &run_body::test_id},
        field{"test_invocation_id", &run_body::test_invocation_id},
        field{"run_id", &run_body::run_id},
    };
};

struct end_body {
    uuid test_id;
    uuid test_invocation_id;
    uuid run_id;
    std::optional<bool> grade;
    std::optional<double> score;
    std::optional<bool> passed;
    std::optional<std::string> feedback;

    static constexpr auto fields = std::tuple{
        field{"test_id", &end_body::test_id},
        field{"test_invocation_id", &end_body::test_invocation_id},
        field{"run_id", &end_body::run_id},
        field{"grade", &end_body::grade},
        field{"score", &end_body::score},
        field{"passed", &end_body::passed},
        field{"feedback", &end_body::feedback, {.size_max = 256 * 1024}},
    };
};

/// POST next   200 the run that is to come; nothing changes · 404 none is pending · 409 completed
result<std::string> next(services const& s, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<next_body>(in.body));
    auto const views = s.engine.read();
    ASSAY_TRY(auto const test, test_of(*views, in, asked.test_id));
    if (test.phase == test_phase::completed)
        return fail(errc::conflict, "the test is completed; nothing about it changes any more",
                    "test_completed");
    ASSAY_TRY(auto const queued, projections::next_queued(*views, test.id, 0, 1));
    if (queued.empty())
        return fail(errc::not_found, "no run of this test is pending", "no_pending_run");
    ASSAY_TRY(auto const cell, projections::get_cell(*views, test, queued.front()));
    ASSAY_TRY(auto const counts, projections::get_test_counts(*views, test.id));
    auto const run = static_cast<std::uint16_t>(cell.row.own.runs + 1);
    std::string body;
    json_writer w(body);
    w.begin_object()
        .member("invocation_id", cell.invocation)
        .member("run_id", grid_id::make(test.id, grid_kind::run, cell.cell, run))
        .member("current_run", cell.position + 1)
        .member("total_runs", test.size().cells() + counts.added)
        .end_object();
    return body;
}

/// POST run   200 it has begun · 404 · 409 running, ended, test completed
void run(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<run_body>(in.body);
    auto const place = asked
                           ? place_of_run(asked->test_id, asked->test_invocation_id, asked->run_id)
                           : result<grid_id>(std::unexpected(asked.error()));
    auto const allowed =
        place ? check_test(s, in, place->test) : result<void>(std::unexpected(place.error()));
    if (!allowed)
        return respond(std::unexpected(allowed.error()));
    give(s,
         s.engine.prepare(in.who, "test.invocation_run",
                          command::run_cell{place->test, place->cell, place->ordinal}),
         std::move(respond), [test = place->test](events::receipt const& r) {
             return json::canonical(json::object{{"test_id", test.text()},
                                                 {"invocation_id", r.answer.at("invocation_id")},
                                                 {"run_id", r.answer.at("run_id")}});
         });
}

/// The newest answer of a run; none if it has none, or it was erased.
result<std::optional<std::string>> answer_of(services const& s, projections::reader const& views,
                                             uuid const& workspace, grid_id const& run)
{
    ASSAY_TRY(auto const calls, projections::list_calls(views, run.test, run.cell, run.ordinal));
    auto const last = std::find_if(calls.rbegin(), calls.rend(),
                                   [](auto const& c) { return c.call.answer.has_value(); });
    if (last == calls.rend())
        return std::nullopt;
    auto text = s.engine.text(workspace, *last->call.answer);
    if (!text && text.error().code == errc::gone)
        return std::nullopt;
    if (!text)
        return std::unexpected(std::move(text.error()));
    return std::optional(std::move(*text));
}

result<http::judge::verdict> judge_answer(services const& s, projections::test_row const& test,
                                          std::uint32_t scenario, std::string_view answer)
{
    ASSAY_TRY(auto const config, s.engine.config_of(test));
    ASSAY_TRY(auto const graders, http::judge::make(*config));
    ASSAY_TRY(auto const frozen, s.engine.scenario_of(test, scenario));
    std::optional<std::string> expected;
    if (frozen.expected) {
        ASSAY_TRY(expected, s.engine.text(test.workspace, *frozen.expected));
    }
    return graders(answer, expected);
}

/// Nobody gave a score: takes the grade that the run has, or lets the graders judge its newest
/// answer. A run whose answer is still to come cannot be judged.
result<void> judge_run(services const& s, incoming const& in, grid_id const& run, bool grade,
                       command::end_cell& into)
{
    auto const views = s.engine.read();
    ASSAY_TRY(auto const test, test_of(*views, in, run.test));
    ASSAY_TRY(auto const cell, projections::get_cell(*views, test, run.cell));
    auto const& own = cell.row.own;
    into.calls_seen = own.calls;
    into.grades_seen = own.grades;
    ASSAY_TRY(auto const grades, projections::list_grades(*views, run.test, run.cell));
    auto const given = std::find_if(grades.rbegin(), grades.rend(),
                                    [&](auto const& g) { return g.grade.run == run.ordinal; });
    if (given != grades.rend()) {
        into.verdict = given->grade;
        return {};
    }
    if (!grade || run.ordinal < own.runs || cell.row.grading_error)
        return {};
    ASSAY_TRY(auto const answer, answer_of(s, *views, test.workspace, run));
    bool const open = cell.status == cell_status::queued || cell.status == cell_status::running;
    if (!answer && open && run.ordinal <= own.runs + 1)
        return fail(errc::conflict,
                    "the run has no answer yet that could be graded; wait for it on watch, or give "
                    "a score",
                    std::string("invocation_").append(codec::enum_name(cell.status)));
    if (!answer)
        return {};
    ASSAY_TRY(auto found, judge_answer(s, test, cell.place.scenario, *answer));
    into.verdict = std::move(found.grade);
    into.grading_failed = std::move(found.failed);
    if (into.grading_failed)
        into.grading_failed->run = run.ordinal;
    return {};
}

result<engine::prepared> prepare_end(services const& s, incoming const& in, end_body const& asked)
{
    ASSAY_TRY(auto const run, place_of_run(asked.test_id, asked.test_invocation_id, asked.run_id));
    ASSAY_CHECK(check_test(s, in, run.test));
    command::end_cell command{.test = run.test,
                              .cell = run.cell,
                              .run = run.ordinal,
                              .score = asked.score,
                              .passed = asked.passed,
                              .verdict = {},
                              .grading_failed = {},
                              .feedback = {}};
    bool const told = asked.score || asked.passed;
    bool const grade = asked.grade.value_or(false);
    if (!told && (grade || asked.feedback))
        ASSAY_CHECK(judge_run(s, in, run, grade, command));
    events::blob_list blobs;
    if (asked.feedback) {
        ASSAY_TRY(command.feedback, s.engine.seal(in.who.workspace, *asked.feedback, blobs));
    }
    ASSAY_TRY(auto prepared, s.engine.prepare(in.who, "test.end", std::move(command)));
    prepared.blobs = std::move(blobs);
    return prepared;
}

/// POST end   200 closed, with its grade if there is one · 404 · 409 nothing to grade yet, another
/// run is the newest, test completed · 422 a score out of range
void end(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<end_body>(in.body);
    if (!asked)
        return respond(std::unexpected(asked.error()));
    give(s, prepare_end(s, in, *asked), std::move(respond),
         [feedback = asked->feedback](events::receipt const& r) {
             auto const& a = r.answer;
             std::string body;
             json_writer w(body);
             w.begin_object()
                 .member("invocation_id", a.at("invocation_id"))
                 .member("grade_id", a.at("grade_id"));
             if (auto const& ppm = a.at("score_ppm"); !ppm.is_null())
                 w.member("score", points_of(ppm.to_number<std::uint32_t>(),
                                             a.at("total_points").to_number<std::uint32_t>()));
             else
                 w.null("score");
             w.member("passed", a.at("passed")).member("feedback", feedback).end_object();
             return body;
         });
}

} // namespace

void add_client_driven(http::router& to, services const& s)
{
    add_query(to, s,
              {.name = "v5.test.next",
               .path = "/api/v5/artifacts/test/next",
               .permission = {"test", "next"},
               .tags = "test",
               .summary = "The run that is to come next.",
               .params = params_of<next_body>()},
              [s](incoming const& in) { return next(s, in); });
    add_slow_command(to, s,
                     {.name = "v5.test.run",
                      .path = "/api/v5/artifacts/test/run",
                      .permission = {"test", "run"},
                      .tags = "test,tests,benchmark",
                      .summary = "Begin the run that next named.",
                      .params = params_of<run_body>()},
                     [s](incoming in, reply r) { run(s, std::move(in), std::move(r)); });
    add_slow_command(to, s,
                     {.name = "v5.test.end",
                      .path = "/api/v5/artifacts/test/end",
                      .permission = {"test", "end"},
                      .tags = "test,tests,benchmark,grades",
                      .summary = "Close an invocation, and grade it.",
                      .params = params_of<end_body>()},
                     [s](incoming in, reply r) { end(s, std::move(in), std::move(r)); });
}

} // namespace assay::api
