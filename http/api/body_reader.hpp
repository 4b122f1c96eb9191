#pragma once

#include "core/codec.hpp"
#include "core/json.hpp"
#include "core/result.hpp"
#include "core/time.hpp"
#include "core/uuid.hpp"
#include "http/server/router.hpp"

#include <boost/mp11.hpp>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

/// Requests as structs. Each names its fields once, in a table; the reader checks all of them and
/// names every bad one.
///
///     struct stop_body {
///         uuid test_id;
///         std::optional<std::int64_t> page_size;
///         static constexpr auto fields = std::tuple{
///             field{"test_id", &stop_body::test_id},
///             field{"page_size", &stop_body::page_size, {.min = 1}},
///         };
///     };
///
/// The member's type says what is allowed: an optional may be left out or null, anything else is
/// required; a vector is an array; a struct with `fields` is an object. Unknown fields of the
/// request are passed over.
namespace assay::api {

/// What a value must keep beside its type.
struct bounds {
    double min = -std::numeric_limits<double>::infinity(); ///< of numbers
    double max = std::numeric_limits<double>::infinity();  ///< of numbers
    std::size_t size_min = 0; ///< bytes of a string, elements of an array
    std::size_t size_max = std::numeric_limits<std::size_t>::max();
    std::span<std::string_view const> words{}; ///< the strings there are; empty: any
};

template <class Struct, class Member>
struct field {
    std::string_view name;
    Member Struct::* member;
    bounds limits{};

    constexpr field(std::string_view n, Member Struct::* m, bounds l = {})
        : name(n), member(m), limits(l)
    {
    }
};

/// One end of a range of time: a date-time, or a bare date, which is a UTC day whose end is
/// inclusive.
struct date_from {
    instant at;
};

struct date_to {
    instant at;
};

template <class T>
concept body_struct = requires { T::fields; };

/// Collects what is wrong with a request, with the place.
class body_problems {
public:
    static constexpr std::size_t noted_max = 100;

    explicit body_problems(std::vector<std::string> loc = {"body"}) : loc_(std::move(loc)) {}

    void enter(std::string_view step) { loc_.emplace_back(step); }

    void enter(std::size_t index) { loc_.push_back(std::to_string(index)); }

    void leave() { loc_.pop_back(); }

    /// Notes that the place it is at is wrong. Beyond `noted_max` nothing is kept: a body of a
    /// million bad elements must not become an answer a hundred times its size.
    void add(std::string_view type, std::string msg)
    {
        if (found_.size() < noted_max)
            found_.push_back({loc_, std::move(msg), std::string(type)});
    }

    [[nodiscard]] bool empty() const { return found_.empty(); }

