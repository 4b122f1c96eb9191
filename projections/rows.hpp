#pragma once

#include "core/pack.hpp"
#include "core/result.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace assay::projections {

/// The rows of one view as its `apply` sees them: what is stored, changed by what was staged
/// before.
///
/// Not thread-safe: a view's rows belong to the thread that applies events to it.
class rows {
public:
    virtual ~rows() = default;

    /// The row's bytes, or none. They stay valid until the next call of any function.
    ///
    /// @returns errc::io or errc::corrupt if the stored row cannot be read.
    [[nodiscard]] virtual result<std::optional<std::string_view>> get(std::string_view key) = 0;

    virtual void put(std::string_view key, std::string_view value) = 0;

    /// Puts a row of which the caller knows that it is not there, for instance because the event is
    /// the first of its stream. A wrong claim leaves rows behind that replay would not have.
    virtual void insert(std::string_view key, std::string_view value) = 0;

    virtual void erase(std::string_view key) = 0;
};

/// Reads a packed row; none if it is not there.
template <class T>
[[nodiscard]] result<std::optional<T>> load(rows& from, std::string_view key)
{
    ASSAY_TRY(auto bytes, from.get(key));
    if (!bytes)
        return std::optional<T>{};
    ASSAY_TRY(auto row, pack::from_bytes<T>(*bytes));
    return std::optional<T>(std::move(row));
}

/// Reads a packed row that earlier events must have left.
///
/// @returns errc::corrupt if it is not there.
template <class T>
[[nodiscard]] result<T> load_existing(rows& from, std::string_view key, std::string_view what)
{
    ASSAY_TRY(auto bytes, from.get(key));
    if (!bytes)
        return fail(errc::corrupt, std::string("the row of ") + std::string(what) + " is missing");
    return pack::from_bytes<T>(*bytes);
}

namespace detail {

template <class T>
std::string_view packed(T const& row)
{
    thread_local std::string buffer;
    buffer.clear();
    pack::write(row, buffer);
    return buffer;
}

} // namespace detail

/// Writes a packed row.
template <class T>
void save(rows& to, std::string_view key, T const& row)
{
    to.put(key, detail::packed(row));
}

/// Writes a packed row of which the caller knows that it is not there; see rows::insert.
template <class T>
void save_new(rows& to, std::string_view key, T const& row)
{
    to.insert(key, detail::packed(row));
}

} // namespace assay::projections
