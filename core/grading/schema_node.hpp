#pragma once

#include "core/grading/number.hpp"
#include "core/result.hpp"

#include <re2/re2.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace assay::grading {

/// Place of a schema among the compiled ones.
using node_index = std::size_t;

/// Bits of the keyword `type`.
namespace json_type {
inline constexpr std::uint8_t null = 1;
inline constexpr std::uint8_t boolean = 2;
inline constexpr std::uint8_t integer = 4;
inline constexpr std::uint8_t number = 8;
inline constexpr std::uint8_t string = 16;
inline constexpr std::uint8_t array = 32;
inline constexpr std::uint8_t object = 64;
} // namespace json_type

/// One schema, its keywords compiled; what is absent asserts nothing.
struct schema_node {
    std::optional<bool> always; ///< the schemas true and false

    // Any value.
    std::uint8_t types = 0;                              ///< 0: any
    std::optional<std::vector<std::string>> enumeration; ///< canonical JSON, sorted; of `enum`
    std::optional<std::string> constant;                 ///< canonical JSON
    std::optional<node_index> reference;
    std::vector<node_index> all_of;
    std::vector<node_index> any_of;
    std::vector<node_index> one_of;
    std::optional<node_index> negated;
    std::optional<node_index> condition;
    std::optional<node_index> consequence;
    std::optional<node_index> alternative;

    // Numbers.
    std::optional<double> minimum;
    std::optional<double> maximum;
    std::optional<double> exclusive_minimum;
    std::optional<double> exclusive_maximum;
    std::optional<decimal> multiple_of;

    // Strings, lengths in code points.
    std::optional<std::uint64_t> min_length;
    std::optional<std::uint64_t> max_length;
    std::shared_ptr<re2::RE2 const> pattern;

    // Arrays.
    std::optional<node_index> items;                     ///< for every item
    std::optional<std::vector<node_index>> items_listed; ///< for the first items, one each
    std::optional<node_index> additional_items;
    std::optional<node_index> contains;
    std::optional<std::uint64_t> min_items;
    std::optional<std::uint64_t> max_items;
    bool unique_items = false;

    // Objects.
    std::unordered_map<std::string, node_index> properties;
    std::vector<std::pair<std::shared_ptr<re2::RE2 const>, node_index>> pattern_properties;
    std::optional<node_index> additional_properties;
    std::optional<node_index> property_names;
    std::optional<std::uint64_t> min_properties;
    std::optional<std::uint64_t> max_properties;
    std::vector<std::string> required;
    std::vector<std::pair<std::string, std::vector<std::string>>> dependent_names;
    std::vector<std::pair<std::string, node_index>> dependent_schemas;
};

/// Refuses schemas that are applied to one value more than 16 inside each other. One that comes
/// back to itself would never end; for the others this number times the depth of a value bounds the
/// depth of the stack.
[[nodiscard]] result<void> check_chains(std::span<schema_node const> nodes);

} // namespace assay::grading
