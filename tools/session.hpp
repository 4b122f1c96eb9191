#pragma once

#include "http/api/client.hpp"
#include "http/runner/runner.hpp"
#include "tools/settings.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace assay::tools {

struct session_options {
    std::string what =
        "assay"; ///< what this process does, for those who find the directory locked: "assay run"
    std::vector<std::filesystem::path> recording_roots;
};

/// The API that a verb talks to: a server's, or that of an engine on the data directory inside this
/// process.
class session {
public:
    /// @returns errc::conflict naming the holder if another process serves the directory,
    /// errc::invalid with reason "usage" for a
    ///          URL that is none, errc::unauthenticated if no key is to be found.
    [[nodiscard]] static result<std::unique_ptr<session>> open(settings const& s,
                                                               session_options options = {});

    virtual ~session() = default;

    [[nodiscard]] virtual api::api_client& api() = 0;

    /// Whether the engine runs in this process: then cells run only while a runner does.
    [[nodiscard]] virtual bool embedded() const = 0;

    /// Begins to run open cells. Only when embedded.
    virtual void start_runner(http::runner_options options) = 0;

    /// Makes no further call, records those in flight. Only when embedded.
    virtual void stop_runner() = 0;
};

} // namespace assay::tools
