#pragma once

#include "events/store.hpp"
#include "projections/reader.hpp"
#include "projections/view.hpp"

#include <boost/describe.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace assay::projections {

/// One set of a view's rows in a family of its own. The serving one is written by the pipeline;
/// others are being built, or retired and gone with their last reader.
class generation {
public:
    /// Opens the family, or makes it.
    [[nodiscard]] static result<std::shared_ptr<generation>>
    open(events::store& s, std::string const& view, std::uint64_t number);

    ~generation();
    generation(generation const&) = delete;
    generation& operator=(generation const&) = delete;

    [[nodiscard]] rocksdb::ColumnFamilyHandle* family() const { return family_; }

    [[nodiscard]] std::uint64_t number() const { return number_; }

    /// From now on nobody starts to read it; the rows are dropped with the last reference.
    void retire() { retired_.store(true, std::memory_order_release); }

    /// Takes `retire` back, before anybody has read it.
    void keep() { retired_.store(false, std::memory_order_release); }

private:
    generation(events::store& s, std::string view, std::uint64_t number,
               rocksdb::ColumnFamilyHandle* family);

    events::store& store_;
    std::string const view_;
    std::uint64_t const number_;
    rocksdb::ColumnFamilyHandle* const family_;
    std::atomic<bool> retired_{false};
};

/// What readers see of each view; none: the view is being built.
using serving_set = std::vector<std::shared_ptr<generation>>;

/// The meta row "view/<name>".
struct view_record {
    std::uint64_t generation = 0;
    std::uint32_t schema = 0;
};
BOOST_DESCRIBE_STRUCT(view_record, (), (generation, schema))

[[nodiscard]] std::string view_record_key(std::string_view view);

/// Key of the meta row with the position (be64) that all serving views have reached.
constexpr std::string_view views_next_key = "views/next";

/// A reader over a snapshot of the database.
class snapshot_reader final : public reader {
public:
    snapshot_reader(events::store const& s, std::shared_ptr<serving_set const> serving,
                    events::snapshot at)
        : store_(s), serving_(std::move(serving)), at_(std::move(at))
    {
    }

    [[nodiscard]] std::uint64_t next_position() const override;
    [[nodiscard]] result<std::optional<std::string>> get(view_id view,
                                                         std::string_view key) const override;
    [[nodiscard]] result<void> scan(view_id view, std::string_view prefix, std::string_view from,
                                    row_visitor const& visit) const override;

    [[nodiscard]] events::snapshot const& snapshot() const { return at_; }

    [[nodiscard]] serving_set const& serving() const { return *serving_; }

private:
    [[nodiscard]] result<rocksdb::ColumnFamilyHandle*> family(view_id view) const;

    events::store const& store_;
    std::shared_ptr<serving_set const> const serving_;
    events::snapshot const at_;
};

} // namespace assay::projections
