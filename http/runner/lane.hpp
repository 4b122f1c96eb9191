#pragma once

#include "core/rate_limit.hpp"
#include "core/uuid.hpp"
#include "http/engine/engine.hpp"
#include "http/runner/options.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace assay::http {

struct live_run;

/// Everyone who calls with one key of one provider shares its limits.
struct lane {
    concurrency_limit concurrency;
    rate_limit rate;
    std::optional<uuid> key; ///< in the vault
    std::string api_key;
    bool key_missing = false;
    bool timer_set = false; ///< when its rate allows more, somebody will look
    std::deque<std::shared_ptr<live_run>> waiting;
};

/// The lanes there are, made at first need. Not thread-safe: the scheduling thread's.
class lane_table {
public:
    lane_table(engine::engine& e, runner_options const& options);

    /// The lane of a provider and its key. It stays where it is.
    [[nodiscard]] lane& lane_of(uuid const& workspace, engine::frozen_provider const& provider);

    /// A deleted provider key is used for no further call.
    void revoke(uuid const& key);

    /// Calls that wait in all lanes.
    [[nodiscard]] std::size_t waiting() const;

    [[nodiscard]] std::map<std::string, std::unique_ptr<lane>> const& all() const { return lanes_; }

private:
    [[nodiscard]] std::unique_ptr<lane> make(uuid const& workspace,
                                             engine::frozen_provider const& provider) const;

    engine::engine& engine_;
    runner_options const& options_;
    std::map<std::string, std::unique_ptr<lane>> lanes_;
};

} // namespace assay::http
