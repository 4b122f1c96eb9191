#include "http/server/sse.hpp"

#include <algorithm>
#include <utility>

namespace assay::http {

namespace {

void append_field(std::string& out, std::string_view name, std::string_view value)
{
    out.append(name).append(": ");
    std::ranges::copy_if(value, std::back_inserter(out),
                         [](char c) { return c != '\r' && c != '\n' && c != '\0'; });
    out.push_back('\n');
}

} // namespace

std::string encode(sse_event const& event)
{
    std::string out;
    out.reserve(event.id.size() + event.name.size() + event.data.size() + 32);
    if (!event.id.empty())
        append_field(out, "id", event.id);
    if (!event.name.empty())
        append_field(out, "event", event.name);
    auto rest = event.data;
    for (;;) {
        auto const line_end = rest.find('\n');
        append_field(out, "data", rest.substr(0, line_end));
        if (line_end == std::string_view::npos)
            break;
        rest.remove_prefix(line_end + 1);
    }
    out.push_back('\n');
    return out;
}

bool sse_stream::push(sse_event const& event)
{
    auto const bytes = encode(event);
    std::move_only_function<void()> hook;
    bool queued = false;
    {
        std::lock_guard const lock(mutex_);
        if (ended_)
            return false;
        if (pending_.size() + bytes.size() > options_.queue_bytes_max) {
            dropped_ = true;
            pending_.clear();
            hook = end();
            // Also a reader that was woken before: it waits for a write that takes nothing.
            woken_ = false;
        } else {
            pending_ += bytes;
            queued = true;
        }
        wake_reader();
    }
    run(std::move(hook));
    return queued;
}

bool sse_stream::offer(sse_event const& event)
{
    auto const bytes = encode(event);
    std::lock_guard const lock(mutex_);
    if (ended_)
        return false;
    if (!pending_.empty() && pending_.size() + bytes.size() > options_.queue_bytes_max)
        return false;
    pending_ += bytes;
    wake_reader();
    return true;
}

bool sse_stream::wait_for_room(std::chrono::milliseconds at_most)
{
    std::unique_lock lock(mutex_);
    room_.wait_for(lock, at_most,
                   [&] { return ended_ || pending_.size() < options_.queue_bytes_max / 2; });
    return !ended_ && pending_.size() < options_.queue_bytes_max / 2;
}

void sse_stream::close()
{
    std::move_only_function<void()> hook;
    {
        std::lock_guard const lock(mutex_);
        hook = end();
        wake_reader();
    }
    run(std::move(hook));
}

bool sse_stream::ended() const
{
    std::lock_guard const lock(mutex_);
    return ended_;
}

void sse_stream::on_end(std::move_only_function<void()> hook)
{
    {
        std::lock_guard const lock(mutex_);
        if (!ended_) {
            on_end_ = std::move(hook);
            return;
        }
    }
    run(std::move(hook));
}

void sse_stream::attach(std::move_only_function<void()> wake)
{
    std::lock_guard const lock(mutex_);
    wake_ = std::move(wake);
    woken_ = false;
}

sse_stream::taken sse_stream::take()
{
    std::lock_guard const lock(mutex_);
    woken_ = false;
    room_.notify_all();
    return {std::exchange(pending_, {}), ended_, dropped_};
}

bool sse_stream::dropped() const
{
    std::lock_guard const lock(mutex_);
    return dropped_;
}

void sse_stream::detach()
{
    std::move_only_function<void()> hook;
    {
        std::lock_guard const lock(mutex_);
        wake_ = nullptr;
        pending_.clear();
        hook = end();
    }
    run(std::move(hook));
}

/// One wake-up until the reader has looked, however many events arrive in between.
void sse_stream::wake_reader()
{
    if (wake_ && !std::exchange(woken_, true))
        wake_();
}

void sse_stream::run(std::move_only_function<void()> hook)
{
    if (hook)
        hook();
}

std::move_only_function<void()> sse_stream::end()
{
    ended_ = true;
    room_.notify_all();
    return std::exchange(on_end_, nullptr);
}

} // namespace assay::http
