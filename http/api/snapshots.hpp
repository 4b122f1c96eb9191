#pragma once

#include "core/result.hpp"
#include "core/uuid.hpp"
#include "projections/reader.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace assay::api {

/// Views pinned by a client's `snapshot_key`: the first use binds the key to the position of that
/// moment, and for 60 s every read with the key sees that state.
///
/// Thread-safe.
class snapshots {
public:
    using take_function = std::function<std::shared_ptr<projections::reader const>()>;

    explicit snapshots(take_function take) : take_(std::move(take)) {}

    static constexpr std::chrono::seconds lifetime{60};
    static constexpr std::size_t per_workspace_max = 64;

    /// @returns errc::gone when the key's time is over, or when the workspace holds as many as it
    /// may.
    [[nodiscard]] result<std::shared_ptr<projections::reader const>> of(uuid const& workspace,
                                                                        std::string const& key);

    /// Lets go of what is over. Called by `of`; a server may call it from time to time.
    void expire();

private:
    using clock = std::chrono::steady_clock;

    struct held {
        std::shared_ptr<projections::reader const> views; ///< none: its time is over
        clock::time_point until;
    };

    void expire(clock::time_point now);

    take_function const take_;
    // Guarded by mutex_.
    std::mutex mutex_;
    std::map<std::pair<uuid, std::string>, held> held_;
};

} // namespace assay::api
