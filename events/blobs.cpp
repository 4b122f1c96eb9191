#include "events/blobs.hpp"

#include "events/anchor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <unordered_map>

namespace assay::events {

namespace {

constexpr char blob_format = 1;
constexpr std::size_t blob_prefix = 1 + 16;
constexpr std::string_view zero_nonce("\0\0\0\0\0\0\0\0\0\0\0\0", 12);

std::string blob_key(workspace_keys const& keys, digest const& address)
{
    std::string name("assay blob");
    name.append(address.raw());
    return std::string(hmac_sha256(keys.data_key.view(), name).raw());
}

std::string associated(workspace_keys const& keys, digest const& address)
{
    std::string out(keys.workspace.raw());
    return out.append(keys.data_key_id.raw()).append(address.raw());
}

bool is_large(sealed_blob const& blob)
{
    return blob.bytes.size() > row_blob_max;
}

} // namespace

digest keyed_hash(workspace_keys const& keys, std::string_view purpose, std::string_view text)
{
    std::string data(purpose);
    data.push_back('\0');
    return hmac_sha256(keys.address_key.view(), data.append(text));
}

content seal(workspace_keys const& keys, std::string_view text, blob_list& out)
{
    auto const address = keyed_hash(keys, "text", text);
    sealed_blob blob{keys.workspace, address, keys.data_key_id, std::string(1, blob_format)};
    blob.bytes.append(keys.data_key_id.raw());
    blob.bytes.append(
        gcm_seal(blob_key(keys, address), zero_nonce, text, associated(keys, address)));
    content c{address, sha256(blob.bytes), keys.data_key_id,
              static_cast<std::uint32_t>(text.size())};
    out.push_back(std::move(blob));
    return c;
}

result<std::string> unseal(workspace_keys const& keys, digest const& address,
                           std::string_view sealed)
{
    if (sealed.size() < blob_prefix || sealed.front() != blob_format)
        return fail(errc::corrupt, "a sealed text is cut short");
    if (sealed.substr(1, 16) != keys.data_key_id.raw())
        return fail(errc::gone, "the text is erased", "erased");
    return gcm_open(blob_key(keys, address), zero_nonce, sealed.substr(blob_prefix),
                    associated(keys, address));
}

std::string blob_store::key(uuid const& workspace, digest const& address)
{
    std::string k(workspace.raw());
    return k.append(address.raw());
}

std::filesystem::path blob_store::file_of(uuid const& workspace, digest const& address) const
{
    auto const hex = address.hex();
    return store_.dir() / "blobs" / workspace.text() / hex.substr(0, 2) / hex;
}

bool any_large(blob_list const& blobs)
{
    return std::ranges::any_of(blobs, is_large);
}

result<void> blob_store::write_large(blob_list& blobs)
{
    static std::atomic<std::uint64_t> number{
        0}; // the same text may come from two threads at a time
    for (auto const& blob : blobs) {
        if (!is_large(blob))
            continue;
        auto const file = file_of(blob.workspace, blob.address);
        if (std::filesystem::exists(file))
            continue; // the same text: the same bytes
        ASSAY_CHECK(make_directories(file.parent_path()));
        ASSAY_CHECK(replace_file(file, blob.bytes, 0644, fmt::format(".{}.new", ++number)));
    }
    std::erase_if(blobs, is_large);
    return {};
}

result<std::string> blob_store::read(uuid const& workspace, content const& c) const
{
    ASSAY_TRY(auto keys, vault_.keys_by_id(workspace, c.key));
    ASSAY_TRY(auto row, store_.get(family::blobs, key(workspace, c.address)));
    if (row)
        return unseal(*keys, c.address, *row);
    auto bytes = read_file(file_of(workspace, c.address));
    if (!bytes)
        return fail(errc::corrupt, "a sealed text is missing from the blob store", "blob_missing");
    return unseal(*keys, c.address, *bytes);
}

result<std::size_t> blob_store::sweep()
{
    auto const since = store_.previous_opening();
    auto const start = std::chrono::file_clock::from_sys(
        std::chrono::sys_time<std::chrono::microseconds>(std::chrono::microseconds(since.at_us)));
    std::error_code ec;
    std::unordered_map<std::string, std::filesystem::path> young; // by address
    for (std::filesystem::recursive_directory_iterator it(store_.dir() / "blobs", ec), end;
         !ec && it != end; it.increment(ec)) {
        if (it->is_regular_file() && it->last_write_time() >= start)
            young.emplace(it->path().filename().string(), it->path());
    }
    if (young.empty())
        return 0;

    // The payload of the commit that uses a blob holds its address.
    constexpr std::string_view mark = "\"address\":\"";
    auto const acquit = [&](std::uint64_t, std::string_view bytes) {
        for (auto at = bytes.find(mark); at != std::string_view::npos;
             at = bytes.find(mark, at + 1))
            young.erase(std::string(bytes.substr(at + mark.size(), 64)));
        return !young.empty();
    };
    ASSAY_CHECK(store_.scan_records(since.position, store_.next_position(), acquit));
    if (!young.empty())
        ASSAY_CHECK(store_.scan_records(0, since.position, acquit));
    std::size_t removed = 0;
    for (auto const& [address, file] : young)
        removed += std::filesystem::remove(file, ec) ? 1 : 0;
    return removed;
}

} // namespace assay::events
