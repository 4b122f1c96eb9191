#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <vector>

namespace assay::projections {

/// One row in memory. Its key follows it in the same allocation: a lookup that finds its row
/// touches one place.
struct row_slot {
    row_slot* next = nullptr; ///< of the same bucket
    std::size_t hash = 0;
    std::string value;
    std::uint32_t commit = 0;  ///< the last that changed it, for undo
    std::uint32_t touched = 0; ///< round of `overlay::trim`
    std::uint32_t key_bytes = 0;
    bool present = false;
    bool staged = false;
    bool fresh = false; ///< the store has no such row

    [[nodiscard]] std::string_view key() const
    {
        return {reinterpret_cast<char const*>(this + 1), key_bytes};
    }
};

/// A hash table of rows whose slots never move. std::unordered_map takes three cache misses for a
/// row (node, key, value); views look up rows a dozen times an event, and the difference is a fifth
/// of a rebuild.
class row_table {
public:
    row_table() : buckets_(64, nullptr) {}

    ~row_table()
    {
        erase_if([](row_slot const&) { return true; });
    }

    row_table(row_table const&) = delete;
    row_table& operator=(row_table const&) = delete;

    [[nodiscard]] row_slot* find(std::string_view key) const
    {
        auto const hash = std::hash<std::string_view>{}(key);
        for (auto* s = buckets_[hash & (buckets_.size() - 1)]; s; s = s->next) {
            if (s->hash == hash && s->key() == key)
                return s;
        }
        return nullptr;
    }

    /// Adds a slot; the key must not be there.
    row_slot& add(std::string_view key)
    {
        if (size_ >= buckets_.size())
            grow();
        auto* const memory = ::operator new(sizeof(row_slot) + key.size());
        auto* const s = new (memory) row_slot;
        s->hash = std::hash<std::string_view>{}(key);
        s->key_bytes = static_cast<std::uint32_t>(key.size());
        std::memcpy(static_cast<char*>(memory) + sizeof(row_slot), key.data(), key.size());
        link(s);
        ++size_;
        return *s;
    }

    void erase(row_slot& slot)
    {
        auto** at = &buckets_[slot.hash & (buckets_.size() - 1)];
        while (*at != &slot)
            at = &(*at)->next;
        *at = slot.next;
        destroy(&slot);
    }

    template <class Which>
    void erase_if(Which const& which)
    {
        for (auto*& bucket : buckets_) {
            for (auto** at = &bucket; *at;) {
                auto* const s = *at;
                if (!which(*s)) {
                    at = &s->next;
                    continue;
                }
                *at = s->next;
                destroy(s);
            }
        }
    }

private:
    void link(row_slot* s)
    {
        auto*& bucket = buckets_[s->hash & (buckets_.size() - 1)];
        s->next = bucket;
        bucket = s;
    }

    void grow()
    {
        std::vector<row_slot*> old(buckets_.size() * 2, nullptr);
        old.swap(buckets_);
        for (auto* s : old) {
            while (s) {
                auto* const next = s->next;
                link(s);
                s = next;
            }
        }
    }

    void destroy(row_slot* s)
    {
        std::destroy_at(s);
        ::operator delete(s);
        --size_;
    }

    std::vector<row_slot*> buckets_; ///< a power of two
    std::size_t size_ = 0;
};

} // namespace assay::projections
