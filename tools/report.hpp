#pragma once

#include <boost/json.hpp>

#include <cstddef>
#include <string>

/// An answer of /test/benchmark for people.
namespace assay::tools {

/// The table of models, and each pair of them compared, at most `width` columns wide. What is
/// unknown is "-".
[[nodiscard]] std::string report_text(boost::json::object const& benchmark, std::size_t width);

/// "640 µs", "1.8 ms", "12 ms", "1.3 s".
[[nodiscard]] std::string shown_ms(double ms);

/// "912", "15.3k", "1.53M".
[[nodiscard]] std::string shown_count(double n);

} // namespace assay::tools
