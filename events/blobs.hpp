#pragma once

#include "core/domain/event.hpp"
#include "core/result.hpp"
#include "events/store.hpp"
#include "events/vault.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Sealed texts: how they are sealed, addressed, stored and read back.
namespace assay::events {

/// Texts up to this size are rows of the write that commits them; larger ones are files, synced before.
constexpr std::size_t row_blob_max = 64 * 1024;

/// The largest text there may be.
constexpr std::size_t blob_bytes_max = 64 * 1024 * 1024;

struct sealed_blob {
    uuid workspace;
    digest address;
    uuid key; ///< data key that it is sealed under
    std::string bytes;
};

/// Collects the sealed texts of one command; goes with it into the pipeline.
using blob_list = std::vector<sealed_blob>;

/// Whether one of them is too large for a row.
[[nodiscard]] bool any_large(blob_list const& blobs);

/// Seals `text` and notes the blob in `out`.
///
/// Address = keyed_hash(keys, "text", text). The blob's own key is HMAC-SHA-256(data key, "assay blob" | address), so
/// that the nonce may be zero: a key seals one text only, and equal texts give equal bytes. Stored: one byte of
/// format, the data key's id, ciphertext, tag; associated data = workspace | data key id | address.
[[nodiscard]] content seal(workspace_keys const& keys, std::string_view text, blob_list& out);

/// Opens stored bytes; errc::corrupt if a byte is another.
[[nodiscard]] result<std::string> unseal(workspace_keys const& keys, digest const& address,
                                         std::string_view sealed);

/// HMAC-SHA-256(address key, purpose | 00 | text): what stands for `text` wherever equality matters.
[[nodiscard]] digest keyed_hash(workspace_keys const& keys, std::string_view purpose,
                                std::string_view text);

/// Reads and writes sealed bytes of one data directory. Thread-safe.
class blob_store {
public:
    blob_store(store& s, vault& v) : store_(s), vault_(v) {}

    /// Writes those of `blobs` that are too large for a row, synced, and takes them out of the list.
    [[nodiscard]] result<void> write_large(blob_list& blobs);

    /// The text behind a reference.
    ///
    /// @returns errc::gone with reason "erased" when its key was destroyed, errc::corrupt if stored bytes are damaged.
    [[nodiscard]] result<std::string> read(uuid const& workspace, content const& c) const;

    /// The row key of a blob.
    [[nodiscard]] static std::string key(uuid const& workspace, digest const& address);

    /// Removes files that no commit refers to: what a crash left between a file's sync and its commit. Suspects what is
    /// younger than the previous opening; a suspect is removed when the whole log does not name it, since a copy or a
    /// clock set back makes old files look young. Meant for start, before anybody writes.
    ///
    /// @returns how many files went.
    [[nodiscard]] result<std::size_t> sweep();

private:
    [[nodiscard]] std::filesystem::path file_of(uuid const& workspace, digest const& address) const;

    store& store_;
    vault& vault_;
};

} // namespace assay::events
