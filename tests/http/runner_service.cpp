#include "tests/http/runner_service.hpp"

#include "core/json.hpp"
#include "tests/http/loopback.hpp"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <fstream>
#include <string>
#include <utility>
#include <vector>

namespace assay::test {

namespace {

boost::json::array texts_of(std::vector<uuid> const& ids)
{
    boost::json::array out;
    for (auto const& id : ids)
        out.emplace_back(id.text());
    return out;
}

uuid id_in(events::receipt const& r, std::string_view name)
{
    return uuid::parse(std::string_view(r.answer.at(name).as_string())).value();
}

std::vector<uuid> create_models(service& s, uuid const& provider)
{
    std::vector<uuid> models;
    for (auto const* name :
         {"6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"}) {
        engine::item_draft model{.name = name};
        model.body = {{"value", name}, {"provider_id", provider.text()}};
        models.push_back(s.create(item_kind::model, model));
    }
    return models;
}

uuid create_rubric(service& s)
{
    engine::item_draft rubric{.name = "final answer"};
    rubric.body = {{"points", 1},
                   {"pass_points", 1},
                   {"standard_groups",
                    {{{"id", derive_uuid("group").text()},
                      {"name", "answer"},
                      {"points", 1},
                      {"pass_points", 1},
                      {"grader", {{"kind", "numeric"}}}}}}};
    return s.create(item_kind::rubric, rubric);
}

std::vector<uuid> create_scenarios(service& s, std::size_t questions)
{
    std::vector<uuid> scenarios;
    std::ifstream in(gsm8k() / "test.jsonl");
    for (std::string line; scenarios.size() < questions && std::getline(in, line);) {
        auto const parsed = json::parse(line).value();
        engine::item_draft scenario{.name = fmt::format("question {}", scenarios.size() + 1)};
        scenario.texts.emplace_back("problem_statement",
                                    std::string(parsed.at("question").as_string()));
        scenario.texts.emplace_back("expected_outcome",
                                    std::string(parsed.at("answer").as_string()));
        scenarios.push_back(s.create(item_kind::scenario, scenario));
    }
    return scenarios;
}

} // namespace

std::filesystem::path gsm8k()
{
    return std::filesystem::path(ASSAY_SOURCE_DIR) / "examples" / "gsm8k";
}

service::service()
{
    open();
    auto const made = engine->create_workspace("w");
    REQUIRE(made);
    who.workspace = made->workspace;
    who.profile = made->profile;
}

void service::open()
{
    engine::engine_options o;
    o.data_dir = dir.path();
    o.pipeline.ballast_bytes = 0;
    o.recording_roots = {gsm8k()};
    auto opened = engine::engine::open(std::move(o));
    INFO((opened ? "" : opened.error().detail));
    REQUIRE(opened);
    engine = std::move(*opened);
}

uuid service::create(item_kind kind, engine::item_draft draft)
{
    auto p = engine->prepare_create(who, kind, std::move(draft));
    REQUIRE(p);
    auto const r = engine->give_and_wait(std::move(*p));
    INFO((r ? "" : r.error().detail));
    REQUIRE(r);
    return id_in(*r, "id");
}

uuid service::start(engine::start_request const& request)
{
    auto p = engine->prepare_start(who, request);
    INFO((p ? "" : p.error().detail));
    REQUIRE(p);
    auto const r = engine->give_and_wait(std::move(p->command));
    REQUIRE(r);
    return id_in(*r, "test_id");
}

void service::stop(uuid const& test)
{
    auto p = engine->prepare(who, "test.stop", command::stop_test{.test = test});
    REQUIRE(p);
    REQUIRE(engine->give_and_wait(std::move(*p)));
}

projections::test_counts service::counts(uuid const& test) const
{
    return projections::get_test_counts(*engine->read(), test).value();
}

projections::test_counts service::wait_until_closed(uuid const& test) const
{
    REQUIRE(eventually([&] { return counts(test).counts.open() == 0; }));
    return counts(test);
}

boost::json::object recorded_provider()
{
    return {
        {"value", "recorded"},
        {"endpoint", fmt::format("file://{}/example_model_solutions.jsonl?question=question&answer="
                                 "%7Bmodel%7D.solution",
                                 gsm8k().string())}};
}

uuid gsm8k_eval(service& s, std::size_t questions, boost::json::object provider)
{
    engine::item_draft item{.name = "provider"};
    item.body = std::move(provider);
    auto const provider_id = s.create(item_kind::provider, item);
    engine::item_draft eval{.name = "gsm8k"};
    eval.body = {{"model_ids", texts_of(create_models(s, provider_id))},
                 {"scenario_ids", texts_of(create_scenarios(s, questions))},
                 {"rubric_ids", texts_of({create_rubric(s)})}};
    return s.create(item_kind::eval, eval);
}

} // namespace assay::test
