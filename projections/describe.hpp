#pragma once

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "core/pack.hpp"

#include <string>
#include <string_view>

namespace assay::projections {

/// A packed row as JSON; its bytes in hexadecimal when they are no such row.
template <class T>
[[nodiscard]] std::string describe_row(std::string_view value)
{
    auto row = pack::from_bytes<T>(value);
    return row ? codec::to_json(*row) : "\"" + to_hex(value) + "\"";
}

} // namespace assay::projections
