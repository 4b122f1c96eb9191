#pragma once

#include "core/hash.hpp"
#include "events/pipeline.hpp"
#include "events/recorded.hpp"
#include "http/api/token_grant.hpp"
#include "http/engine/engine.hpp"
#include "http/server/identity.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace assay::api {

/// What an identity carries for the handlers.
struct claims {
    uuid api_key{};
    std::string role{};
    /// Rows of these departments and of none are the caller's; none: all rows are.
    std::optional<std::vector<uuid>> departments{};
    events::channel channel = events::channel::api;
    /// Of a token: when it ends, in seconds since 1970.
    std::optional<std::int64_t> expires_at{};
};

/// Who holds which API key and which profiles there are, in memory: asked on I/O threads for every
/// request.
///
/// Filled from the view `identity` at start, kept in step by the commits: a revoked key is no key
/// from the moment its revocation is answered. Keys are looked up by their SHA-256, so what a
/// guesser could learn from the time of a comparison is about a hash that it cannot choose.
///
/// Thread-safe.
class identities {
public:
    explicit identities(engine::engine& e);
    ~identities();
    identities(identities const&) = delete;
    identities& operator=(identities const&) = delete;

    /// Reads the view. Call once before serving. errc::unavailable while the view is being built.
    [[nodiscard]] result<void> load();

    /// The identity of a key; none if it is unknown, revoked or its profile is gone.
    [[nodiscard]] std::shared_ptr<http::identity const> find(std::string_view key) const;

    /// The identity of a checked token; none if its profile is unknown, inactive or of another
    /// workspace than it says.
    [[nodiscard]] std::shared_ptr<http::identity const> holder(token_grant const& grant) const;

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

        /// Whether both may do the same.
        [[nodiscard]] bool same_rights(profile_info const& other) const
        {
            return workspace == other.workspace && role == other.role && active == other.active &&
                   departments == other.departments;
        }
    };

    [[nodiscard]] std::optional<profile_info> profile(uuid const& id) const;

private:
    struct key_info {
        uuid id;
        uuid workspace;
        uuid profile;
        bool revoked = false;
    };

    void on_commit(events::commit const& c);
    void take(events::recorded const& e);
    template <class Item>
    void take_profile(events::recorded const& e, Item const& item);
    void rebuild();
    [[nodiscard]] bool stands(http::identity const& who, profile_info const& then) const;
    [[nodiscard]] profile_info const* find_active(uuid const& profile) const;
    [[nodiscard]] std::shared_ptr<http::identity> make(uuid const& profile, profile_info const& who,
                                                       claims held) const;

    engine::engine& engine_;
    std::uint64_t subscription_ = 0;

    // Guarded by mutex_.
    mutable std::shared_mutex mutex_;
    std::unordered_map<digest, key_info> keys_;
    std::unordered_map<uuid, digest> hash_of_; ///< by the key's id
    std::unordered_map<uuid, profile_info> profiles_;
    std::unordered_map<digest, std::shared_ptr<http::identity const>> known_; ///< good keys
    std::optional<std::pair<instant, uuid>> first_;
};

/// The time that tokens end by: seconds since 1970.
[[nodiscard]] std::int64_t seconds_now();

/// The claims that `identities` attached.
[[nodiscard]] claims const& claims_of(http::identity const& who);

} // namespace assay::api
