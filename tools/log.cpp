#include "core/codec.hpp"
#include "events/record.hpp"
#include "events/store.hpp"
#include "tools/table.hpp"
#include "tools/terminal.hpp"
#include "tools/verbs.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace assay::tools {

namespace {

constexpr char const* dump_example = R"(Examples:
  assay log dump --from 1320 --to 1325
  assay log dump --json | jq -r '.events[].type' | sort | uniq -c
Reads the directory without changing it, also while a server writes to it.)";

struct dump_range {
    std::uint64_t from = 0;
    std::optional<std::uint64_t> to; ///< exclusive; none: the end
};

result<std::unique_ptr<events::store>> open(settings const& s)
{
    events::store_options options;
    options.read_only = true;
    options.create = false;
    return events::store::open(s.data, options);
}

/// A commit for people: a line for it and one for each event.
void print_text(events::envelope const& e, events::record_parts const& parts)
{
    fmt::print("{}  {}  {}  {}  workspace {}\n", e.position, e.at.text(), e.operation,
               codec::enum_name(e.channel), e.workspace.text());
    for (std::size_t i = 0; i < e.events.size(); ++i) {
        auto const& listed = e.events[i];
        auto const stream =
            listed.stream < e.streams.size() ? e.streams[listed.stream].id : std::string("?");
        fmt::print("    {} v{}  {}  {}\n", listed.type, listed.v, stream,
                   printable(parts.payloads[i]));
    }
}

/// A commit as one line of JSON. Payloads are canonical JSON already; sealed texts stay sealed.
void print_json(events::record_parts const& parts, events::envelope const& e)
{
    std::string out = fmt::format("{{\"envelope\":{},\"events\":[", parts.entry);
    for (std::size_t i = 0; i < parts.payloads.size(); ++i)
        out += fmt::format("{}{{\"type\":\"{}\",\"v\":{},\"payload\":{}}}", i == 0 ? "" : ",",
                           e.events[i].type, e.events[i].v, parts.payloads[i]);
    fmt::print("{}],\"position\":{}}}\n", out, e.position);
}

result<void> dump(settings const& s, dump_range const& range)
{
    ASSAY_TRY(auto const log, open(s));
    auto const end = std::min(range.to.value_or(log->next_position()), log->next_position());
    std::optional<error> problem;
    ASSAY_CHECK(
        log->scan_records(range.from, end, [&](std::uint64_t position, std::string_view bytes) {
            auto const parts = events::read_record(bytes);
            auto const e = parts ? codec::from_json<events::envelope>(parts->entry)
                                 : result<events::envelope>{};
            if (!parts || !e || e->events.size() != parts->payloads.size()) {
                problem = error{
                    errc::corrupt,
                    fmt::format("position {} cannot be decoded (assay audit verify says more)",
                                position)};
                return false;
            }
            if (s.json)
                print_json(*parts, *e);
            else
                print_text(*e, *parts);
            return true;
        }));
    if (problem)
        return fail(*problem);
    return {};
}

struct log_counts {
    std::uint64_t commits = 0;
    std::uint64_t events = 0;
    std::uint64_t bytes = 0;
    std::uint64_t largest = 0;
    std::optional<instant> first;
    instant last;

    struct type_count {
        std::uint64_t events = 0;
        std::uint64_t bytes = 0;
    };

    std::map<std::string, type_count> types;
};

result<log_counts> count(events::store const& log)
{
    log_counts out;
    std::optional<error> problem;
    ASSAY_CHECK(log.scan_records(
        0, log.next_position(), [&](std::uint64_t position, std::string_view bytes) {
            auto const parts = events::read_record(bytes);
            auto const e = parts ? codec::from_json<events::envelope>(parts->entry)
                                 : result<events::envelope>{};
            if (!parts || !e || e->events.size() != parts->payloads.size()) {
                problem =
                    error{errc::corrupt, fmt::format("position {} cannot be decoded", position)};
                return false;
            }
            ++out.commits;
            out.events += e->events.size();
            out.bytes += bytes.size();
            out.largest = std::max<std::uint64_t>(out.largest, bytes.size());
            out.first = out.first.value_or(e->at);
            out.last = e->at;
            for (std::size_t i = 0; i < e->events.size(); ++i) {
                auto& type = out.types[e->events[i].type];
                ++type.events;
                type.bytes += parts->payloads[i].size();
            }
            return true;
        }));
    if (problem)
        return fail(*problem);
    return out;
}

result<void> stats(settings const& s)
{
    ASSAY_TRY(auto const log, open(s));
    ASSAY_TRY(auto const counted, count(*log));
    if (s.json) {
        boost::json::object types;
        for (auto const& [name, type] : counted.types)
            types[name] =
                boost::json::object{{"events", type.events}, {"payload_bytes", type.bytes}};
        fmt::print(
            "{}\n",
            json::canonical(boost::json::object{
                {"commits", counted.commits},
                {"events", counted.events},
                {"record_bytes", counted.bytes},
                {"largest_record_bytes", counted.largest},
                {"first_at", counted.first ? boost::json::value(counted.first->text()) : nullptr},
                {"last_at", counted.first ? boost::json::value(counted.last.text()) : nullptr},
                {"root", log->tree().root().hex()},
                {"types", types}}));
        return {};
    }
    fmt::print("{} commits, {} events, {} bytes of records (largest {})\n", counted.commits,
               counted.events, counted.bytes, counted.largest);
    if (counted.first)
        fmt::print("from {} to {}\n", counted.first->text(), counted.last.text());
    fmt::print("root {}\n", log->tree().root().hex());
    if (counted.types.empty())
        return {};
    text_table table({{"event"},
                      {"events", align::right},
                      {"payload bytes", align::right},
                      {"mean", align::right}});
    for (auto const& [name, type] : counted.types)
        table.add({name, std::to_string(type.events), std::to_string(type.bytes),
                   std::to_string(type.bytes / type.events)});
    fmt::print("\n{}", table.text(terminal_width(stdout)));
    return {};
}

} // namespace

void add_log(CLI::App& root, settings const& s, int& exit_code)
{
    auto* const verb = root.add_subcommand("log", "Look at the log itself, byte for byte");
    require_verb(*verb);

    auto const range = std::make_shared<dump_range>();
    auto* const dumping = verb->add_subcommand("dump", "Print commits with their events");
    dumping->footer(dump_example);
    dumping->add_option("--from", range->from, "First position")->capture_default_str();
    dumping->add_option("--to", range->to, "Position after the last one; without it, to the end");
    dumping->callback([&s, &exit_code, range] {
        auto const done = dump(s, *range);
        exit_code = done ? exit_ok : complain(done.error());
    });

    auto* const counting = verb->add_subcommand("stats", "Count commits, events and bytes by type");
    counting->footer("Example:\n  assay log stats --data /var/lib/assay");
    counting->callback([&s, &exit_code] {
        auto const done = stats(s);
        exit_code = done ? exit_ok : complain(done.error());
    });
}

} // namespace assay::tools
