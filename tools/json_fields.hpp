#pragma once

#include <boost/json.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Reading of answers: what is absent, null or of another type is empty, so that a newer server can
/// be talked to.
namespace assay::tools {

[[nodiscard]] std::string text_at(boost::json::object const& o, std::string_view name);
[[nodiscard]] std::optional<double> number_at(boost::json::object const& o, std::string_view name);

/// A count; 0 when it is absent or negative.
[[nodiscard]] std::uint64_t count_at(boost::json::object const& o, std::string_view name);
[[nodiscard]] bool flag_at(boost::json::object const& o, std::string_view name);

/// The member, or an empty one.
[[nodiscard]] boost::json::array const& array_at(boost::json::object const& o,
                                                 std::string_view name);
[[nodiscard]] boost::json::object const& object_at(boost::json::object const& o,
                                                   std::string_view name);

/// Number `index` of an array of numbers.
[[nodiscard]] std::optional<double> element_at(boost::json::object const& o, std::string_view name,
                                               std::size_t index);

/// A value as it stands in a table: strings as they are, null and nothing as "-", the rest as JSON.
[[nodiscard]] std::string shown(boost::json::value const* v);

/// Whether `found` holds everything that `wanted` says: members of objects may be more, elements of
/// arrays may not; numbers are compared by value.
[[nodiscard]] bool covers(boost::json::value const& found, boost::json::value const& wanted);

} // namespace assay::tools
