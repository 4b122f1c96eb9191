#pragma once

#include "core/domain/event.hpp"
#include "projections/reader.hpp"
#include "projections/rows.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace assay::projections {

/// A cell bound to its configuration and, optionally, to one run.
struct trace_row {
    std::uint16_t trace = 0;
    std::uint16_t run = 0; ///< 0: none bound
    std::string bundle;    ///< canonical JSON; see trace_bundle
    std::vector<sealed_field> texts;
    uuid profile;
    events::channel channel{};
    instant at;
};
BOOST_DESCRIBE_STRUCT(trace_row, (), (trace, run, bundle, texts, profile, channel, at))

/// Traces of cells. Reads trace.*.
///
/// Rows:  t test, cell, trace -> trace_row
class traces {
public:
    static constexpr std::string_view name = "traces";
    static constexpr std::uint32_t schema = 1;

    [[nodiscard]] result<void> apply(events::recorded const& e, rows& out) const;
    [[nodiscard]] std::string describe(std::string_view key, std::string_view value) const;
};

[[nodiscard]] boost::json::object trace_bundle(trace_row const& trace);

/// Every trace of a cell, oldest first.
[[nodiscard]] result<std::vector<trace_row>> list_traces(reader const& views, uuid const& test,
                                                         std::uint32_t cell);

[[nodiscard]] result<std::optional<trace_row>> get_trace(reader const& views, uuid const& test,
                                                         std::uint32_t cell, std::uint16_t trace);

} // namespace assay::projections
