#include "events/record.hpp"

#include "core/pack.hpp"
#include "events/catalogue.hpp"
#include "events/merkle.hpp"

#include <fmt/format.h>

#include <array>

namespace assay::events {

namespace {

void write_part(std::string_view part, std::string& out)
{
    pack::detail::write_varint(part.size(), out);
    out.append(part);
}

bool read_part(std::string_view& in, std::string_view& part)
{
    std::uint64_t size = 0;
    return pack::detail::read_varint(in, size) && pack::detail::take(in, size, part);
}

std::unexpected<error> torn()
{
    return fail(errc::corrupt, "a commit record is cut short or has bytes too many");
}

result<envelope> read_envelope(std::string_view entry)
{
    thread_local std::array<unsigned char, 64 * 1024> buffer;
    boost::json::monotonic_resource arena(buffer.data(), buffer.size());
    ASSAY_TRY(auto parsed, json::parse_stored(entry, &arena));
    auto e = codec::read<envelope>(parsed);
    if (!e)
        return fail(errc::corrupt, "envelope: " + e.error().detail);
    return e;
}

struct event_leaf_fields {
    digest payload;
    std::string type;
    std::uint16_t v = 1;
};
BOOST_DESCRIBE_STRUCT(event_leaf_fields, (), (payload, type, v))

} // namespace

std::string write_record(std::string_view entry, std::vector<std::string> const& payloads,
                         std::string_view answer)
{
    std::string out;
    std::size_t size = entry.size() + answer.size() + 16;
    for (auto const& payload : payloads)
        size += payload.size() + 5;
    out.reserve(size);
    out.push_back(static_cast<char>(record_format));
    pack::detail::write_varint(payloads.size(), out);
    write_part(entry, out);
    for (auto const& payload : payloads)
        write_part(payload, out);
    write_part(answer, out);
    return out;
}

result<record_parts> read_record(std::string_view bytes)
{
    if (bytes.empty())
        return torn();
    auto const format = static_cast<std::uint8_t>(bytes.front());
    if (format != record_format)
        return fail(errc::unavailable,
                    fmt::format("record format {}; this program reads {}", format, record_format),
                    "newer_format");
    bytes.remove_prefix(1);

    std::uint64_t count = 0;
    record_parts parts;
    if (!pack::detail::read_varint(bytes, count) || count > commit_events_max ||
        !read_part(bytes, parts.entry))
        return torn();
    parts.payloads.resize(count);
    for (auto& payload : parts.payloads) {
        if (!read_part(bytes, payload))
            return torn();
    }
    if (!read_part(bytes, parts.answer) || !bytes.empty())
        return torn();
    return parts;
}

digest event_leaf(envelope_event const& e)
{
    return merkle::leaf_hash(codec::to_json(event_leaf_fields{e.payload, e.type, e.v}));
}

result<commit_ptr> read_commit(std::string_view bytes)
{
    ASSAY_TRY(auto parts, read_record(bytes));
    ASSAY_TRY(auto e, read_envelope(parts.entry));
    if (e.events.size() != parts.payloads.size())
        return fail(errc::corrupt, fmt::format("commit {} lists {} events and holds {}", e.position,
                                               e.events.size(), parts.payloads.size()));
    std::vector<stream_id> streams;
    std::vector<std::uint64_t> versions;
    streams.reserve(e.streams.size());
    for (auto const& s : e.streams) {
        auto const id = stream_id::parse(s.id);
        if (!id)
            return fail(errc::corrupt,
                        fmt::format("commit {} names no stream: {}", e.position, s.id));
        streams.push_back(*id);
        versions.push_back(s.version);
    }
    for (auto const& event : e.events) {
        if (event.stream >= streams.size())
            return fail(errc::corrupt, fmt::format("commit {}: stream out of range", e.position));
        --versions[event.stream];
    }

    auto out = std::make_shared<commit>();
    out->head = {e.position,  e.commit,    e.command, e.at,
                 e.workspace, e.partition, e.profile, e.channel};
    out->events.reserve(e.events.size());
    for (std::size_t i = 0; i < e.events.size(); ++i) {
        auto const& listed = e.events[i];
        auto body = decode(listed.type, listed.v, parts.payloads[i]);
        if (!body)
            return fail(body.error().code,
                        fmt::format("commit {}: {}", e.position, body.error().detail));
        out->events.push_back({&out->head, static_cast<std::uint32_t>(i), streams[listed.stream],
                               ++versions[listed.stream], std::move(*body)});
    }
    return commit_ptr(std::move(out));
}

result<digest> verify_record(std::uint64_t position, std::string_view bytes)
{
    auto const bad = [&](std::string_view what) {
        return fail(errc::corrupt, fmt::format("position {}: {}", position, what));
    };
    auto const parts = read_record(bytes);
    if (!parts)
        return bad(parts.error().detail);
    auto const e = read_envelope(parts->entry);
    if (!e)
        return bad(e.error().detail);
    if (e->position != position)
        return bad(fmt::format("the envelope says position {}", e->position));
    if (codec::to_json(*e) != parts->entry)
        return bad("the envelope is not in canonical form");
    if (e->events.size() != parts->payloads.size())
        return bad("events listed and events held differ in number");

    std::vector<digest> leaves;
    for (std::size_t i = 0; i < e->events.size(); ++i) {
        if (sha256(parts->payloads[i]) != e->events[i].payload)
            return bad(fmt::format("event {} does not have its hash", i));
        leaves.push_back(event_leaf(e->events[i]));
    }
    if (merkle::root_of(leaves) != e->events_root)
        return bad("the events do not have their root");
    if (e->answer.has_value() == parts->answer.empty() ||
        (e->answer && sha256(parts->answer) != *e->answer))
        return bad("the stored answer does not have its hash");
    return merkle::leaf_hash(parts->entry);
}

} // namespace assay::events
