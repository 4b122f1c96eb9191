#pragma once

namespace CLI {
class App;
}

namespace assay::tools {

/// Adds the verb `bench` to `root`: measures this build on this machine, each figure beside its
/// floor. Sets `exit_code` to 1 when
/// a figure misses its target or a measurement fails.
void add_bench(CLI::App& root, int& exit_code);

} // namespace assay::tools
