#include "tools/settings.hpp"

#include "tools/terminal.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdlib>

namespace assay::tools {

std::filesystem::path default_data_dir()
{
    auto const* const xdg = std::getenv("XDG_DATA_HOME");
    // The XDG specification has relative paths ignored.
    if (xdg && *xdg == '/')
        return std::filesystem::path(xdg) / "assay";
    auto const* const home = std::getenv("HOME");
    return std::filesystem::path(home && *home ? home : "/var/lib") / ".local" / "share" / "assay";
}

void add_settings(CLI::App& root, settings& s)
{
    s.data = default_data_dir();
    root.add_option_function<std::string>(
            "--data",
            [&s](std::string const& dir) {
                s.data = std::filesystem::absolute(dir).lexically_normal();
            },
            "Data directory [" + s.data.string() + "]")
        ->type_name("DIR");
    root.add_option("--url", s.url, "Server to talk to; without it the engine runs in this process")
        ->envname("ASSAY_URL")
        ->type_name("URL");
    root.add_option("--key", s.key, "API key; without it admin.key of the data directory")
        ->envname("ASSAY_API_KEY")
        ->type_name("KEY");
    root.add_flag("--json", s.json, "One JSON document on stdout instead of text for people");
}

void require_verb(CLI::App& verb)
{
    // CLI11's own check comes before that of unknown words and would only say that something is
    // missing.
    verb.callback([&verb] {
        if (verb.get_subcommands().empty())
            throw CLI::RequiredError("A verb");
    });
}

int complain(error const& e)
{
    // Several lines, as of a file with several problems, stay several lines.
    std::string_view rest = e.detail;
    for (bool first = true; first || !rest.empty(); first = false) {
        auto const end = rest.find('\n');
        fmt::print(stderr, "assay: {}\n", printable(rest.substr(0, end)));
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    return e.reason == "usage" || e.reason == "bad_file" ? exit_usage : exit_problem;
}

std::string shell_word(std::string const& text)
{
    constexpr std::string_view plain =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_";
    if (!text.empty() && text.find_first_not_of(plain) == std::string::npos)
        return text;
    std::string out = "'";
    for (char const c : text)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string place_flags(settings const& s)
{
    if (!s.url.empty())
        return " --url " + shell_word(s.url);
    if (s.data != default_data_dir())
        return " --data " + shell_word(s.data.string());
    return {};
}

} // namespace assay::tools
