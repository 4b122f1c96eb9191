#pragma once

#include "core/codec.hpp"

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

/// Described structs as bytes: what rows of views and folded states look like.
///
/// Members stand in the order of their description, without names or versions: such rows are rebuilt when their shape
/// changes (a view's schema number), so they need no evolution. Integers are LEB128 varints (signed ones zigzag),
/// doubles eight bytes little-endian, texts and vectors prefixed by their length, optionals by a byte.
/// Equal values give equal bytes: replay equals live depends on it.
namespace assay::pack {

template <class T>
void write(T const& v, std::string& out);

namespace detail {

inline void write_varint(std::uint64_t v, std::string& out)
{
    char bytes[10];
    std::size_t n = 0;
    for (; v >= 0x80; v >>= 7)
        bytes[n++] = static_cast<char>(v | 0x80);
    bytes[n++] = static_cast<char>(v);
    out.append(bytes, n);
}

/// Reads what `write_varint` writes and no other form of it: a record must not be changeable unnoticed.
inline bool read_varint(std::string_view& in, std::uint64_t& v)
{
    v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (in.empty())
            return false;
        auto const byte = static_cast<std::uint8_t>(in.front());
        in.remove_prefix(1);
        v |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
        bool const overlong = byte == 0 && shift > 0;
        bool const overflow = shift == 63 && byte > 1;
        if (overlong || overflow)
            return false;
        if (byte < 0x80)
            return true;
    }
    return false;
}

inline bool take(std::string_view& in, std::size_t n, std::string_view& out)
{
    if (in.size() < n)
        return false;
    out = in.substr(0, n);
    in.remove_prefix(n);
    return true;
}

template <class T>
bool read_into(std::string_view& in, T& v)
{
    if constexpr (std::same_as<T, bool>) {
        std::uint64_t n = 0;
        if (!read_varint(in, n) || n > 1)
            return false;
        v = n == 1;
        return true;
    } else if constexpr (std::is_enum_v<T>) {
        std::uint64_t n = 0;
        if (!read_varint(in, n) || !std::in_range<std::underlying_type_t<T>>(n))
            return false;
        v = static_cast<T>(n);
        if constexpr (codec::described_enum<T>)
            return !codec::enum_name(v).empty();
        return true;
    } else if constexpr (std::unsigned_integral<T>) {
        std::uint64_t n = 0;
        if (!read_varint(in, n) || !std::in_range<T>(n))
            return false;
        v = static_cast<T>(n);
        return true;
    } else if constexpr (std::signed_integral<T>) {
        std::uint64_t n = 0;
        if (!read_varint(in, n))
            return false;
        auto const s = static_cast<std::int64_t>(n >> 1) ^ -static_cast<std::int64_t>(n & 1);
        if (!std::in_range<T>(s))
            return false;
        v = static_cast<T>(s);
        return true;
    } else if constexpr (std::same_as<T, double>) {
        std::string_view raw;
        if (!take(in, sizeof v, raw))
            return false;
        std::memcpy(&v, raw.data(), sizeof v);
        return true;
    } else if constexpr (std::same_as<T, std::string>) {
        std::uint64_t n = 0;
        std::string_view raw;
        if (!read_varint(in, n) || !take(in, n, raw))
            return false;
        v.assign(raw);
        return true;
    } else if constexpr (std::same_as<T, uuid> || std::same_as<T, digest>) {
        std::string_view raw;
        if (!take(in, sizeof v.bytes, raw))
            return false;
        v = T::from_raw(raw);
        return true;
    } else if constexpr (std::same_as<T, instant>) {
        return read_into(in, v.us);
    } else if constexpr (codec::is_optional<T>) {
        bool present = false;
        if (!read_into(in, present))
            return false;
        if (!present) {
            v.reset();
            return true;
        }
        return read_into(in, v.emplace());
    } else if constexpr (codec::is_vector<T>) {
        std::uint64_t n = 0;
        if (!read_varint(in, n) || n > in.size())
            return false;
        v.clear();
        v.reserve(n);
        for (std::uint64_t i = 0; i < n; ++i) {
            if (!read_into(in, v.emplace_back()))
                return false;
        }
        return true;
    } else {
        bool ok = true;
        boost::mp11::mp_for_each<codec::members_of<T>>(
            [&](auto d) { ok = ok && read_into(in, v.*d.pointer); });
        return ok;
    }
}

} // namespace detail

template <class T>
void write(T const& v, std::string& out)
{
    if constexpr (std::same_as<T, bool> || std::is_enum_v<T>) {
        detail::write_varint(static_cast<std::uint64_t>(v), out);
    } else if constexpr (std::unsigned_integral<T>) {
        detail::write_varint(v, out);
    } else if constexpr (std::signed_integral<T>) {
        auto const s = static_cast<std::int64_t>(v);
        detail::write_varint(
            static_cast<std::uint64_t>(s) << 1 ^ static_cast<std::uint64_t>(s >> 63), out);
    } else if constexpr (std::same_as<T, double>) {
        out.append(reinterpret_cast<char const*>(&v), sizeof v);
    } else if constexpr (std::same_as<T, std::string>) {
        detail::write_varint(v.size(), out);
        out.append(v);
    } else if constexpr (std::same_as<T, uuid> || std::same_as<T, digest>) {
        out.append(v.raw());
    } else if constexpr (std::same_as<T, instant>) {
        write(v.us, out);
    } else if constexpr (codec::is_optional<T>) {
        write(v.has_value(), out);
        if (v)
            write(*v, out);
    } else if constexpr (codec::is_vector<T>) {
        detail::write_varint(v.size(), out);
        for (auto const& item : v)
            write(item, out);
    } else {
        boost::mp11::mp_for_each<codec::members_of<T>>([&](auto d) { write(v.*d.pointer, out); });
    }
}

/// The bytes of `v`.
template <class T>
[[nodiscard]] std::string to_bytes(T const& v)
{
    std::string out;
    write(v, out);
    return out;
}

/// Reads what `to_bytes` wrote.
///
/// @returns errc::corrupt if the bytes do not fit T exactly.
template <class T>
[[nodiscard]] result<T> from_bytes(std::string_view bytes)
{
    T v{};
    if (!detail::read_into(bytes, v) || !bytes.empty())
        return fail(errc::corrupt, "a stored row does not have the shape of its schema");
    return v;
}

} // namespace assay::pack
