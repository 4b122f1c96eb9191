#pragma once

#include "core/hash.hpp"
#include "core/json.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "core/uuid.hpp"

#include <boost/describe.hpp>
#include <boost/mp11.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

/// Described structs as canonical JSON: what events look like in the log.
///
/// A struct is described once with BOOST_DESCRIBE_STRUCT. Members become members of the same name,
/// in RFC 8785 order; an
/// empty optional is left out; enums are their names; ids, digests and moments are their texts; integers beyond 2^53
/// are strings (architecture.md, Envelope). Writing cannot fail; reading checks every type and names the path.
namespace assay::codec {

template <class T>
concept described_struct = boost::describe::has_describe_members<T>::value && !std::is_enum_v<T>;

template <class T>
concept described_enum = boost::describe::has_describe_enumerators<T>::value;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_vector = false;
template <class T, class A>
inline constexpr bool is_vector<std::vector<T, A>> = true;

template <class T>
using members_of = boost::describe::describe_members<T, boost::describe::mod_any_access>;

constexpr std::int64_t exact_integer_max = std::int64_t{1} << 53;

template <described_enum E>
[[nodiscard]] std::string_view enum_name(E e)
{
    std::string_view name;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto d) {
        if (d.value == e)
            name = d.name;
    });
    return name;
}

template <described_enum E>
[[nodiscard]] std::optional<E> parse_enum(std::string_view name)
{
    std::optional<E> out;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&](auto d) {
        if (name == d.name)
            out = d.value;
    });
    return out;
}

template <class T>
void write(T const& v, std::string& out);

namespace detail {

/// Positions of T's members in the order of their names, worked out at compile time.
template <class T>
consteval auto sorted_members()
{
    constexpr std::size_t n = boost::mp11::mp_size<members_of<T>>::value;
    std::array<std::string_view, n> names{};
    std::size_t i = 0;
    boost::mp11::mp_for_each<members_of<T>>([&](auto d) { names[i++] = d.name; });
    std::array<std::size_t, n> order{};
    for (std::size_t k = 0; k < n; ++k)
        order[k] = k;
    std::sort(order.begin(), order.end(),
              [&](std::size_t a, std::size_t b) { return names[a] < names[b]; });
    return order;
}

template <std::integral T>
void write_integer(T v, std::string& out)
{
    char digits[24];
    auto const end = std::to_chars(digits, digits + sizeof digits, v).ptr;
    bool const exact =
        std::cmp_less_equal(v, exact_integer_max) && std::cmp_greater_equal(v, -exact_integer_max);
    if (!exact)
        out.push_back('"');
    out.append(digits, end);
    if (!exact)
        out.push_back('"');
}

template <described_struct T>
void write_struct(T const& v, std::string& out)
{
    static constexpr auto order = sorted_members<T>();
    out.push_back('{');
    [[maybe_unused]] bool first = true;
    boost::mp11::mp_for_each<boost::mp11::mp_iota_c<order.size()>>([&](auto i) {
        using descriptor = boost::mp11::mp_at_c<members_of<T>, order[i]>;
        auto const& member = v.*descriptor::pointer;
        if constexpr (is_optional<std::remove_cvref_t<decltype(member)>>) {
            if (!member)
                return;
        }
        if (!first)
            out.push_back(',');
        first = false;
        out.push_back('"');
        out.append(descriptor::name);
        out.append("\":");
        write(member, out);
    });
    out.push_back('}');
}

/// What did not fit, and where: the path grows on the way out, so that success costs nothing.
struct mismatch {
    std::string path{};     ///< ".member" and "[index]" steps
    std::string expected{}; ///< "a string"

