#pragma once

#include "core/result.hpp"

#include <boost/json.hpp>

#include <string>
#include <string_view>
#include <vector>

/// What `--fail-under` demands of a result.
namespace assay::tools {

enum class gate_metric {
    accuracy,     ///< passed of graded cells
    accuracy_low, ///< lower end of its 95 % interval
    score,        ///< mean score, 0 to 1
    score_low,    ///< lower end of its 95 % interval
    pass_rate,    ///< passed of all cells: an error counts as not passed
};

/// One demand, e.g. accuracy(175b_verification) >= 0.55.
struct gate {
    std::string text; ///< as it was given
    gate_metric metric;
    std::string model;
    bool strict = false; ///< > instead of >=
    double threshold = 0;
};

/// Reads `METRIC(MODEL) >= NUMBER` or `>`; the number is a share of one, or has a percent sign.
///
/// @returns errc::invalid saying what was expected where.
[[nodiscard]] result<gate> parse_gate(std::string_view text);

/// What became of a demand.
struct gate_outcome {
    gate demanded;
    bool met = false;
    std::string why; ///< with the value found, or what is missing
};

/// Holds `demanded` against an answer of /test/benchmark: every row of the model, one an agent,
/// must meet it.
///
/// Fails closed: not met if there is no such row, if a cell is open, or (but for pass_rate, which
/// counts them as not passed) if a cell has no grade.
[[nodiscard]] gate_outcome check_gate(gate const& demanded, boost::json::object const& benchmark);

} // namespace assay::tools
