#pragma once

#include "http/client/client.hpp"
#include "http/server/metrics.hpp"
#include "http/tokens/key_set.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace assay::tokens {

struct key_source_options {
    std::string key_set{};     ///< file or https URL of a JWK Set; empty: none
    std::string secret_file{}; ///< the HS256 secret; empty: none
    std::chrono::milliseconds refresh{std::chrono::minutes{5}}; ///< between two readings
    /// Between two readings that were asked for by tokens of unknown keys, or after a failed one.
    std::chrono::milliseconds refetch_min{std::chrono::seconds{30}};
    std::chrono::milliseconds timeout{std::chrono::seconds{10}};
    std::string ca_file{}; ///< trusted besides the system's
};

/// The keys that tokens are checked with, kept up to date by a thread of its own.
///
/// The last good set stays in use while a newer one cannot be had or read: an issuer that is down
/// for an hour does not lock everybody out. A key that is missing from a new set is good no more.
///
/// Thread-safe. Asking never blocks.
class key_source {
public:
    /// Reads everything once.
    ///
    /// @returns errc::io or errc::invalid for files that cannot be read or hold no keys, and for a
    ///          URL that is neither https nor of this machine. A URL that does not answer yet is no
    ///          error: it is tried again, and until then there are no keys.
    [[nodiscard]] static result<std::unique_ptr<key_source>> open(key_source_options options,
                                                                  http::metrics& numbers);

    ~key_source();
    key_source(key_source const&) = delete;
    key_source& operator=(key_source const&) = delete;

    /// The keys as they are now, and a number that grows when they change.
    struct current {
        std::shared_ptr<key_set const> keys;
        std::uint64_t version;
    };

    [[nodiscard]] current keys() const;

    /// A token named a key that is not there: reads again soon, at most once per `refetch_min`.
    void want_newer();

    /// Reads again now (SIGHUP).
    void reload();

private:
    key_source(key_source_options options, http::metrics& numbers);

    [[nodiscard]] result<std::string> fetch();
    [[nodiscard]] result<key_set> read();
    [[nodiscard]] result<void> refresh();
    void run(std::stop_token stop);

    key_source_options const options_;
    bool const remote_;
    http::counter& good_;
    http::counter& failed_;
    std::unique_ptr<http::client> client_; ///< of a remote source

    // Guarded by mutex_.
    mutable std::mutex mutex_;
    std::condition_variable_any change_;
    std::shared_ptr<key_set const> keys_ = std::make_shared<key_set const>();
    std::uint64_t version_ = 0;
    bool wanted_ = false;
    bool at_once_ = false;

    std::shared_ptr<void> report_;
    std::jthread thread_;
};

} // namespace assay::tokens
