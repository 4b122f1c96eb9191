#pragma once

#include "http/engine/engine.hpp"

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

namespace assay::engine {

/// The values used last, by key; immutable, so they are handed out shared. Thread-safe.
template <class Key, class Value>
class recent {
public:
    explicit recent(std::size_t max) : max_(max) {}

    [[nodiscard]] std::shared_ptr<Value const> find(Key const& key)
    {
        std::lock_guard const lock(mutex_);
        auto const found = index_.find(key);
        if (found == index_.end())
            return {};
        order_.splice(order_.begin(), order_, found->second);
        return found->second->second;
    }

    void put(Key const& key, std::shared_ptr<Value const> value)
    {
        std::lock_guard const lock(mutex_);
        if (index_.contains(key))
            return;
        order_.emplace_front(key, std::move(value));
        index_[key] = order_.begin();
        if (order_.size() > max_) {
            index_.erase(order_.back().first);
            order_.pop_back();
        }
    }

private:
    std::size_t const max_;
    std::mutex mutex_;
    std::list<std::pair<Key, std::shared_ptr<Value const>>> order_;
    std::map<Key, typename std::list<std::pair<Key, std::shared_ptr<Value const>>>::iterator>
        index_;
};

/// What is read again and again while a test runs or is looked at. Keyed by content address, so it can never be stale.
struct engine::caches {
    recent<digest, frozen_config> configs{16};
    recent<digest, std::vector<frozen_scenario>> chunks{64};
};

} // namespace assay::engine
