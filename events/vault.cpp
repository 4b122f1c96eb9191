#include "events/vault.hpp"

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "events/anchor.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstdlib>
#include <stdexcept>

namespace assay::events {

namespace {

constexpr std::size_t key_bytes = 32;
constexpr std::size_t nonce_bytes = 12;
constexpr std::size_t tag_bytes = 16;

struct cipher {
    EVP_CIPHER* algorithm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();

    cipher() = default;
    cipher(cipher const&) = delete;
    cipher& operator=(cipher const&) = delete;

    ~cipher()
    {
        EVP_CIPHER_CTX_free(context);
        EVP_CIPHER_free(algorithm);
    }
};

cipher& thread_cipher()
{
    thread_local cipher c;
    return c;
}

unsigned char const* raw(std::string_view s)
{
    return reinterpret_cast<unsigned char const*>(s.data());
}

unsigned char* raw(std::string& s)
{
    return reinterpret_cast<unsigned char*>(s.data());
}

/// The file of a workspace's keys.
struct keys_file {
    uuid workspace;
    uuid data_key;
    std::string wrapped; ///< base64 of data key | address key, wrapped
};
BOOST_DESCRIBE_STRUCT(keys_file, (), (workspace, data_key, wrapped))

constexpr std::string_view check_context = "assay master key check";

std::string keys_context(uuid const& workspace, uuid const& data_key)
{
    return fmt::format("assay workspace keys {} {}", workspace.text(), data_key.text());
}

std::string secret_context(uuid const& workspace, uuid const& id)
{
    return fmt::format("assay provider key {} {}", workspace.text(), id.text());
}

} // namespace

secret_bytes& secret_bytes::operator=(secret_bytes&& other) noexcept
{
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
    bytes_ = std::exchange(other.bytes_, {});
    return *this;
}

secret_bytes::~secret_bytes()
{
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

std::string random_bytes(std::size_t n)
{
    std::string out(n, '\0');
    if (RAND_bytes(raw(out), static_cast<int>(n)) != 1)
        throw std::runtime_error("the operating system gives no random bytes");
    return out;
}

uuid random_uuid_v7(std::int64_t now_us)
{
    // The generator costs a microsecond a call, whatever its length: a thread draws for many ids at
    // once. Ids are no secrets, so that what is left of a draw may stay in memory.
    constexpr std::size_t each = 10;
    thread_local std::string drawn;
    thread_local std::size_t used = 0;
    if (used == drawn.size()) {
        drawn = random_bytes(100 * each);
        used = 0;
    }
    std::span<std::uint8_t const, each> const bytes(raw(drawn) + used, each);
    used += each;
    return make_uuid_v7(static_cast<std::uint64_t>(now_us / 1000), bytes);
}

std::string gcm_seal(std::string_view key, std::string_view nonce, std::string_view plaintext,
                     std::string_view associated)
{
    auto& [algorithm, context] = thread_cipher();
    std::string out(plaintext.size() + tag_bytes, '\0');
    int n = 0;
    bool ok = EVP_EncryptInit_ex2(context, algorithm, raw(key), raw(nonce), nullptr) == 1 &&
              EVP_EncryptUpdate(context, nullptr, &n, raw(associated),
                                static_cast<int>(associated.size())) == 1 &&
              EVP_EncryptUpdate(context, raw(out), &n, raw(plaintext),
                                static_cast<int>(plaintext.size())) == 1 &&
              EVP_EncryptFinal_ex(context, raw(out) + n, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, tag_bytes,
                                  raw(out) + plaintext.size()) == 1;
    if (!ok)
        throw std::runtime_error("AES-256-GCM failed");
    return out;
}

result<std::string> gcm_open(std::string_view key, std::string_view nonce, std::string_view sealed,
                             std::string_view associated)
{
    if (sealed.size() < tag_bytes)
        return fail(errc::corrupt, "sealed bytes are cut short");
    auto& [algorithm, context] = thread_cipher();
    auto const size = sealed.size() - tag_bytes;
    std::string out(size, '\0');
    std::string tag(sealed.substr(size));
    int n = 0;
    bool const ok =
        EVP_DecryptInit_ex2(context, algorithm, raw(key), raw(nonce), nullptr) == 1 &&
        EVP_DecryptUpdate(context, nullptr, &n, raw(associated),
                          static_cast<int>(associated.size())) == 1 &&
        EVP_DecryptUpdate(context, raw(out), &n, raw(sealed), static_cast<int>(size)) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, tag_bytes, raw(tag)) == 1 &&
        EVP_DecryptFinal_ex(context, raw(out) + n, &n) == 1;
    if (!ok)
        return fail(errc::corrupt, "sealed bytes do not open: another key, or a changed byte");
    return out;
}

std::string gcm_wrap(std::string_view key, std::string_view plaintext, std::string_view associated)
{
    auto nonce = random_bytes(nonce_bytes);
    return nonce + gcm_seal(key, nonce, plaintext, associated);
}

result<std::string> gcm_unwrap(std::string_view key, std::string_view wrapped,
                               std::string_view associated)
{
    if (wrapped.size() < nonce_bytes)
        return fail(errc::corrupt, "wrapped bytes are cut short");
    return gcm_open(key, wrapped.substr(0, nonce_bytes), wrapped.substr(nonce_bytes), associated);
}

result<std::unique_ptr<vault>> vault::open(std::filesystem::path const& data_dir, bool create)
{
    std::unique_ptr<vault> v(new vault(data_dir / "vault"));
    if (create) {
        ASSAY_CHECK(make_directories(v->dir_ / "keys"));
        ASSAY_CHECK(make_directories(v->dir_ / "secrets"));
        std::error_code ec;
        std::filesystem::permissions(v->dir_, std::filesystem::perms::owner_all, ec);
        if (ec)
            return fail(errc::io, fmt::format("cannot keep others out of {}: {}", v->dir_.string(),
                                              ec.message()));
    }
    ASSAY_CHECK(v->load_master(create));
    ASSAY_CHECK(v->check_master(create));
    return v;
}

result<void> vault::load_master(bool create)
{
    auto const file = dir_ / "master.key";
    std::string hex;
    if (auto const* const given = std::getenv("ASSAY_MASTER_KEY")) {
        hex = given;
    } else if (std::filesystem::exists(file)) {
        ASSAY_TRY(hex, read_file(file));
        while (!hex.empty() && hex.back() == '\n')
            hex.pop_back();
    } else if (create && !std::filesystem::exists(dir_ / "check")) {
        hex = to_hex(random_bytes(key_bytes));
        ASSAY_CHECK(replace_file(file, hex + "\n", 0600));
    } else {
        return fail(
            errc::not_found,
            fmt::format("there is no master key: neither ASSAY_MASTER_KEY nor {}", file.string()));
    }
    auto key = from_hex(hex);
    OPENSSL_cleanse(hex.data(), hex.size());
    if (!key || key->size() != key_bytes)
        return fail(
            errc::invalid,
            "a master key is 64 hexadecimal digits (ASSAY_MASTER_KEY, or vault/master.key)");
    master_ = secret_bytes(std::move(*key));
    return {};
}

result<void> vault::check_master(bool create)
{
    auto const file = dir_ / "check";
    if (!std::filesystem::exists(file)) {
        if (!create)
            return {};
        return replace_file(file, to_base64(gcm_wrap(master_.view(), {}, check_context)) + "\n",
                            0600);
    }
    ASSAY_TRY(auto text, read_file(file));
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    auto const wrapped = from_base64(text);
    if (!wrapped || !gcm_unwrap(master_.view(), *wrapped, check_context))
        return fail(
            errc::corrupt,
            fmt::format("the master key does not open the vault {}; it was made with another",
                        dir_.string()),
            "wrong_master_key");
    return {};
}

result<workspace_keys_ptr> vault::load(uuid const& workspace)
{
    auto const file = dir_ / "keys" / (workspace.text() + ".json");
    if (!std::filesystem::exists(file))
        return fail(errc::not_found, "the workspace has no keys in the vault");
    ASSAY_TRY(auto text, read_file(file));
    ASSAY_TRY(auto stored, codec::from_json<keys_file>(text));
    auto const wrapped = from_base64(stored.wrapped);
    if (!wrapped || wrapped->empty())
        return fail(errc::gone, "the workspace's keys were destroyed", "erased");
    ASSAY_TRY(auto plain,
              gcm_unwrap(master_.view(), *wrapped, keys_context(workspace, stored.data_key)));
    if (plain.size() != 2 * key_bytes)
        return fail(errc::corrupt, "a workspace's keys do not have their length");
    auto keys = std::make_shared<workspace_keys>();
    keys->workspace = workspace;
    keys->data_key_id = stored.data_key;
    keys->data_key = secret_bytes(plain.substr(0, key_bytes));
    keys->address_key = secret_bytes(plain.substr(key_bytes));
    OPENSSL_cleanse(plain.data(), plain.size());
    return workspace_keys_ptr(std::move(keys));
}

result<workspace_keys_ptr> vault::keys_of(uuid const& workspace)
{
    std::lock_guard const lock(mutex_);
    return find(workspace);
}

result<workspace_keys_ptr> vault::find(uuid const& workspace)
{
    if (auto const found = loaded_.find(workspace); found != loaded_.end())
        return found->second;
    ASSAY_TRY(auto keys, load(workspace));
    loaded_.emplace(workspace, keys);
    return keys;
}

result<workspace_keys_ptr> vault::create_keys(uuid const& workspace)
{
    // Under one lock from the look to the write: two who make keys at a time would each seal under their own.
    std::lock_guard const lock(mutex_);
    if (auto present = find(workspace); present || present.error().code != errc::not_found)
        return present;
    auto const data_key = derive_uuid(random_bytes(32));
    auto plain = random_bytes(2 * key_bytes);
    auto const wrapped = gcm_wrap(master_.view(), plain, keys_context(workspace, data_key));
    OPENSSL_cleanse(plain.data(), plain.size());
    auto const file = dir_ / "keys" / (workspace.text() + ".json");
    ASSAY_CHECK(replace_file(
        file, codec::to_json(keys_file{workspace, data_key, to_base64(wrapped)}), 0600));
    return find(workspace);
}

result<workspace_keys_ptr> vault::keys_by_id(uuid const& workspace, uuid const& data_key)
{
    ASSAY_TRY(auto keys, keys_of(workspace));
    if (keys->data_key_id != data_key)
        return fail(errc::gone, "the text is erased", "erased");
    return keys;
}

/// Ids of items can be chosen by clients, so the name holds the workspace: nobody's choice may touch
/// another's secret.
std::filesystem::path vault::secret_file(uuid const& workspace, uuid const& id) const
{
    return dir_ / "secrets" / (workspace.text() + "." + id.text() + ".key");
}

result<void> vault::put_secret(uuid const& workspace, uuid const& id, std::string_view secret)
{
    auto const wrapped = gcm_wrap(master_.view(), secret, secret_context(workspace, id));
    std::lock_guard const lock(mutex_);
    return replace_file(secret_file(workspace, id), to_base64(wrapped) + "\n", 0600);
}

result<secret_bytes> vault::get_secret(uuid const& workspace, uuid const& id)
{
    ASSAY_TRY(auto text, read_file(secret_file(workspace, id)));
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    auto const wrapped = from_base64(text);
    if (!wrapped)
        return fail(errc::corrupt, "a provider key's file is damaged");
    ASSAY_TRY(auto plain, gcm_unwrap(master_.view(), *wrapped, secret_context(workspace, id)));
    return secret_bytes(std::move(plain));
}

result<void> vault::erase_secret(uuid const& workspace, uuid const& id)
{
    std::lock_guard const lock(mutex_);
    return shred_file(secret_file(workspace, id));
}

} // namespace assay::events
