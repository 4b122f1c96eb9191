#include "http/server/access_log.hpp"

#include "core/json.hpp"
#include "core/time.hpp"

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <string>

namespace assay::http {

namespace {

void append_member(std::string& out, std::string_view name, std::string_view value)
{
    out.append(",\"").append(name).append("\":");
    json::append_string(value, out);
}

/// Bytes that are not UTF-8 come from strangers only in paths; they are shown as they were sent,
/// percent-encoded.
std::string printable(std::string_view path)
{
    std::string out;
    for (unsigned char const c : path) {
        if (c >= 0x20 && c < 0x7f)
            out.push_back(static_cast<char>(c));
        else
            out += fmt::format("%{:02X}", c);
    }
    return out;
}

} // namespace

result<std::unique_ptr<access_log>> access_log::open(std::string_view target)
{
    if (target.empty() || target == "off")
        return std::unique_ptr<access_log>();
    try {
        std::shared_ptr<spdlog::sinks::sink> sink;
        if (target == "stderr")
            sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
        else
            sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(std::string(target));
        auto logger = std::make_shared<spdlog::logger>("access", std::move(sink));
        logger->set_pattern("%v");
        return std::unique_ptr<access_log>(new access_log(std::move(logger)));
    } catch (spdlog::spdlog_ex const& e) {
        return fail(errc::io, fmt::format("access log: {}", e.what()));
    }
}

void access_log::write(access_entry const& entry)
{
    auto const us =
        std::chrono::duration_cast<std::chrono::microseconds>(entry.time.time_since_epoch());
    std::string line = R"({"time":")" + instant{us.count()}.text() + '"';
    append_member(line, "request_id", entry.request_id);
    append_member(line, "method", entry.method);
    append_member(line, "path", printable(entry.path));
    append_member(line, "route", entry.route);
    fmt::format_to(std::back_inserter(line), ",\"status\":{},\"bytes\":{},\"duration_ms\":{:.3f}",
                   entry.status, entry.bytes, static_cast<double>(entry.duration.count()) / 1000);
    append_member(line, "peer", entry.peer);
    if (!entry.profile.empty())
        append_member(line, "profile", entry.profile);
    line += '}';
    logger_->log(spdlog::level::info, spdlog::string_view_t(line));
}

void access_log::flush()
{
    logger_->flush();
}

} // namespace assay::http
