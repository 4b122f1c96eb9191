#include "projections/overlay.hpp"

#include <algorithm>
#include <cassert>

namespace assay::projections {

overlay::overlay(row_source source, std::size_t bytes_max)
    : source_(std::move(source)), bytes_max_(bytes_max)
{
}

/// What a row costs in memory: its bytes, the slot, and what two allocations keep for themselves.
std::size_t overlay::cost(row_slot const& s)
{
    return s.key_bytes + s.value.size() + sizeof(row_slot) + 32;
}

result<std::optional<std::string_view>> overlay::get(std::string_view key)
{
    auto* s = slots_.find(key);
    if (!s) {
        ASSAY_TRY(auto stored, source_(key));
        s = &slots_.add(key);
        s->present = stored.has_value();
        s->fresh = !stored.has_value();
        if (stored)
            s->value = std::move(*stored);
        bytes_ += cost(*s);
    }
    s->touched = round_;
    if (!s->present)
        return std::optional<std::string_view>{};
    return std::optional<std::string_view>(s->value);
}

row_slot& overlay::change(std::string_view key, bool known_absent)
{
    auto* s = slots_.find(key);
    bool const existed = s != nullptr;
    if (!existed) {
        s = &slots_.add(key);
        s->fresh = known_absent;
        bytes_ += cost(*s);
    }
    if (undoable_ && s->commit != commit_) {
        undo_.push_back({s, existed, s->present, s->staged, existed ? s->value : std::string{}});
        s->commit = commit_;
    }
    s->touched = round_;
    return *s;
}

void overlay::stage(row_slot& s)
{
    if (s.staged)
        return;
    s.staged = true;
    staged_.push_back(&s);
    staged_bytes_ += cost(s);
}

void overlay::put(std::string_view key, std::string_view value)
{
    set(change(key, false), value);
}

void overlay::insert(std::string_view key, std::string_view value)
{
    set(change(key, true), value);
}

void overlay::set(row_slot& s, std::string_view value)
{
    bytes_ += value.size() - s.value.size();
    s.value.assign(value);
    s.present = true;
    stage(s);
}

void overlay::erase(std::string_view key)
{
    auto& s = change(key, false);
    bytes_ -= s.value.size();
    s.value.clear();
    s.present = false;
    stage(s);
}

void overlay::begin()
{
    undoable_ = true;
    ++commit_;
    undo_.clear();
}

void overlay::keep()
{
    undoable_ = false;
    undo_.clear();
}

void overlay::undo()
{
    for (auto& p : undo_) {
        auto& s = *p.at;
        if (s.staged && !p.staged) {
            // Staged by this commit: it stands among the last of the list.
            auto const found = std::find(staged_.rbegin(), staged_.rend(), p.at);
            assert(found != staged_.rend());
            staged_.erase(std::next(found).base());
            staged_bytes_ -= std::min(staged_bytes_, cost(s));
        }
        bytes_ -= cost(s);
        if (!p.existed) {
            slots_.erase(s);
            continue;
        }
        s.value = std::move(p.value);
        s.present = p.present;
        s.staged = p.staged;
        bytes_ += cost(s);
    }
    keep();
}

void overlay::collect(row_sink const& sink, bool sorted)
{
    if (sorted)
        std::sort(staged_.begin(), staged_.end(),
                  [](auto const* a, auto const* b) { return a->key() < b->key(); });
    for (auto const* s : staged_) {
        if (s->present)
            sink(s->key(), s->value);
        else if (!s->fresh)
            sink(s->key(), std::nullopt);
    }
}

void overlay::written()
{
    for (auto* s : staged_) {
        s->staged = false;
        s->fresh = !s->present;
    }
    staged_.clear();
    staged_bytes_ = 0;
}

void overlay::trim()
{
    if (bytes_ <= bytes_max_)
        return;
    auto const drop = [&](auto const& which) {
        slots_.erase_if([&](row_slot const& s) {
            bool const gone = !s.staged && which(s);
            if (gone)
                bytes_ -= cost(s);
            return gone;
        });
    };
    drop([&](row_slot const& s) { return s.touched != round_; });
    if (bytes_ > bytes_max_ / 2)
        drop([](row_slot const&) { return true; });
    ++round_;
}

} // namespace assay::projections
