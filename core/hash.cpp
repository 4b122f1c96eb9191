#include "core/hash.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cassert>

namespace assay {

namespace {

/// Fetching an algorithm costs more than hashing a short text, so each thread keeps its context and
/// the fetch is done once.
struct sha256_context {
    EVP_MD* algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    EVP_MD_CTX* context = EVP_MD_CTX_new();

    sha256_context() = default;
    sha256_context(sha256_context const&) = delete;
    sha256_context& operator=(sha256_context const&) = delete;

    ~sha256_context()
    {
        EVP_MD_CTX_free(context);
        EVP_MD_free(algorithm);
    }
};

sha256_context& thread_context()
{
    thread_local sha256_context context;
    return context;
}

constexpr char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_digit(char c)
{
    auto const at = std::string_view(base64_digits, 64).find(c);
    return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

} // namespace

std::string digest::hex() const
{
    return to_hex(raw());
}

std::optional<digest> digest::parse(std::string_view hex)
{
    digest out;
    if (hex.size() != 2 * out.bytes.size())
        return std::nullopt;
    int wrong = 0;
    for (std::size_t i = 0; i < out.bytes.size(); ++i) {
        auto const high = hex_digit(hex[2 * i]);
        auto const low = hex_digit(hex[2 * i + 1]);
        wrong |= high | low; // negative as soon as one is
        out.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
    }
    if (wrong < 0)
        return std::nullopt;
    return out;
}

digest sha256(std::string_view data)
{
    return sha256(data, {}, {});
}

digest sha256(std::string_view a, std::string_view b, std::string_view c)
{
    auto& [algorithm, context] = thread_context();
    digest out;
    unsigned size = 0;
    [[maybe_unused]] bool const ok = EVP_DigestInit_ex2(context, algorithm, nullptr) == 1 &&
                                     EVP_DigestUpdate(context, a.data(), a.size()) == 1 &&
                                     EVP_DigestUpdate(context, b.data(), b.size()) == 1 &&
                                     EVP_DigestUpdate(context, c.data(), c.size()) == 1 &&
                                     EVP_DigestFinal_ex(context, out.bytes.data(), &size) == 1;
    assert(ok && size == out.bytes.size());
    return out;
}

digest hmac_sha256(std::string_view key, std::string_view data)
{
    static constexpr std::size_t block = 64;
    std::array<char, block> inner{};
    if (key.size() > block) {
        auto const hashed = sha256(key);
        std::memcpy(inner.data(), hashed.bytes.data(), hashed.bytes.size());
    } else if (!key.empty()) {
        std::memcpy(inner.data(), key.data(), key.size());
    }
    auto outer = inner;
    for (auto& c : inner)
        c ^= 0x36;
    for (auto& c : outer)
        c ^= 0x5C;
    auto const middle = sha256({inner.data(), block}, data);
    auto const out = sha256({outer.data(), block}, middle.raw());
    OPENSSL_cleanse(inner.data(), block);
    OPENSSL_cleanse(outer.data(), block);
    return out;
}

std::string to_hex(std::string_view raw)
{
    std::string out;
    append_hex(raw, out);
    return out;
}

void append_hex(std::string_view raw, std::string& out)
{
    static constexpr char digits[] = "0123456789abcdef";
    auto const from = out.size();
    out.resize(from + raw.size() * 2);
    auto* to = out.data() + from;
    for (auto const c : raw) {
        *to++ = digits[static_cast<unsigned char>(c) >> 4];
        *to++ = digits[static_cast<unsigned char>(c) & 15];
    }
}

std::optional<std::string> from_hex(std::string_view hex)
{
    if (hex.size() % 2 != 0)
        return std::nullopt;
    std::string out;
    out.reserve(hex.size() / 2);
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        auto const high = hex_digit(hex[i]);
        auto const low = hex_digit(hex[i + 1]);
        if (high < 0 || low < 0)
            return std::nullopt;
        out.push_back(static_cast<char>(high * 16 + low));
    }
    return out;
}

std::string to_base64(std::string_view raw)
{
    std::string out;
    out.reserve((raw.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < raw.size(); i += 3) {
        std::uint32_t group = 0;
        auto const n = std::min<std::size_t>(3, raw.size() - i);
        for (std::size_t j = 0; j < 3; ++j)
            group = group << 8 | (j < n ? static_cast<unsigned char>(raw[i + j]) : 0U);
        for (std::size_t j = 0; j < 4; ++j)
            out.push_back(j <= n ? base64_digits[group >> (18 - 6 * j) & 63] : '=');
    }
    return out;
}

std::optional<std::string> from_base64(std::string_view text)
{
    if (text.size() % 4 != 0)
        return std::nullopt;
    std::string out;
    std::string_view digits = text;
    while (!digits.empty() && digits.back() == '=' && text.size() - digits.size() < 2)
        digits.remove_suffix(1);
    std::uint32_t group = 0;
    int bits = 0;
    for (auto const c : digits) {
        auto const d = base64_digit(c);
        if (d < 0)
            return std::nullopt;
        group = group << 6 | static_cast<std::uint32_t>(d);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out.push_back(static_cast<char>(group >> bits));
            group &= (1U << bits) - 1;
        }
    }
    if (to_base64(out) != text)
        return std::nullopt;
    return out;
}

bool equal_secrets(std::string_view a, std::string_view b)
{
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace assay
