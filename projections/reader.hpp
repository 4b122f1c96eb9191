#pragma once

#include "core/pack.hpp"
#include "core/result.hpp"
#include "projections/view.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace assay::projections {

/// All views as they stood at one position of the log. Every query takes one.
///
/// Thread-safe. Cheap to make (`projector::read`), holds a snapshot while it lives: not for
/// keeping.
class reader {
public:
    using row_visitor = std::function<bool(std::string_view key, std::string_view value)>;

    virtual ~reader() = default;

    /// How many commits it has seen: everything below this position, nothing from it on.
    [[nodiscard]] virtual std::uint64_t next_position() const = 0;

    /// A row, or none.
    ///
    /// @returns errc::unavailable while the view is being built (with retry_after_ms).
    [[nodiscard]] virtual result<std::optional<std::string>> get(view_id view,
                                                                 std::string_view key) const = 0;

    /// Rows in key order that start with `prefix`, from `from` on (empty: from the first), while
    /// `visit` returns true.
    [[nodiscard]] virtual result<void> scan(view_id view, std::string_view prefix,
                                            std::string_view from,
                                            row_visitor const& visit) const = 0;
};

/// Reads a packed row; none if it is not there.
template <class T>
[[nodiscard]] result<std::optional<T>> fetch(reader const& from, view_id view, std::string_view key)
{
    ASSAY_TRY(auto bytes, from.get(view, key));
    if (!bytes)
        return std::optional<T>{};
    ASSAY_TRY(auto row, pack::from_bytes<T>(*bytes));
    return std::optional<T>(std::move(row));
}

/// Visits packed rows that start with `prefix` in key order, from `from` on, while `visit(key,
/// row)` returns true.
template <class T, class Visit>
[[nodiscard]] result<void> fetch_range(reader const& from, view_id view, std::string_view prefix,
                                       std::string_view start, Visit const& visit)
{
    std::optional<error> problem;
    ASSAY_CHECK(from.scan(view, prefix, start, [&](std::string_view key, std::string_view value) {
        auto row = pack::from_bytes<T>(value);
        if (row)
            return visit(key, std::move(*row));
        problem = std::move(row.error());
        return false;
    }));
    if (problem)
        return std::unexpected(std::move(*problem));
    return {};
}

} // namespace assay::projections
