#pragma once

#include "core/json.hpp"
#include "core/time.hpp"
#include "core/uuid.hpp"

#include <concepts>
#include <optional>
#include <string_view>

/// From the types of the domain to the values of a row.
namespace assay::exporting {

[[nodiscard]] inline json::value cell(std::string_view v)
{
    return json::value(boost::json::string(v));
}

[[nodiscard]] inline json::value cell(uuid const& v)
{
    return cell(std::string_view(v.text()));
}

[[nodiscard]] inline json::value cell(instant v)
{
    return cell(std::string_view(v.text()));
}

template <class T>
    requires std::same_as<T, bool> || std::floating_point<T> || std::integral<T>
[[nodiscard]] json::value cell(T v)
{
    return json::value(v);
}

template <class T>
[[nodiscard]] json::value cell(std::optional<T> const& v)
{
    return v ? cell(*v) : json::value(nullptr);
}

} // namespace assay::exporting