    /// errc::invalid with every field, if there is one.
    [[nodiscard]] result<void> verdict() &&;

private:
    std::vector<std::string> loc_;
    std::vector<field_problem> found_;
};

namespace detail {

bool read_bool(json::value const& v, body_problems& bad, bool& out);
bool read_integer(json::value const& v, bounds const& limits, body_problems& bad,
                  std::int64_t& out);
bool read_number(json::value const& v, bounds const& limits, body_problems& bad, double& out);
bool read_string(json::value const& v, bounds const& limits, body_problems& bad, std::string& out);
bool read_id(json::value const& v, body_problems& bad, uuid& out);
bool read_date(json::value const& v, bool end, body_problems& bad, instant& out);
bool read_object(json::value const& v, body_problems& bad, json::object& out);
json::array const* read_array(json::value const& v, bounds const& limits, body_problems& bad);

} // namespace detail

template <body_struct T>
void read_fields(json::object const& from, body_problems& bad, T& out);

/// Reads one value of type T; what is wrong goes to `bad`.
template <class T>
void read_value(json::value const& v, bounds const& limits, body_problems& bad, T& out)
{
    if constexpr (std::same_as<T, bool>) {
        detail::read_bool(v, bad, out);
    } else if constexpr (std::integral<T>) {
        // The field's own width bounds it, too.
        auto tight = limits;
        tight.min = std::max(tight.min, static_cast<double>(std::numeric_limits<T>::min()));
        tight.max = std::min(tight.max, static_cast<double>(std::numeric_limits<T>::max()));
        std::int64_t wide = 0;
        if (detail::read_integer(v, tight, bad, wide))
            out = static_cast<T>(wide);
    } else if constexpr (std::same_as<T, double>) {
        detail::read_number(v, limits, bad, out);
    } else if constexpr (std::same_as<T, std::string>) {
        detail::read_string(v, limits, bad, out);
    } else if constexpr (std::same_as<T, uuid>) {
        detail::read_id(v, bad, out);
    } else if constexpr (std::same_as<T, date_from>) {
        detail::read_date(v, false, bad, out.at);
    } else if constexpr (std::same_as<T, date_to>) {
        detail::read_date(v, true, bad, out.at);
    } else if constexpr (std::same_as<T, json::object>) {
        detail::read_object(v, bad, out);
    } else if constexpr (std::same_as<T, json::value>) {
        out = v;
    } else if constexpr (codec::is_optional<T>) {
        if (v.is_null())
            return;
        read_value(v, limits, bad, out.emplace());
    } else if constexpr (codec::is_vector<T>) {
        auto const* const array = detail::read_array(v, limits, bad);
        if (!array)
            return;
        out.reserve(array->size());
        for (std::size_t i = 0; i < array->size(); ++i) {
            bad.enter(i);
            read_value((*array)[i], bounds{.words = limits.words}, bad, out.emplace_back());
            bad.leave();
        }
    } else {
        if (auto const* const object = v.if_object())
            read_fields(*object, bad, out);
        else
            bad.add("dict_type", "expected an object");
    }
}

template <body_struct T>
void read_fields(json::object const& from, body_problems& bad, T& out)
{
    std::apply(
        [&](auto const&... each) {
            auto const one = [&](auto const& f) {
                using member_type = std::remove_cvref_t<decltype(out.*f.member)>;
                auto const* const v = from.if_contains(f.name);
                if (!v && codec::is_optional<member_type>)
                    return;
                bad.enter(f.name);
                if (!v)
                    bad.add("missing", "this field is required");
                else
                    read_value(*v, f.limits, bad, out.*f.member);
                bad.leave();
            };
            (one(each), ...);
        },
        T::fields);
}

/// Reads a whole request.
///
/// @returns errc::invalid with the place, the reason and a stable word for every field that is
/// wrong.
template <body_struct T>
[[nodiscard]] result<T> read_body(json::object const& from)
{
    T out{};
    body_problems bad;
    read_fields(from, bad, out);
    ASSAY_CHECK(std::move(bad).verdict());
    return out;
}

/// What a field may be, in a word or two.
template <class T>
[[nodiscard]] std::string type_name()
{
    if constexpr (codec::is_optional<T>)
        return type_name<typename T::value_type>();
    else if constexpr (codec::is_vector<T>)
        return "array of " + type_name<typename T::value_type>();
    else if constexpr (std::same_as<T, bool>)
        return "boolean";
    else if constexpr (std::integral<T>)
        return "integer";
    else if constexpr (std::same_as<T, double>)
        return "number";
    else if constexpr (std::same_as<T, std::string>)
        return "string";
    else if constexpr (std::same_as<T, uuid>)
        return "uuid";
    else if constexpr (std::same_as<T, date_from> || std::same_as<T, date_to>)
        return "date";
    else if constexpr (std::same_as<T, json::value>)
        return "any";
    else
        return "object";
}

/// The fields of a request, as its reader knows them.
template <body_struct T>
[[nodiscard]] std::vector<http::route_param> params_of()
{
    std::vector<http::route_param> out;
    std::apply(
        [&](auto const&... f) {
            auto const one = [&]<class Struct, class Member>(field<Struct, Member> const& each) {
                out.push_back(
                    {std::string(each.name), type_name<Member>(), !codec::is_optional<Member>});
            };
            (one(f), ...);
        },
        T::fields);
    return out;
}

/// errc::invalid for one field.
[[nodiscard]] std::unexpected<error> bad_field(std::string_view name, std::string msg,
                                               std::string type = "value_error");

} // namespace assay::api
