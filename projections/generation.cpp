#include "projections/generation.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace assay::projections {

generation::generation(events::store& s, std::string view, std::uint64_t number,
                       rocksdb::ColumnFamilyHandle* family)
    : store_(s), view_(std::move(view)), number_(number), family_(family)
{
}

result<std::shared_ptr<generation>> generation::open(events::store& s, std::string const& view,
                                                     std::uint64_t number)
{
    ASSAY_TRY(auto* family, s.view_family(view, number));
    return std::shared_ptr<generation>(new generation(s, view, number, family));
}

generation::~generation()
{
    if (!retired_.load(std::memory_order_acquire))
        return;
    // Not dropped now means dropped at the next open: nothing serves from it any more.
    if (auto const dropped = store_.drop_view_family(view_, number_); !dropped)
        spdlog::warn("generation {} of view {} stays until the next start: {}", number_, view_,
                     dropped.error().detail);
}

std::string view_record_key(std::string_view view)
{
    return "view/" + std::string(view);
}

std::uint64_t snapshot_reader::next_position() const
{
    auto const row = store_.get(events::family::meta, views_next_key, at_);
    return row && *row && (*row)->size() == 8 ? events::read_be64(**row) : 0;
}

result<rocksdb::ColumnFamilyHandle*> snapshot_reader::family(view_id view) const
{
    auto const index = static_cast<std::size_t>(view);
    if (index >= serving_->size() || !(*serving_)[index]) {
        auto const name =
            index < all_views().size() ? all_views()[index].name : std::to_string(index);
        error e{errc::unavailable, fmt::format("the view {} is being built", name),
                "view_building"};
        e.retry_after_ms = 1000;
        return fail(std::move(e));
    }
    return (*serving_)[index]->family();
}

result<std::optional<std::string>> snapshot_reader::get(view_id view, std::string_view key) const
{
    ASSAY_TRY(auto* from, family(view));
    return store_.get(from, key, at_);
}

result<void> snapshot_reader::scan(view_id view, std::string_view prefix, std::string_view from,
                                   row_visitor const& visit) const
{
    ASSAY_TRY(auto* rows_of, family(view));
    return store_.scan(rows_of, prefix, from, visit, at_);
}

} // namespace assay::projections
