#pragma once

#include "core/json.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace assay::grading {

struct schema_node;

/// A compiled schema of JSON Schema draft 7 (json-schema.org/draft-07).
///
/// Ours, because the schema and the value both come from strangers: valijson 1.0 of Debian 12
/// matches `pattern` with std::regex (exponential time, one stack frame a byte), divides by a
/// `multipleOf` of zero, follows `{"$ref": "#"}` until the stack ends, and takes `propertyNames`
/// and `if` in a referenced definition for the definition itself.
///
/// All assertions of the draft are decided; the official test suite is in tests/data/json_schema.
/// Instead of being guessed at, these are refused: keywords that draft 7 does not have, anything
/// that asserts beside a `$ref`, references out of the schema, an `$id` below the top, and schemas
/// that apply themselves to the same value. `format` is an annotation, patterns are in RE2 syntax,
/// and numbers are compared by value, so that 1.0 is an integer.
///
/// Immutable; any thread may call `check`.
class schema {
public:
    /// @returns errc::invalid, with the JSON pointer of what is wrong. A schema has at most 2,000
    /// schemas in it, at most 64 deep and 16
    ///          of them applied to one value inside each other.
    [[nodiscard]] static result<schema> compile(json::value const& from);

    enum class verdict : std::uint8_t { valid = 1, invalid, too_expensive };

    struct finding {
        verdict is;
        std::string
            why; ///< JSON pointer into the value and the keyword that it fails; empty when valid
    };

    /// Checks a value. A schema that branches at each level of the value can ask for exponential
    /// work; it ends as too_expensive after 50 million steps: tenths of a second, or seconds where
    /// the time goes into patterns.
    [[nodiscard]] finding check(json::value const& value) const;

private:
    explicit schema(std::shared_ptr<std::vector<schema_node> const> nodes)
        : nodes_(std::move(nodes))
    {
    }

    std::shared_ptr<std::vector<schema_node> const> nodes_; ///< the first is the outermost
};

} // namespace assay::grading
