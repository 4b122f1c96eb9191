#include "http/api/body_reader.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace assay::api {

result<void> body_problems::verdict() &&
{
    if (found_.empty())
        return {};
    auto const& first = found_.front();
    error e{errc::invalid, fmt::format("{}: {}", fmt::join(first.loc, "."), first.msg),
            "validation_error"};
    e.fields = std::move(found_);
    return std::unexpected(std::move(e));
}

std::unexpected<error> bad_field(std::string_view name, std::string msg, std::string type)
{
    error e{errc::invalid, fmt::format("{}: {}", name, msg), type};
    e.fields.push_back({{"body", std::string(name)}, std::move(msg), std::move(type)});
    return std::unexpected(std::move(e));
}

namespace detail {

namespace {

std::string_view view(json::value const& string)
{
    auto const& s = string.get_string();
    return {s.data(), s.size()};
}

template <class N>
bool in_bounds(N n, bounds const& limits, body_problems& bad)
{
    if (static_cast<double>(n) < limits.min) {
        bad.add("greater_than_equal", fmt::format("must be at least {}", limits.min));
        return false;
    }
    if (static_cast<double>(n) > limits.max) {
        bad.add("less_than_equal", fmt::format("must be at most {}", limits.max));
        return false;
    }
    return true;
}

} // namespace

bool read_bool(json::value const& v, body_problems& bad, bool& out)
{
    if (!v.is_bool()) {
        bad.add("bool_type", "expected true or false");
        return false;
    }
    out = v.get_bool();
    return true;
}

bool read_integer(json::value const& v, bounds const& limits, body_problems& bad, std::int64_t& out)
{
    constexpr double beyond = 9.2e18;
    if (v.is_int64()) {
        out = v.get_int64();
    } else if (auto const* const d = v.if_double();
               d && std::trunc(*d) == *d && std::abs(*d) < beyond) {
        out = static_cast<std::int64_t>(*d); // JSON Schema: 5.0 is an integer
    } else if (v.is_uint64() || v.is_double()) {
        bad.add("int_parsing", "expected an integer in range");
        return false;
    } else {
        bad.add("int_type", "expected an integer");
        return false;
    }
    return in_bounds(out, limits, bad);
}

bool read_number(json::value const& v, bounds const& limits, body_problems& bad, double& out)
{
    if (!v.is_number()) {
        bad.add("float_type", "expected a number");
        return false;
    }
    out = v.to_number<double>();
    return in_bounds(out, limits, bad);
}

bool read_string(json::value const& v, bounds const& limits, body_problems& bad, std::string& out)
{
    if (!v.is_string()) {
        bad.add("string_type", "expected a string");
        return false;
    }
    auto const text = view(v);
    if (text.size() < limits.size_min) {
        bad.add("string_too_short", fmt::format("must have at least {} bytes", limits.size_min));
        return false;
    }
    if (text.size() > limits.size_max) {
        bad.add("string_too_long", fmt::format("must have at most {} bytes", limits.size_max));
        return false;
    }
    if (!limits.words.empty() && std::ranges::find(limits.words, text) == limits.words.end()) {
        bad.add("enum", fmt::format("must be one of {}", fmt::join(limits.words, ", ")));
        return false;
    }
    out = text;
    return true;
}

bool read_id(json::value const& v, body_problems& bad, uuid& out)
{
    if (!v.is_string()) {
        bad.add("uuid_type", "expected a UUID");
        return false;
    }
    auto const id = uuid::parse(view(v));
    if (!id) {
        bad.add("uuid_parsing", "expected a UUID");
        return false;
    }
    out = *id;
    return true;
}

bool read_date(json::value const& v, bool end, body_problems& bad, instant& out)
{
    auto const at = v.is_string() ? parse_date_bound(view(v), end) : std::nullopt;
    if (!at) {
        bad.add("datetime_parsing", "expected a date or a date-time of RFC 3339");
        return false;
    }
    out = *at;
    return true;
}

bool read_object(json::value const& v, body_problems& bad, json::object& out)
{
    if (!v.is_object()) {
        bad.add("dict_type", "expected an object");
        return false;
    }
    out = v.get_object();
    return true;
}

json::array const* read_array(json::value const& v, bounds const& limits, body_problems& bad)
{
    auto const* const array = v.if_array();
    if (!array) {
        bad.add("list_type", "expected an array");
        return nullptr;
    }
    if (array->size() < limits.size_min) {
        bad.add("too_short", fmt::format("must have at least {} elements", limits.size_min));
        return nullptr;
    }
    if (array->size() > limits.size_max) {
        bad.add("too_long", fmt::format("must have at most {} elements", limits.size_max));
        return nullptr;
    }
    return array;
}

} // namespace detail

} // namespace assay::api
