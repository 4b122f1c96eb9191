#pragma once

#include "tools/settings.hpp"

namespace CLI {
class App;
}

/// The verbs of `assay`, one file each. Each adds itself to `root`; when it was asked for, parsing
/// runs it and sets `exit_code`. `s` is filled by then, and outlives the parse.
namespace assay::tools {

void add_run(CLI::App& root, settings const& s, int& exit_code);
void add_tests(CLI::App& root, settings const& s, int& exit_code);
void add_catalog(CLI::App& root, settings const& s, int& exit_code);
void add_admin(CLI::App& root, settings const& s, int& exit_code);
void add_audit(CLI::App& root, settings const& s, int& exit_code);
void add_views(CLI::App& root, settings const& s, int& exit_code);
void add_token(CLI::App& root, settings const& s, int& exit_code);
void add_log(CLI::App& root, settings const& s, int& exit_code);

} // namespace assay::tools
