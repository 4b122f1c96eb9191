#pragma once

#include "core/json.hpp"
#include "core/result.hpp"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay::grading {

/// Reads the members of one configuration, notes everything that is wrong, and writes what holds in
/// the end, defaults included. One reader serves one object and one thread.
class config_reader {
public:
    explicit config_reader(json::object const& from);

    /// A member with a default. A value of another type, or outside the limits, is noted and the
    /// default returned.
    [[nodiscard]] bool boolean(std::string_view name, bool fallback);
    [[nodiscard]] std::string choice(std::string_view name,
                                     std::initializer_list<std::string_view> allowed,
                                     std::string_view fallback);

    /// A member that may be absent.
    [[nodiscard]] std::optional<std::string> text(std::string_view name, std::size_t bytes_max);
    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name, std::int64_t min,
                                                      std::int64_t max);

    /// A list of strings, none of them empty.
    [[nodiscard]] std::optional<std::vector<std::string>>
    texts(std::string_view name, std::size_t count_max, std::size_t bytes_max);

    /// A member as it stands; null when absent.
    [[nodiscard]] json::value const* any(std::string_view name);

    /// Notes that the value of `name` is not allowed.
    void problem(std::string_view name, std::string msg, std::string type);

    /// Sets a member of the configuration that holds in the end.
    void keep(std::string_view name, json::value value);

    /// @returns the configuration that holds in the end, or errc::invalid if anything was noted or
    /// a member was never asked for.
    [[nodiscard]] result<json::object> finish();

private:
    json::object const& from_;
    json::object kept_;
    std::vector<std::string> asked_;
    std::vector<field_problem> problems_;
};

} // namespace assay::grading
