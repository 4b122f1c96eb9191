#pragma once

/// Ctrl-C asks a long verb to stop; a second one ends the process.
namespace assay::tools {

/// While it lives, the first SIGINT or SIGTERM is noted instead of ending the process. One at a
/// time.
class interruption {
public:
    interruption();
    ~interruption();
    interruption(interruption const&) = delete;
    interruption& operator=(interruption const&) = delete;

    [[nodiscard]] static bool asked();
};

} // namespace assay::tools
