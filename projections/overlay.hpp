#pragma once

#include "core/result.hpp"
#include "projections/row_table.hpp"
#include "projections/rows.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::projections {

/// Reads a stored row; none if it is not there.
using row_source = std::function<result<std::optional<std::string>>(std::string_view key)>;

/// Where changed rows go; no value: the row is erased.
using row_sink = std::function<void(std::string_view key, std::optional<std::string_view> value)>;

/// What views have changed on top of what is stored, and the rows they touched last.
///
/// Changes are made commit by commit: `begin`, then puts and erases, then `keep` or `undo`. They
/// stay staged over many commits until `collect` hands them to a batch and `written` says that it
/// was written. Rows that were read or written stay cached, so that the rows every event changes
/// cost a hash lookup, not a read of the database.
///
/// Not thread-safe.
class overlay final : public rows {
public:
    /// @param source     what is stored; must not change but by what this overlay collects
    /// @param bytes_max  of cached rows, beside those that are staged; reached by `trim` only
    overlay(row_source source, std::size_t bytes_max);

    [[nodiscard]] result<std::optional<std::string_view>> get(std::string_view key) override;
    void put(std::string_view key, std::string_view value) override;
    void insert(std::string_view key, std::string_view value) override;
    void erase(std::string_view key) override;

    /// Starts a commit that `undo` can take back. Without it changes cannot be taken back one
    /// commit at a time.
    void begin();

    /// The commit since `begin` stays.
    void keep();

    /// Takes back every change since `begin`.
    void undo();

    /// Hands over every staged row, in key order if `sorted`.
    void collect(row_sink const& sink, bool sorted = false);

    /// What was collected is stored now.
    void written();

    /// Drops cached rows beyond the bound, those that were not touched lately first.
    void trim();

    [[nodiscard]] std::size_t staged_rows() const { return staged_.size(); }

    [[nodiscard]] std::size_t staged_bytes() const { return staged_bytes_; }

    [[nodiscard]] std::size_t cached_bytes() const { return bytes_; }

private:
    /// What a slot was before the commit.
    struct previous {
        row_slot* at;
        bool existed;
        bool present;
        bool staged;
        std::string value;
    };

    row_slot& change(std::string_view key, bool known_absent);
    void set(row_slot& s, std::string_view value);
    void stage(row_slot& s);
    static std::size_t cost(row_slot const& s);

    row_source const source_;
    std::size_t const bytes_max_;
    row_table slots_;
    std::vector<row_slot*> staged_;
    std::size_t staged_bytes_ = 0; ///< of their values when they were staged first
    std::size_t bytes_ = 0;
    std::uint32_t round_ = 0;
    // The commit under way.
    bool undoable_ = false;
    std::uint32_t commit_ = 0;
    std::vector<previous> undo_;
};

} // namespace assay::projections
