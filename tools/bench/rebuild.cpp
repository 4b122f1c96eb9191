#include "core/json.hpp"
#include "events/record.hpp"
#include "projections/projector.hpp"
#include "tools/bench/harness.hpp"

#include <fmt/format.h>

#include <condition_variable>
#include <mutex>

namespace assay::tools::bench {

namespace {

constexpr std::uint32_t models = 4;

/// Gives commands without waiting for each, but never more than `max` at once.
class feeder {
public:
    feeder(engine::engine& e, std::size_t max) : engine_(e), max_(max) {}

    void give(engine::prepared p)
    {
        {
            std::unique_lock lock(mutex_);
            room_.wait(lock, [this] { return open_ < max_; });
            ++open_;
        }
        engine_.give(std::move(p), [this](result<events::receipt> r) {
            std::lock_guard const lock(mutex_);
            --open_;
            if (!r && !problem_)
                problem_ = std::move(r.error());
            room_.notify_all();
        });
    }

    [[nodiscard]] result<void> finish()
    {
        std::unique_lock lock(mutex_);
        room_.wait(lock, [this] { return open_ == 0; });
        if (problem_)
            return std::unexpected(*problem_);
        return {};
    }

private:
    engine::engine& engine_;
    std::size_t const max_;
    std::mutex mutex_;
    std::condition_variable room_;
    std::size_t open_ = 0;
    std::optional<error> problem_;
};

/// Writes what a run of `cells` cells writes: four events a cell.
result<void> play(workbench& w, uuid const& test, std::uint32_t cells)
{
    events::blob_list ignored;
    ASSAY_TRY(auto text, w.engine->seal(w.who.workspace, "an answer of some words", ignored));
    feeder feed(*w.engine, 2000);
    for (std::uint32_t from = 0; from < cells; from += 128) {
        command::begin_runs begin{test, {}};
        for (auto c = from; c < std::min(cells, from + 128); ++c)
            begin.cells.push_back(c);
        ASSAY_TRY(auto p, w.engine->prepare(w.who, "runner.begin", begin));
        feed.give(std::move(p));
        for (auto const c : begin.cells) {
            command::record_progress progress;
            progress.test = test;
            progress.cell = c;
            progress.run = 1;
            progress.call.emplace();
            progress.call->messages.push_back({"user", text});
            progress.call->answer = text;
            progress.call->finish_reason = "stop";
            progress.call->resolved_model = "model";
            progress.call->input_tokens = 100 + c % 50;
            progress.call->output_tokens = 50 + c % 90;
            progress.call->latency_us = 200'000 + c % 1000 * 997;
            progress.ended.emplace();
            progress.ended->run = 1;
            progress.ended->cell_hash = sha256(std::to_string(c));
            progress.grade.emplace();
            progress.grade->passed = c % 3 == 0;
            progress.grade->score_ppm = progress.grade->passed ? 1'000'000 : 0;
            progress.grade->grader = "numeric/1";
            progress.grade->standards.push_back(
                {derive_uuid("group"), progress.grade->score_ppm, progress.grade->passed});
            ASSAY_TRY(auto r, w.engine->prepare(w.who, "runner.record", std::move(progress)));
            feed.give(std::move(r));
        }
    }
    return feed.finish();
}

/// The floor: every record scanned, its envelope and payloads parsed into JSON values, one thread.
result<double> scan_and_parse(events::store const& log)
{
    auto const start = std::chrono::steady_clock::now();
    std::vector<unsigned char> buffer(256 * 1024);
    std::uint64_t events = 0;
    std::optional<error> problem;
    ASSAY_CHECK(
        log.scan_records(0, log.next_position(), [&](std::uint64_t, std::string_view bytes) {
            boost::json::monotonic_resource arena(buffer.data(), buffer.size());
            auto const parts = events::read_record(bytes);
            if (!parts || !json::parse_stored(parts->entry, &arena))
                return false;
            for (auto const payload : parts->payloads) {
                if (!json::parse_stored(payload, &arena))
                    return false;
                ++events;
            }
            return true;
        }));
    return static_cast<double>(events) / seconds_since(start);
}

} // namespace

figures measure_rebuild(std::uint64_t events)
{
    ASSAY_TRY(auto w, workbench::open());
    auto const cells = static_cast<std::uint32_t>(events / 4);
    ASSAY_TRY(auto eval, make_plain_eval(*w, models, 1000));
    constexpr std::uint32_t cells_per_test = models * 1000 * 10;
    auto const written = std::chrono::steady_clock::now();
    for (std::uint32_t done = 0; done < cells; done += cells_per_test) {
        ASSAY_TRY(auto test, w->start({.eval = eval, .repeats = 10}));
        ASSAY_CHECK(play(*w, test, std::min(cells_per_test, cells - done)));
    }
    auto const write_seconds = seconds_since(written);

    std::uint64_t total = 0;
    projections::build_options options;
    options.progress = [&](projections::build_progress const& p) { total = p.events; };
    w->engine->pipeline().stop();
    ASSAY_TRY(auto floor, scan_and_parse(w->engine->log()));
    auto const start = std::chrono::steady_clock::now();
    ASSAY_TRY(auto rebuilt, w->engine->views().rebuild({}, options));
    auto const seconds = seconds_since(start);
    for (auto const& v : rebuilt) {
        if (!v.same)
            return fail(errc::internal, fmt::format("view {} differs from its rebuild", v.name));
    }
    auto const rate = static_cast<double>(total) / seconds;
    std::vector<figure> out;
    out.push_back(
        {fmt::format("rebuild of all views, {} events, compared with the live ones", total),
         fmt::format("{:.0f} events/s", rate),
         fmt::format("bare scan + parse {:.0f} events/s", floor), rate / floor,
         ">= 200,000 events/s", rate >= 200'000});
    out.push_back({"writing that log: begin and record of each cell, durable",
                   fmt::format("{:.0f} events/s", static_cast<double>(total) / write_seconds), "",
                   std::nullopt, "", true});
    return out;
}

} // namespace assay::tools::bench
