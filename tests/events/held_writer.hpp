#pragma once

#include "events/pipeline.hpp"

#include <future>
#include <latch>
#include <memory>
#include <thread>

namespace assay::test {

/// Holds the writer between two drains until it is released, so that commands pile up.
class held_writer {
public:
    explicit held_writer(events::pipeline& writer)
        : thread_([this, &writer] {
              writer.between_drains([this] {
                  held_.count_down();
                  release_.wait();
              });
          })
    {
        held_.wait();
    }

    ~held_writer() { release(); }

    held_writer(held_writer const&) = delete;
    held_writer& operator=(held_writer const&) = delete;

    void release()
    {
        if (!released_)
            release_.count_down();
        released_ = true;
    }

private:
    std::latch held_{1};
    std::latch release_{1};
    bool released_ = false;
    std::jthread thread_;
};

/// What becomes of a command that is not waited for.
class pending {
public:
    pending(events::pipeline& writer, events::submission s)
    {
        writer.submit(std::move(s), [state = state_](result<events::receipt> r) {
            state->set_value(std::move(r));
        });
    }

    [[nodiscard]] bool ready() const
    {
        return future_.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
    }

    [[nodiscard]] result<events::receipt> get() { return future_.get(); }

private:
    std::shared_ptr<std::promise<result<events::receipt>>> state_ =
        std::make_shared<std::promise<result<events::receipt>>>();
    std::future<result<events::receipt>> future_ = state_->get_future();
};

} // namespace assay::test
