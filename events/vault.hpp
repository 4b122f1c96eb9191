#pragma once

#include "core/result.hpp"
#include "core/uuid.hpp"

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

/// Keys at rest: one file a key, wrapped by the master key with AES-256-GCM. Files and not rows,
/// because what is deleted
/// from an LSM tree lingers, while a small file can be overwritten.
namespace assay::events {

/// Key material; wiped when it goes.
class secret_bytes {
public:
    secret_bytes() = default;

    explicit secret_bytes(std::string bytes) : bytes_(std::move(bytes)) {}

    secret_bytes(secret_bytes&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

    secret_bytes& operator=(secret_bytes&& other) noexcept;
    ~secret_bytes();

    [[nodiscard]] std::string_view view() const { return bytes_; }

private:
    std::string bytes_;
};

/// What a workspace seals and addresses with.
struct workspace_keys {
    uuid workspace;
    uuid data_key_id;
    secret_bytes data_key; ///< 32 bytes; contents are sealed under keys derived from it
    secret_bytes
        address_key; ///< 32 bytes; content addresses, cell hashes and idempotency hashes are HMACs under it
};

using workspace_keys_ptr = std::shared_ptr<workspace_keys const>;

/// AES-256-GCM: nonce (12 bytes, random) | ciphertext | tag (16 bytes).
[[nodiscard]] std::string gcm_wrap(std::string_view key, std::string_view plaintext,
                                   std::string_view associated);

/// The inverse; errc::corrupt if the key, the associated data or a byte is another.
[[nodiscard]] result<std::string> gcm_unwrap(std::string_view key, std::string_view wrapped,
                                             std::string_view associated);

/// AES-256-GCM with a nonce of the caller's: ciphertext | tag.
[[nodiscard]] std::string gcm_seal(std::string_view key, std::string_view nonce,
                                   std::string_view plaintext, std::string_view associated);
[[nodiscard]] result<std::string> gcm_open(std::string_view key, std::string_view nonce,
                                           std::string_view sealed, std::string_view associated);

/// Random bytes from the operating system's generator (OpenSSL RAND_bytes).
[[nodiscard]] std::string random_bytes(std::size_t n);

/// A fresh time-ordered id.
[[nodiscard]] uuid random_uuid_v7(std::int64_t now_us);

/// The key vault of a data directory: `vault/`.
///
/// Thread-safe.
class vault {
public:
    /// Opens or creates the vault. The master key comes from the environment variable
    /// ASSAY_MASTER_KEY (64 hexadecimal digits),
    /// else from `vault/master.key`, which is made, readable by the owner alone, when the vault is new.
    ///
    /// @returns errc::io, errc::invalid for what is no master key, errc::not_found if the vault was
    /// made with one that is not
    ///          there any more, or errc::corrupt if the master key does not open this vault.
    [[nodiscard]] static result<std::unique_ptr<vault>> open(std::filesystem::path const& data_dir,
                                                             bool create = true);

    /// A workspace's keys; errc::not_found if it has none, errc::gone if they were destroyed.
    [[nodiscard]] result<workspace_keys_ptr> keys_of(uuid const& workspace);

    /// Makes a workspace's keys, synced; those it has already if it has some.
    [[nodiscard]] result<workspace_keys_ptr> create_keys(uuid const& workspace);

    /// A data key by its id, also an older one of the workspace; errc::gone if destroyed.
    [[nodiscard]] result<workspace_keys_ptr> keys_by_id(uuid const& workspace,
                                                        uuid const& data_key);

    /// Stores a provider's key, synced. Replaces what stood under `id` in this workspace: what
    /// another keeps under the same id is another secret.
    [[nodiscard]] result<void> put_secret(uuid const& workspace, uuid const& id,
                                          std::string_view secret);
    [[nodiscard]] result<secret_bytes> get_secret(uuid const& workspace, uuid const& id);

    /// Overwrites and removes (`shred_file`); absent is fine.
    [[nodiscard]] result<void> erase_secret(uuid const& workspace, uuid const& id);

private:
    explicit vault(std::filesystem::path dir) : dir_(std::move(dir)) {}

    [[nodiscard]] std::filesystem::path secret_file(uuid const& workspace, uuid const& id) const;
    [[nodiscard]] result<void> load_master(bool create);
    [[nodiscard]] result<void> check_master(bool create);
    [[nodiscard]] result<workspace_keys_ptr> load(uuid const& workspace);
    /// With mutex_ held.
    [[nodiscard]] result<workspace_keys_ptr> find(uuid const& workspace);

    std::filesystem::path const dir_;
    secret_bytes master_;
    // Guarded by mutex_.
    std::mutex mutex_;
    std::map<uuid, workspace_keys_ptr> loaded_;
};

} // namespace assay::events
