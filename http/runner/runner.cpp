#include "http/runner/runner.hpp"

#include "http/runner/agenda.hpp"
#include "http/runner/conductor.hpp"
#include "http/runner/dispatcher.hpp"
#include "http/runner/intake.hpp"
#include "http/runner/lane.hpp"
#include "http/runner/provider_table.hpp"
#include "http/runner/recorder.hpp"

#include <future>
#include <thread>
#include <utility>

namespace assay::http {

/// The parts, each after those that it uses.
struct runner::impl {
    impl(engine::engine& e, runner_options const& o, runner_stats& stats)
        : engine_(e), options_(o), providers_(e.options().recording_roots), lanes_(e, options_),
          recorder_(e, agenda_, stats), dispatcher_(agenda_, lanes_, providers_, options_, stats,
                                                    [this](live_ptr const& live, call_result r) {
                                                        conductor_.hear(live, std::move(r));
                                                    }),
          conductor_(e, recorder_, dispatcher_, stats),
          intake_(e, agenda_, lanes_, recorder_, conductor_, options_)
    {
    }

    engine::engine& engine_;
    runner_options const options_;
    agenda agenda_;
    provider_table providers_;
    lane_table lanes_;
    recorder recorder_;
    dispatcher dispatcher_;
    conductor conductor_;
    intake intake_;
    std::uint64_t subscription_ = 0;
    bool stopping_ = false; ///< the scheduling thread's
    std::jthread thread_;

    void follow_log()
    {
        subscription_ = engine_.pipeline().subscribe([this](events::commit_ptr const& c) {
            // Of what it recorded itself it needs no news, but that an infinite test has grown.
            bool const own = c->head.channel == events::channel::runner;
            if (!own || std::holds_alternative<event::test_extended>(c->events.back().body))
                agenda_.post([this, c] { intake_.follow(c); });
        });
    }

    /// Runs behind everything that has happened: makes use of the room that there is now.
    void pump()
    {
        if (stopping_)
            return;
        intake_.claim();
        if (!recorder_.blocked())
            dispatcher_.start_calls();
        intake_.claim();
    }

    void begin_stop()
    {
        stopping_ = true;
        recorder_.stop();
    }

    /// Waits until no call is in flight and everything is recorded, at most for `at_most`.
    void settle(std::chrono::milliseconds at_most)
    {
        // Asked on the scheduling thread, which alone knows.
        auto const settled = [this] {
            std::promise<bool> answer;
            auto idle = answer.get_future();
            agenda_.post([this, &answer] {
                answer.set_value(dispatcher_.in_flight() == 0 && recorder_.under_way() == 0);
            });
            return idle.get();
        };
        auto const deadline = monotonic_now() + at_most;
        while (!settled() && monotonic_now() < deadline)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
};

runner::runner(engine::engine& e, runner_options options)
    : impl_(std::make_unique<impl>(e, options, stats_))
{
}

runner::~runner()
{
    stop();
}

void runner::start()
{
    auto& i = *impl_;
    i.follow_log();
    i.agenda_.post([&i] { i.intake_.take_up(); });
    i.thread_ = std::jthread([&i] { i.agenda_.run([&i] { i.pump(); }); });
}

void runner::stop(std::chrono::milliseconds grace)
{
    auto& i = *impl_;
    if (!i.thread_.joinable())
        return;
    i.engine_.pipeline().unsubscribe(i.subscription_);
    i.agenda_.post([&i] { i.begin_stop(); });
    i.settle(grace);
    i.providers_.cancel_all();
    i.settle(std::chrono::seconds(5));
    i.agenda_.end();
    i.thread_.join();
}

} // namespace assay::http
