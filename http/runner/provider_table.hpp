#pragma once

#include "core/model_client.hpp"
#include "core/result.hpp"
#include "http/engine/frozen_config.hpp"

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace assay::http {

/// The clients of the providers in use, made at first need: one row in a table for each kind of wire format.
///
/// Thread-safe.
class provider_table {
public:
    /// @param recording_roots  folders whose files the recorded provider may read
    explicit provider_table(std::vector<std::filesystem::path> recording_roots);

    /// The client that speaks to this provider.
    ///
    /// @returns errc::invalid for an unknown kind or an endpoint that does not fit it, errc::forbidden for a
    ///          recording outside the allowed folders, errc::io if it cannot be read.
    [[nodiscard]] result<model_client*> client_for(engine::frozen_provider const& provider);

    /// Ends every call in flight.
    void cancel_all();

    /// Kinds that there are, for messages and documentation.
    [[nodiscard]] static std::vector<std::string> kinds();

private:
    [[nodiscard]] result<std::unique_ptr<model_client>>
    make(engine::frozen_provider const& provider) const;
    [[nodiscard]] result<std::unique_ptr<model_client>>
    make_recorded(std::string const& endpoint) const;

    std::vector<std::filesystem::path> const roots_;
    // Guarded by mutex_.
    std::mutex mutex_;
    std::map<std::string, std::unique_ptr<model_client>> clients_;
};

} // namespace assay::http
