#pragma once

#include "core/hash.hpp"
#include "core/uuid.hpp"

#include <array>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace assay::projections {

/// Bytes of a row's key: a letter for the table, then ids and big-endian numbers, so that rows sort
/// as their numbers do. Held in place: views build several for every event.
class key {
public:
    static constexpr std::size_t bytes_max = 96;

    explicit key(char table) { bytes_[size_++] = table; }

    key& id(uuid const& v) { return raw(v.raw()); }

    key& hash(digest const& v) { return raw(v.raw()); }

    key& u8(std::uint8_t v) { return big_endian(v, 1); }

    key& u16(std::uint16_t v) { return big_endian(v, 2); }

    key& u32(std::uint32_t v) { return big_endian(v, 4); }

    key& u64(std::uint64_t v) { return big_endian(v, 8); }

    operator std::string_view() const { return {bytes_.data(), size_}; }

private:
    key& raw(std::string_view v)
    {
        assert(size_ + v.size() <= bytes_max);
        std::memcpy(bytes_.data() + size_, v.data(), v.size());
        size_ += v.size();
        return *this;
    }

    key& big_endian(std::uint64_t v, unsigned width)
    {
        assert(size_ + width <= bytes_max);
        for (unsigned i = 0; i < width; ++i)
            bytes_[size_++] = static_cast<char>(v >> (8 * (width - 1 - i)));
        return *this;
    }

    std::array<char, bytes_max> bytes_;
    std::size_t size_ = 0;
};

/// Takes a key apart again, in the order it was built. Reading beyond its end gives zeros and makes
/// `ok` false.
class key_reader {
public:
    explicit key_reader(std::string_view bytes) : rest_(bytes) {}

    [[nodiscard]] char table() { return static_cast<char>(number(1)); }

    [[nodiscard]] uuid id()
    {
        auto const raw = take(16);
        return raw.size() == 16 ? uuid::from_raw(raw) : uuid{};
    }

    [[nodiscard]] digest hash()
    {
        auto const raw = take(32);
        return raw.size() == 32 ? digest::from_raw(raw) : digest{};
    }

    [[nodiscard]] std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }

    [[nodiscard]] std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }

    [[nodiscard]] std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }

    [[nodiscard]] std::uint64_t u64() { return number(8); }

    [[nodiscard]] std::string_view rest() const { return rest_; }

    [[nodiscard]] bool ok() const { return ok_; }

private:
    std::string_view take(std::size_t n)
    {
        ok_ = ok_ && rest_.size() >= n;
        if (!ok_)
            return {};
        auto const out = rest_.substr(0, n);
        rest_.remove_prefix(n);
        return out;
    }

    std::uint64_t number(std::size_t width)
    {
        std::uint64_t v = 0;
        for (auto const c : take(width))
            v = v << 8 | static_cast<std::uint8_t>(c);
        return v;
    }

    std::string_view rest_;
    bool ok_ = true;
};

} // namespace assay::projections
