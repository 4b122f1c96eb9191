#include "http/server/post_gate.hpp"

#include <spdlog/spdlog.h>

#include <iterator>

namespace assay::http {

thread_local post_burst* post_burst::current_ = nullptr;

void post_gate::post(work w)
{
    if (auto* const burst = post_burst::current_) {
        burst->kept_.emplace_back(shared_from_this(), std::move(w));
        return;
    }
    std::vector<work> one;
    one.push_back(std::move(w));
    post(std::move(one));
}

void post_gate::post(std::vector<work> many)
{
    std::lock_guard const lock(mutex_);
    if (!io_)
        return;
    bool const sleeps = waiting_.empty();
    std::ranges::move(many, std::back_inserter(waiting_));
    if (sleeps)
        asio::post(*io_, [self = shared_from_this()] { self->run(); });
}

void post_gate::run()
{
    std::vector<work> batch;
    {
        std::lock_guard const lock(mutex_);
        batch.swap(waiting_);
    }
    for (auto& w : batch) {
        try {
            w();
        } catch (std::exception const& e) {
            // Only bad_alloc: its connection unwinds, the others of the batch go on.
            spdlog::error("http worker: {}", e.what());
        }
    }
}

void post_gate::close()
{
    // Destroyed outside the lock: a responder's end may post again.
    std::vector<work> unused;
    std::lock_guard const lock(mutex_);
    io_ = nullptr;
    unused.swap(waiting_);
}

post_burst::post_burst()
{
    current_ = this;
}

post_burst::~post_burst()
{
    current_ = nullptr;
    while (!kept_.empty()) {
        auto const gate = kept_.front().first;
        std::vector<post_gate::work> part;
        std::erase_if(kept_, [&](auto& k) {
            if (k.first != gate)
                return false;
            part.push_back(std::move(k.second));
            return true;
        });
        gate->post(std::move(part));
    }
}

} // namespace assay::http
