#pragma once

#include "events/recorded.hpp"
#include "projections/overlay.hpp"
#include "projections/reader.hpp"
#include "projections/view.hpp"

#include <array>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace assay::test {

using row_map = std::map<std::string, std::string, std::less<>>;

/// All views over maps in memory, fed through overlays as the projector does it.
class memory_views final : public projections::reader {
public:
    explicit memory_views(std::size_t cache_bytes = 1 << 20)
    {
        for (std::size_t i = 0; i < projections::view_count; ++i) {
            overlays_.push_back(std::make_unique<projections::overlay>(
                [&stored = stored_[i]](std::string_view key) -> result<std::optional<std::string>> {
                    auto const found = stored.find(key);
                    if (found == stored.end())
                        return std::nullopt;
                    return found->second;
                },
                cache_bytes));
        }
    }

    /// Applies one commit to every view; nothing of it stays if a view refuses.
    [[nodiscard]] result<void> stage(events::commit const& c)
    {
        for (auto const& o : overlays_)
            o->begin();
        for (auto const& e : c.events) {
            for (std::size_t i = 0; i < overlays_.size(); ++i) {
                if (auto done = projections::all_views()[i].apply(e, *overlays_[i]); !done) {
                    undo();
                    return done;
                }
            }
        }
        next_ = c.head.position + 1;
        return {};
    }

    /// Takes back the commit that was staged last.
    void undo()
    {
        for (auto const& o : overlays_)
            o->undo();
    }

    /// Stores what is staged.
    void settle()
    {
        for (std::size_t i = 0; i < overlays_.size(); ++i) {
            overlays_[i]->collect([&](std::string_view key, std::optional<std::string_view> value) {
                if (value)
                    stored_[i][std::string(key)] = *value;
                else
                    stored_[i].erase(std::string(key));
            });
            overlays_[i]->written();
            overlays_[i]->trim();
        }
    }

    /// Applies and stores everything that `h` has beyond what was taken from it before.
    template <class History>
    void follow(History const& h)
    {
        for (; followed_ < h.commits().size(); ++followed_) {
            if (auto const done = stage(*h.commits()[followed_]); !done)
                throw std::runtime_error("a view refused a test's event: " + done.error().detail);
        }
        settle();
    }

    [[nodiscard]] row_map const& rows(projections::view_id view) const
    {
        return stored_[static_cast<std::size_t>(view)];
    }

    [[nodiscard]] std::array<row_map, projections::view_count> const& all() const
    {
        return stored_;
    }

    [[nodiscard]] std::uint64_t next_position() const override { return next_; }

    [[nodiscard]] result<std::optional<std::string>> get(projections::view_id view,
                                                         std::string_view key) const override
    {
        ++rows_read;
        auto const found = rows(view).find(key);
        if (found == rows(view).end())
            return std::nullopt;
        return found->second;
    }

    [[nodiscard]] result<void> scan(projections::view_id view, std::string_view prefix,
                                    std::string_view from, row_visitor const& visit) const override
    {
        auto const& all_rows = rows(view);
        for (auto at = all_rows.lower_bound(from.empty() ? prefix : from); at != all_rows.end();
             ++at) {
            ++rows_read;
            if (!std::string_view(at->first).starts_with(prefix) || !visit(at->first, at->second))
                break;
        }
        return {};
    }

    /// What queries have touched since the test set it to zero.
    mutable std::size_t rows_read = 0;

private:
    std::array<row_map, projections::view_count> stored_;
    std::vector<std::unique_ptr<projections::overlay>> overlays_;
    std::uint64_t next_ = 0;
    std::size_t followed_ = 0;
};

} // namespace assay::test
