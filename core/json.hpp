#pragma once

#include "core/result.hpp"

#include <boost/json.hpp>

#include <cstddef>
#include <string>
#include <string_view>

/// Canonical JSON and strict parsing: the one form in which the log, the wire and every hash see a value.
namespace assay::json {

using boost::json::array;
using boost::json::object;
using boost::json::value;

/// Writes `v` in the canonical form of RFC 8785: members sorted by UTF-16 code units, shortest round-trip numbers,
/// minimal escapes, no white space.
///
/// Integers beyond 2^53 have no canonical number; writers put them into strings (see `core/codec.hpp`). Doubles
/// must be finite; NaN and infinities are written as null, which no decoder of ours accepts.
[[nodiscard]] std::string canonical(value const& v);

/// The same, appended to `out`.
void append_canonical(value const& v, std::string& out);

/// Appends `text` as a JSON string with its quotes, escaped as RFC 8785 §3.2.2.2 has it. Bytes that are not well-formed
/// UTF-8 become U+FFFD, one each.
void append_string(std::string_view text, std::string& out);

/// Appends `number` as ECMAScript's Number::toString writes it (RFC 8785 §3.2.2.3).
void append_number(double number, std::string& out);

/// What a stranger may send.
struct parse_limits {
    std::size_t depth_max = 32;
};

/// Parses one JSON text from outside.
///
/// @returns errc::malformed, with the byte offset, for anything that RFC 8259 does not allow, invalid UTF-8, trailing
///          bytes, nesting beyond `limits.depth_max`, numbers beyond the doubles, and duplicate member names.
[[nodiscard]] result<value> parse(std::string_view text, parse_limits limits = {});

/// Parses what we wrote ourselves (log payloads): no duplicate check, twice the nesting, memory from `storage`.
[[nodiscard]] result<value> parse_stored(std::string_view text,
                                         boost::json::storage_ptr storage = {});

} // namespace assay::json
