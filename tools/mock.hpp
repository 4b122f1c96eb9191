#pragma once

#include <CLI/App.hpp>

namespace assay::tools {

/// Adds the verb `mock` to `root`. When it was asked for, parsing runs the mock until SIGINT or
/// SIGTERM and then sets `exit_code`: 0, 1 if it could not start, 2 for values that cannot be.
void add_mock(CLI::App& root, int& exit_code);

} // namespace assay::tools
