#pragma once

#include "core/domain/event.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

/// The names and versions under which events stand in the log.
namespace assay::events {

struct event_type {
    std::string_view name;
    std::uint16_t version = 1; ///< what is written today
};

/// Every type, in the order of `event_body`.
[[nodiscard]] std::span<event_type const> event_types();

[[nodiscard]] event_type type_of(event_body const& body);

/// Canonical JSON of the event, in today's version.
[[nodiscard]] std::string encode(event_body const& body);

/// Turns a payload of version `from` of type `type` into one of version `from + 1`.
struct upcaster {
    std::string_view type;
    std::uint16_t from = 1;
    std::function<void(boost::json::object& payload)> raise;
};

/// Every upcaster there is. Old bytes are never rewritten: they pass through here at each read.
[[nodiscard]] std::span<upcaster const> upcasters();

/// Raises `payload` from `version` to `target`, step by step.
///
/// @returns errc::unavailable if `version` is newer than `target` (a later program wrote it),
/// errc::corrupt if a step is missing.
[[nodiscard]] result<void> upcast(std::string_view type, std::uint16_t version,
                                  std::uint16_t target, boost::json::object& payload,
                                  std::span<upcaster const> steps);

/// Reads an event as any version of this program wrote it.
///
/// @returns errc::unavailable for an unknown type or a newer version, errc::corrupt for a payload that does not fit.
[[nodiscard]] result<event_body> decode(std::string_view type, std::uint16_t version,
                                        std::string_view payload);

} // namespace assay::events
