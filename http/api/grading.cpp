#include "http/api/routes.hpp"

namespace assay::api {

namespace {

struct grade_body {
    uuid invocation_id;
    std::optional<uuid> run_id;
    std::optional<std::int64_t> score;
    std::optional<bool> full;

    static constexpr auto fields = std::tuple{
        field{"invocation_id", &grade_body::invocation_id},
        field{"run_id", &grade_body::run_id},
        field{"score", &grade_body::score},
        field{"full", &grade_body::full},
    };
};

struct feedback_body {
    uuid grade_id;
    uuid tool_call_id;
    uuid standard_group_id;
    std::optional<std::uint8_t> score;
    std::optional<std::string> feedback;
    std::optional<uuid> run_id;

    static constexpr auto fields = std::tuple{
        field{"grade_id", &feedback_body::grade_id},
        field{"tool_call_id", &feedback_body::tool_call_id},
        field{"standard_group_id", &feedback_body::standard_group_id},
        field{"score", &feedback_body::score, {.min = 1, .max = 5}},
        field{"feedback", &feedback_body::feedback, {.size_max = 256 * 1024}},
        field{"run_id", &feedback_body::run_id},
    };
};

result<command::grade_cell> command_of(grade_body const& asked)
{
    auto const place = grid_id::read(asked.invocation_id, grid_kind::invocation);
    if (!place)
        return fail(errc::not_found, "there is no such invocation", "invocation_not_found");
    command::grade_cell out{place->test, place->cell, {}, asked.score, asked.full.value_or(false)};
    if (!asked.run_id)
        return out;
    auto const run = grid_id::read(*asked.run_id, grid_kind::run);
    if (!run || run->test != place->test || run->cell != place->cell)
        return fail(errc::not_found, "there is no such run", "run_not_found");
    out.run = run->ordinal;
    return out;
}

/// POST /test/grade   200 the grade · 404 · 409 not completed yet, test completed · 422 a score out
/// of range
void grade(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<grade_body>(in.body);
    auto command =
        asked ? command_of(*asked) : result<command::grade_cell>(std::unexpected(asked.error()));
    auto allowed =
        command ? check_test(s, in, command->test) : result<void>(std::unexpected(command.error()));
    if (!allowed)
        return respond(std::unexpected(std::move(allowed.error())));
    give(s, s.engine.prepare(in.who, "test.grade", *command), std::move(respond),
         [](events::receipt const& r) { return json::canonical(r.answer); });
}

result<engine::prepared> prepare_feedback(services const& s, incoming const& in,
                                          feedback_body const& asked)
{
    auto const grade = grid_id::read(asked.grade_id, grid_kind::grade);
    if (!grade)
        return fail(errc::not_found, "there is no such grade", "grade_not_found");
    ASSAY_CHECK(check_test(s, in, grade->test));
    command::give_feedback command{grade->test,
                                   grade->cell,
                                   grade->ordinal,
                                   asked.tool_call_id,
                                   asked.standard_group_id,
                                   asked.score.value_or(0),
                                   {}};
    if (!asked.score && !asked.feedback)
        return bad_field("feedback", "give a score, a feedback, or both", "missing");
    events::blob_list blobs;
    if (asked.feedback) {
        ASSAY_TRY(command.text, s.engine.seal(in.who.workspace, *asked.feedback, blobs));
    }
    ASSAY_TRY(auto prepared, s.engine.prepare(in.who, "test.feedback", std::move(command)));
    prepared.blobs = std::move(blobs);
    return prepared;
}

/// POST /test/feedback   200 its id · 404 · 409 test completed · 422 another rubric's group
void feedback(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<feedback_body>(in.body);
    if (!asked)
        return respond(std::unexpected(asked.error()));
    json::value const text =
        asked->feedback ? json::value(boost::json::string(*asked->feedback)) : json::value(nullptr);
    json::value const total = asked->score ? json::value(*asked->score) : json::value(nullptr);
    give(s, prepare_feedback(s, in, *asked), std::move(respond),
         [text, total, key = echoed_key(in.who)](events::receipt const& r) {
             auto answer = r.answer;
             answer["total"] = total;
             answer["feedback"] = text;
             answer["idempotency_key"] = key;
             return json::canonical(answer);
         });
}

} // namespace

void add_grading(http::router& to, services const& s)
{
    add_command(to,
                {.name = "test.grade",
                 .path = "/test/grade",
                 .permission = {"test", "grade"},
                 .tags = "test,tests,grades"},
                [s](incoming in, reply r) { grade(s, std::move(in), std::move(r)); });
    add_command(to,
                {.name = "test.feedback",
                 .path = "/test/feedback",
                 .permission = {"test", "feedback"},
                 .tags = "test,tests,grades"},
                [s](incoming in, reply r) { feedback(s, std::move(in), std::move(r)); });
}

} // namespace assay::api
