#include "http/api/routes.hpp"

#include <algorithm>

namespace assay::api {

namespace {

constexpr std::ptrdiff_t message_characters_max = 1000;

struct problem_body {
    std::string type;
    std::string message;

    static constexpr std::array<std::string_view, 4> types{"feature", "bug", "question", "other"};
    static constexpr auto fields = std::tuple{
        field{"type", &problem_body::type, {.words = types}},
        field{"message", &problem_body::message, {.size_min = 1}},
    };
};

/// Of a well-formed UTF-8 text.
std::ptrdiff_t characters_of(std::string_view text)
{
    return std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
}

result<engine::prepared> prepare_problem(services const& s, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<problem_body>(in.body));
    if (characters_of(asked.message) > message_characters_max)
        return bad_field("message", "at most 1000 characters", "string_too_long");
    ASSAY_TRY(auto const id, s.engine.command_id(in.who, "test.problem"));
    command::report_problem command;
    command.problem = derive_uuid(id, "problem");
    command.kind = *codec::parse_enum<problem_kind>(asked.type);
    events::blob_list blobs;
    ASSAY_TRY(command.message, s.engine.seal(in.who.workspace, asked.message, blobs));
    ASSAY_TRY(auto p, s.engine.prepare(in.who, "test.problem", std::move(command)));
    p.blobs = std::move(blobs);
    return p;
}

} // namespace

/// POST /test/problem   200 its id
void add_test_problem(http::router& to, services const& s)
{
    add_slow_command(to, s,
                     {.name = "test.problem",
                      .path = "/test/problem",
                      .permission = {"test", "problem"},
                      .summary = "Report a problem, a wish or a question.",
                      .params = params_of<problem_body>()},
                     [s](incoming in, reply respond) {
                         give(s, prepare_problem(s, in), std::move(respond),
                              [](events::receipt const& r) {
                                  auto answer = r.answer;
                                  answer["success"] = true;
                                  answer["message"] = "The problem was reported.";
                                  return json::canonical(answer);
                              });
                     });
}

} // namespace assay::api
