#pragma once

#include "core/hash.hpp"
#include "events/pipeline.hpp"
#include "events/recorded.hpp"
#include "http/engine/engine.hpp"
#include "http/server/identity.hpp"
#include "http/server/metrics.hpp"

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace assay::api {

/// What an identity carries for the handlers.
struct claims {
    uuid api_key;
    std::string role;
    /// Rows of these departments and of none are the caller's; none: all rows are.
    std::optional<std::vector<uuid>> departments{};
    events::channel channel = events::channel::api;
};

/// Who holds which API key, in memory: asked on I/O threads for every request.
///
/// Filled from the view `identity` at start, kept in step by the commits: a revoked key is no key
/// from the moment its revocation is answered. Keys are looked up by their SHA-256, so what a
/// guesser could learn from the time of a comparison is about a hash that it cannot choose.
///
/// Thread-safe.
class identities {
public:
    identities(engine::engine& e, http::metrics& numbers);
    ~identities();
    identities(identities const&) = delete;
    identities& operator=(identities const&) = delete;

    /// Reads the view. Call once before serving. errc::unavailable while the view is being built.
    [[nodiscard]] result<void> load();

    /// The server's hook: Authorization: Bearer or X-Api-Key.
    ///
    /// @returns errc::unauthenticated without a good key; errc::rate_limited for a peer that keeps
    /// sending bad ones. A good key is always good, so nobody is locked out by a neighbour behind
    /// the same address.
    [[nodiscard]] result<std::shared_ptr<http::identity const>> identify(http::request const& req);

    /// The identity of a key; none if it is unknown, revoked or its profile is gone.
    [[nodiscard]] std::shared_ptr<http::identity const> find(std::string_view key) const;

    /// An identity for calls inside this process, with the rights of `profile` and a channel of its
    /// own.
    [[nodiscard]] std::shared_ptr<http::identity const> local(uuid const& profile,
                                                              events::channel channel) const;

    /// The workspace that was made first: its administrators look after the whole instance.
    [[nodiscard]] std::optional<uuid> first_workspace() const;

    /// A profile's name and role as they are now; none if it is unknown.
    struct profile_info {
        uuid workspace;
        std::string name;
        std::string role;
        bool active = true;
        std::vector<uuid> departments;
    };

    [[nodiscard]] std::optional<profile_info> profile(uuid const& id) const;

private:
    struct key_info {
        uuid id;
        uuid workspace;
        uuid profile;
        bool revoked = false;
    };

    struct failures {
        double tokens = 0;
        std::chrono::steady_clock::time_point at;
    };

    void on_commit(events::commit const& c);
    void take(events::recorded const& e);
    template <class Item>
    void take_profile(events::recorded const& e, Item const& item);
    void rebuild();
    [[nodiscard]] std::shared_ptr<http::identity const>
    make(key_info const& key, profile_info const& who, events::channel channel) const;
    [[nodiscard]] std::unexpected<error> refuse(std::string_view peer);

    engine::engine& engine_;
    http::counter& accepted_;
    http::counter& refused_;
    std::uint64_t subscription_ = 0;

    // Guarded by mutex_.
    mutable std::shared_mutex mutex_;
    std::unordered_map<digest, key_info> keys_;
    std::unordered_map<uuid, digest> hash_of_; ///< by the key's id
    std::unordered_map<uuid, profile_info> profiles_;
    std::unordered_map<digest, std::shared_ptr<http::identity const>> known_; ///< good keys
    std::optional<std::pair<instant, uuid>> first_;

    // Guarded by failures_mutex_.
    std::mutex failures_mutex_;
    std::unordered_map<std::string, failures> failures_;
};

/// The claims that `identities` attached.
[[nodiscard]] claims const& claims_of(http::identity const& who);

} // namespace assay::api
