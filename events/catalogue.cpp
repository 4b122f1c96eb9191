#include "events/catalogue.hpp"

#include <boost/mp11.hpp>
#include <fmt/format.h>

#include <array>
#include <unordered_map>

namespace assay::events {

namespace {

/// A type keeps its name for ever; a changed shape is a higher version and an upcaster below.
constexpr std::array<event_type, std::variant_size_v<event_body>> types{{
    {"workspace.created", 1}, {"api_key.created", 1},   {"api_key.revoked", 1},
    {"item.created", 1},      {"item.updated", 1},      {"item.deleted", 1},
    {"test.started", 2},      {"test.stopped", 1},      {"test.reopened", 1},
    {"test.completed", 1},    {"test.archived", 1},     {"cell.added", 1},
    {"run.started", 1},       {"call.recorded", 1},     {"run.ended", 1},
    {"cell.failed", 1},       {"cell.terminated", 1},   {"cell.completed", 1},
    {"grade.recorded", 1},    {"grading.failed", 1},    {"feedback.recorded", 1},
    {"trace.opened", 1},      {"decrypt.attempted", 1}, {"file.stored", 1},
    {"test.extended", 1},     {"draft.saved", 1},       {"group.opened", 1},
    {"group.titled", 1},      {"problem.reported", 1},  {"write.staged", 1},
    {"write.accepted", 1},    {"write.rejected", 1},
}};

std::size_t index_of(std::string_view name)
{
    static auto const indexes = [] {
        std::unordered_map<std::string_view, std::size_t> out;
        for (std::size_t i = 0; i < types.size(); ++i)
            out.emplace(types[i].name, i);
        return out;
    }();
    auto const found = indexes.find(name);
    return found == indexes.end() ? types.size() : found->second;
}

} // namespace

std::span<event_type const> event_types()
{
    return types;
}

event_type type_of(event_body const& body)
{
    return types[body.index()];
}

std::string encode(event_body const& body)
{
    return std::visit([](auto const& e) { return codec::to_json(e); }, body);
}

std::span<upcaster const> upcasters()
{
    static std::array<upcaster, 1> const steps{{
        // Version 2 has a member that the first could not have.
        {"test.started", 1, [](boost::json::object&) {}},
    }};
    return steps;
}

result<void> upcast(std::string_view type, std::uint16_t version, std::uint16_t target,
                    boost::json::object& payload, std::span<upcaster const> steps)
{
    if (version > target)
        return fail(errc::unavailable,
                    fmt::format("event {} has version {}, this program knows up to {}; open the "
                                "directory with the newer program that wrote it",
                                type, version, target),
                    "newer_event_version");
    for (; version < target; ++version) {
        auto const step = std::find_if(steps.begin(), steps.end(), [&](upcaster const& u) {
            return u.type == type && u.from == version;
        });
        if (step == steps.end())
            return fail(errc::corrupt,
                        fmt::format("no upcaster raises {} from version {}", type, version));
        step->raise(payload);
    }
    return {};
}

result<event_body> decode(std::string_view type, std::uint16_t version, std::string_view payload)
{
    auto const index = index_of(type);
    if (index == types.size())
        return fail(errc::unavailable,
                    fmt::format("unknown event type {}: a newer program wrote this log", type),
                    "unknown_event_type");

    // Payloads are small; their trees live in this buffer and are gone before the function returns.
    thread_local std::array<unsigned char, 64 * 1024> buffer;
    boost::json::monotonic_resource arena(buffer.data(), buffer.size());
    ASSAY_TRY(auto parsed, json::parse_stored(payload, &arena));
    auto* const object = parsed.if_object();
    if (!object)
        return fail(errc::corrupt, fmt::format("the payload of {} is no object", type));
    ASSAY_CHECK(upcast(type, version, types[index].version, *object, upcasters()));

    return boost::mp11::mp_with_index<types.size()>(index, [&](auto i) -> result<event_body> {
        auto event = codec::read<std::variant_alternative_t<i, event_body>>(parsed);
        if (!event)
            return fail(errc::corrupt, fmt::format("{}: {}", type, event.error().detail));
        return event_body(std::move(*event));
    });
}

} // namespace assay::events
