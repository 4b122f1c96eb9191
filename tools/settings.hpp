#pragma once

#include "core/result.hpp"

#include <filesystem>
#include <string>

namespace CLI {
class App;
}

namespace assay::tools {

/// Exit codes of `assay`, the same for every verb.
enum exit_codes : int {
    exit_ok = 0,
    exit_problem = 1,       ///< it found a problem, was refused, or a demand was not met
    exit_usage = 2,         ///< flags, files or values that cannot be
    exit_interrupted = 130, ///< stopped by ctrl-C
};

/// The flags that every verb has.
struct settings {
    std::filesystem::path data; ///< absolute
    std::string url;            ///< empty: the engine runs inside this process
    std::string key;            ///< empty: the data directory's admin.key
    bool json = false;
};

/// $XDG_DATA_HOME/assay, or ~/.local/share/assay.
[[nodiscard]] std::filesystem::path default_data_dir();

/// Adds the flags that every verb has to `root`; `s` outlives it.
void add_settings(CLI::App& root, settings& s);

/// Makes `verb` demand one of its subcommands; a word that is none of them is named in the
/// complaint.
void require_verb(CLI::App& verb);

/// Prints "assay: ..." to stderr. @returns the exit code that the error means.
int complain(error const& e);

/// A path or a text as a shell takes it, in quotes where it needs them.
[[nodiscard]] std::string shell_word(std::string const& text);

/// The flags that lead another call of `assay` to the same place, e.g. " --data /srv/assay"; empty
/// for the defaults.
[[nodiscard]] std::string place_flags(settings const& s);

} // namespace assay::tools