    bool expect(std::string_view what)
    {
        expected = what;
        return false;
    }
};

template <std::integral T>
bool read_integer(json::value const& v, T& out, mismatch& bad)
{
    if (auto const* i = v.if_int64()) {
        out = static_cast<T>(*i);
        if (std::in_range<T>(*i))
            return true;
    } else if (auto const* u = v.if_uint64()) {
        out = static_cast<T>(*u);
        if (std::in_range<T>(*u))
            return true;
    } else if (auto const* s = v.if_string()) {
        auto const end = s->data() + s->size();
        auto const [at, ec] = std::from_chars(s->data(), end, out);
        if (ec == std::errc{} && at == end && s->size() > 0)
            return true;
    }
    return bad.expect("an integer in range");
}

template <class T>
bool read_into(json::value const& v, T& out, mismatch& bad);

template <class T>
bool read_array(json::value const& v, std::vector<T>& out, mismatch& bad)
{
    auto const* a = v.if_array();
    if (!a)
        return bad.expect("an array");
    out.clear();
    out.reserve(a->size());
    for (std::size_t i = 0; i < a->size(); ++i) {
        if (!read_into((*a)[i], out.emplace_back(), bad)) {
            bad.path.insert(0, "[" + std::to_string(i) + "]");
            return false;
        }
    }
    return true;
}

template <described_struct T>
bool read_struct(json::value const& v, T& out, mismatch& bad)
{
    auto const* o = v.if_object();
    if (!o)
        return bad.expect("an object");
    bool ok = true;
    boost::mp11::mp_for_each<members_of<T>>([&](auto d) {
        if (!ok)
            return;
        auto& member = out.*d.pointer;
        if (auto const* given = o->if_contains(d.name))
            ok = read_into(*given, member, bad);
        else if constexpr (!is_optional<std::remove_cvref_t<decltype(member)>>)
            ok = bad.expect("a value, found none");
        if (!ok)
            bad.path.insert(0, std::string(".") + d.name);
    });
    return ok;
}

template <class T>
bool read_into(json::value const& v, T& out, mismatch& bad)
{
    auto const text = [&]() -> std::optional<std::string_view> {
        auto const* s = v.if_string();
        return s ? std::optional(std::string_view(s->data(), s->size())) : std::nullopt;
    };
    auto const set = [&](auto const& parsed, std::string_view expected) {
        if (!parsed)
            return bad.expect(expected);
        out = *parsed;
        return true;
    };
    if constexpr (std::same_as<T, bool>) {
        auto const* b = v.if_bool();
        return set(b, "true or false");
    } else if constexpr (described_enum<T>) {
        return set(text() ? parse_enum<T>(*text()) : std::nullopt, "one of the documented words");
    } else if constexpr (std::integral<T>) {
        return read_integer(v, out, bad);
    } else if constexpr (std::same_as<T, std::string>) {
        return set(text(), "a string");
    } else if constexpr (std::same_as<T, uuid>) {
        return set(text() ? T::parse(*text()) : std::nullopt, "a UUID");
    } else if constexpr (std::same_as<T, digest>) {
        return set(text() ? T::parse(*text()) : std::nullopt, "64 hexadecimal digits");
    } else if constexpr (std::same_as<T, instant>) {
        return set(text() ? T::parse(*text()) : std::nullopt, "an RFC 3339 date-time");
    } else if constexpr (std::same_as<T, json::value>) {
        out = json::value(v, boost::json::storage_ptr{}); // `v` may live in an arena
        return true;
    } else if constexpr (std::same_as<T, json::object>) {
        auto const* o = v.if_object();
        if (!o)
            return bad.expect("an object");
        out = json::object(*o, boost::json::storage_ptr{});
        return true;
    } else if constexpr (is_optional<T>) {
        if (!v.is_null())
            return read_into(v, out.emplace(), bad);
        out.reset();
        return true;
    } else if constexpr (is_vector<T>) {
        return read_array(v, out, bad);
    } else {
        return read_struct(v, out, bad);
    }
}

} // namespace detail

template <class T>
void write(T const& v, std::string& out)
{
    if constexpr (std::same_as<T, bool>) {
        out.append(v ? "true" : "false");
    } else if constexpr (described_enum<T>) {
        json::append_string(enum_name(v), out);
    } else if constexpr (std::integral<T>) {
        detail::write_integer(v, out);
    } else if constexpr (std::same_as<T, std::string>) {
        json::append_string(v, out);
    } else if constexpr (std::same_as<T, uuid>) {
        out.push_back('"');
        v.append_text(out);
        out.push_back('"');
    } else if constexpr (std::same_as<T, digest>) {
        out.push_back('"');
        append_hex(v.raw(), out);
        out.push_back('"');
    } else if constexpr (std::same_as<T, instant>) {
        out.append("\"").append(v.text()).append("\"");
    } else if constexpr (std::same_as<T, json::value>) {
        json::append_canonical(v, out);
    } else if constexpr (std::same_as<T, json::object>) {
        json::append_canonical(json::value(v), out);
    } else if constexpr (is_optional<T>) {
        if (v)
            write(*v, out);
        else
            out.append("null");
    } else if constexpr (is_vector<T>) {
        out.push_back('[');
        for (std::size_t i = 0; i < v.size(); ++i) {
            if (i > 0)
                out.push_back(',');
            write(v[i], out);
        }
        out.push_back(']');
    } else {
        detail::write_struct(v, out);
    }
}

/// Canonical JSON of `v`.
template <class T>
[[nodiscard]] std::string to_json(T const& v)
{
    std::string out;
    out.reserve(512); // an envelope doubles it once, an event hardly ever
    write(v, out);
    return out;
}

/// Reads `v` into a T.
///
/// @returns errc::invalid with the path and what was expected there; unknown members are passed
/// over.
template <class T>
[[nodiscard]] result<T> read(json::value const& v)
{
    T out{};
    detail::mismatch bad;
    if (detail::read_into(v, out, bad))
        return out;
    auto const path = std::string_view(bad.path).substr(bad.path.starts_with('.') ? 1 : 0);
    return fail(errc::invalid, std::string(path) + ": expected " + bad.expected);
}

/// Parses and reads in one step what we wrote ourselves.
template <class T>
[[nodiscard]] result<T> from_json(std::string_view text)
{
    ASSAY_TRY(auto parsed, json::parse_stored(text));
    return read<T>(parsed);
}

} // namespace assay::codec
