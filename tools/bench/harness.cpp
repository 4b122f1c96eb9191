#include "tools/bench/harness.hpp"

#include "core/json.hpp"

#include <fmt/format.h>

#include <fstream>
#include <future>
#include <unistd.h>

namespace assay::tools::bench {

namespace {

boost::json::array texts_of(std::vector<uuid> const& ids)
{
    boost::json::array out;
    for (auto const& id : ids)
        out.emplace_back(id.text());
    return out;
}

engine::item_draft draft(std::string name, boost::json::object body)
{
    engine::item_draft d;
    d.name = std::move(name);
    d.body = std::move(body);
    return d;
}

result<uuid> make_rubric(workbench& w)
{
    return w.create(item_kind::rubric,
                    draft("final answer", {{"points", 1},
                                           {"pass_points", 1},
                                           {"standard_groups",
                                            {{{"id", derive_uuid("group").text()},
                                              {"name", "answer"},
                                              {"points", 1},
                                              {"pass_points", 1},
                                              {"grader", {{"kind", "numeric"}}}}}}}));
}

double status_mib(std::string_view field)
{
    std::ifstream in("/proc/self/status");
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with(field))
            return std::strtod(line.c_str() + field.size(), nullptr) / 1024;
    }
    return 0;
}

} // namespace

scratch::scratch()
{
    path_ = std::filesystem::temp_directory_path() / fmt::format("assay-bench-{}", ::getpid());
    for (int i = 0; !std::filesystem::create_directory(path_); ++i)
        path_ = std::filesystem::temp_directory_path() /
                fmt::format("assay-bench-{}-{}", ::getpid(), i);
}

scratch::~scratch()
{
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
}

result<std::unique_ptr<workbench>> workbench::open(std::filesystem::path const& recording_root)
{
    auto w = std::make_unique<workbench>();
    engine::engine_options o;
    o.data_dir = w->dir.path();
    o.pipeline.ballast_bytes = 0;
    if (!recording_root.empty())
        o.recording_roots.push_back(recording_root);
    ASSAY_TRY(w->engine, engine::engine::open(std::move(o)));
    ASSAY_TRY(auto made, w->engine->create_workspace("bench"));
    w->who.workspace = made.workspace;
    w->who.profile = made.profile;
    return w;
}

result<uuid> workbench::create(item_kind kind, engine::item_draft d)
{
    ASSAY_TRY(auto ids, create_all(kind, {std::move(d)}));
    return ids.front();
}

result<std::vector<uuid>> workbench::create_all(item_kind kind,
                                                std::vector<engine::item_draft> drafts)
{
    std::vector<std::future<result<events::receipt>>> answers;
    for (auto& d : drafts) {
        ASSAY_TRY(auto p, engine->prepare_create(who, kind, std::move(d)));
        auto promise = std::make_shared<std::promise<result<events::receipt>>>();
        answers.push_back(promise->get_future());
        engine->give(std::move(p),
                     [promise](result<events::receipt> r) { promise->set_value(std::move(r)); });
        if (answers.size() % 1000 == 0)
            answers.back().wait(); // stay below the queue's bound
    }
    std::vector<uuid> ids;
    for (auto& a : answers) {
        ASSAY_TRY(auto r, a.get());
        ids.push_back(uuid::parse(std::string_view(r.answer.at("id").as_string())).value());
    }
    return ids;
}

result<uuid> workbench::start(engine::start_request const& request)
{
    ASSAY_TRY(auto prepared, engine->prepare_start(who, request));
    ASSAY_TRY(auto r, engine->give_and_wait(std::move(prepared.command)));
    return uuid::parse(std::string_view(r.answer.at("test_id").as_string())).value();
}

result<uuid> make_plain_eval(workbench& w, std::uint32_t models, std::uint32_t scenarios)
{
    ASSAY_TRY(auto provider, w.create(item_kind::provider,
                                      draft("none", {{"value", "openai"},
                                                     {"endpoint", "http://127.0.0.1:9/v1"}})));
    std::vector<engine::item_draft> drafts;
    for (std::uint32_t i = 0; i < models; ++i)
        drafts.push_back(draft(fmt::format("model {}", i), {{"provider_id", provider.text()}}));
    ASSAY_TRY(auto model_ids, w.create_all(item_kind::model, std::move(drafts)));
    drafts.clear();
    for (std::uint32_t i = 0; i < scenarios; ++i) {
        drafts.push_back(draft(fmt::format("scenario {}", i), {}));
        drafts.back().texts.emplace_back("problem_statement",
                                         fmt::format("How much is {} and {}?", i, i + 1));
        drafts.back().texts.emplace_back("expected_outcome", std::to_string(2 * i + 1));
    }
    ASSAY_TRY(auto scenario_ids, w.create_all(item_kind::scenario, std::move(drafts)));
    ASSAY_TRY(auto rubric, make_rubric(w));
    return w.create(item_kind::eval, draft("plain", {{"model_ids", texts_of(model_ids)},
                                                     {"scenario_ids", texts_of(scenario_ids)},
                                                     {"rubric_ids", texts_of({rubric})}}));
}

result<uuid> make_gsm8k_eval(workbench& w, std::filesystem::path const& folder,
                             std::string const& base_url)
{
    ASSAY_TRY(auto provider,
              w.create(item_kind::provider,
                       draft("mock", {{"value", "openai"}, {"endpoint", base_url}})));
    std::vector<engine::item_draft> drafts;
    for (auto const* name :
         {"6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"})
        drafts.push_back(draft(name, {{"value", name}, {"provider_id", provider.text()}}));
    ASSAY_TRY(auto models, w.create_all(item_kind::model, std::move(drafts)));
    drafts.clear();
    std::ifstream in(folder / "test.jsonl");
    for (std::string line; std::getline(in, line);) {
        ASSAY_TRY(auto row, json::parse(line));
        drafts.push_back(draft(fmt::format("question {}", drafts.size() + 1), {}));
        drafts.back().texts.emplace_back("problem_statement",
                                         std::string(row.at("question").as_string()));
        drafts.back().texts.emplace_back("expected_outcome",
                                         std::string(row.at("answer").as_string()));
    }
    if (drafts.empty())
        return fail(errc::io, fmt::format("no questions in {}", (folder / "test.jsonl").string()));
    ASSAY_TRY(auto scenarios, w.create_all(item_kind::scenario, std::move(drafts)));
    ASSAY_TRY(auto rubric, make_rubric(w));
    return w.create(item_kind::eval, draft("gsm8k", {{"model_ids", texts_of(models)},
                                                     {"scenario_ids", texts_of(scenarios)},
                                                     {"rubric_ids", texts_of({rubric})}}));
}

double seconds_since(std::chrono::steady_clock::time_point start)
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double resident_mib()
{
    return status_mib("VmRSS:");
}

double peak_mib()
{
    return status_mib("VmHWM:");
}

void reset_peak()
{
    std::ofstream("/proc/self/clear_refs") << "5"; // proc(5): resets VmHWM
}

} // namespace assay::tools::bench
