#include "core/grading/pattern.hpp"
#include "core/grading/schema.hpp"
#include "core/grading/schema_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

namespace assay::grading {

namespace {

constexpr std::int64_t steps_max = 50'000'000;

bool is_integer(json::value const& v)
{
    return v.is_int64() || v.is_uint64() ||
           (v.is_double() && std::trunc(v.get_double()) == v.get_double());
}

std::uint8_t type_of(json::value const& v)
{
    switch (v.kind()) {
    case boost::json::kind::null: return json_type::null;
    case boost::json::kind::bool_: return json_type::boolean;
    case boost::json::kind::int64:
    case boost::json::kind::uint64:
    case boost::json::kind::double_: return is_integer(v) ? json_type::integer : json_type::number;
    case boost::json::kind::string: return json_type::string;
    case boost::json::kind::array: return json_type::array;
    case boost::json::kind::object: return json_type::object;
    }
    return 0;
}

std::uint64_t code_points(std::string_view text)
{
    return static_cast<std::uint64_t>(std::count_if(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    }));
}

/// One walk over a value. Stops at the first failure and remembers where it was.
class walk {
public:
    explicit walk(std::span<schema_node const> nodes) : nodes_(nodes) {}

    schema::finding run(json::value const& value)
    {
        bool const valid = check(0, value);
        if (steps_ < 0)
            return {schema::verdict::too_expensive, "the schema asks for too much work"};
        if (valid)
            return {schema::verdict::valid, {}};
        return {schema::verdict::invalid, std::move(why_)};
    }

private:
    using step = std::variant<std::string_view, std::size_t>;

    bool check(node_index index, json::value const& v)
    {
        auto const& n = nodes_[index];
        if (!spend(1))
            return false;
        if (n.always)
            return *n.always || failed("false");
        if (n.types != 0 && (n.types & type_of(v)) == 0)
            return failed("type");
        return check_same(n, v) && check_equal(n, v) && check_kind(n, v);
    }

    bool check_kind(schema_node const& n, json::value const& v)
    {
        if (v.is_number())
            return check_number(n, v);
        if (v.is_string())
            return check_string(n, v.get_string());
        if (v.is_array())
            return check_array(n, v.get_array());
        return !v.is_object() || check_object(n, v.get_object());
    }

    /// The keywords that apply other schemas to the same value.
    bool check_same(schema_node const& n, json::value const& v)
    {
        if (n.reference && !check(*n.reference, v))
            return false;
        for (auto const next : n.all_of) {
            if (!check(next, v))
                return false;
        }
        for (auto const& [name, next] : n.dependent_schemas) {
            if (v.is_object() && v.get_object().contains(name) && !check(next, v))
                return false;
        }
        auto const matches = [&](node_index next) { return tentatively(next, v); };
        if (!n.any_of.empty() && std::none_of(n.any_of.begin(), n.any_of.end(), matches))
            return failed("anyOf");
        if (!n.one_of.empty() && std::count_if(n.one_of.begin(), n.one_of.end(), matches) != 1)
            return failed("oneOf");
        if (n.negated && tentatively(*n.negated, v))
            return failed("not");
        if (!n.condition)
            return true;
        auto const& next = tentatively(*n.condition, v) ? n.consequence : n.alternative;
        return !next || check(*next, v);
    }

    bool check_equal(schema_node const& n, json::value const& v)
    {
        if (!n.constant && !n.enumeration)
            return true;
        auto const text = json::canonical(v);
        if (!spend(text.size() / 16))
            return false;
        if (n.constant && *n.constant != text)
            return failed("const");
        if (n.enumeration &&
            !std::binary_search(n.enumeration->begin(), n.enumeration->end(), text))
            return failed("enum");
        return true;
    }

    bool check_number(schema_node const& n, json::value const& v)
    {
        // long double holds every 64-bit integer and every double.
        auto const x = v.is_int64()    ? static_cast<long double>(v.get_int64())
                       : v.is_uint64() ? static_cast<long double>(v.get_uint64())
                                       : static_cast<long double>(v.get_double());
        if (n.minimum && x < *n.minimum)
            return failed("minimum");
        if (n.maximum && x > *n.maximum)
            return failed("maximum");
        if (n.exclusive_minimum && x <= *n.exclusive_minimum)
            return failed("exclusiveMinimum");
        if (n.exclusive_maximum && x >= *n.exclusive_maximum)
            return failed("exclusiveMaximum");
        if (!n.multiple_of)
            return true;
        auto const written = parse_decimal(json::canonical(v));
        return spend(100) &&
               ((written && is_multiple(*written, *n.multiple_of)) || failed("multipleOf"));
    }

    bool check_string(schema_node const& n, std::string_view text)
    {
        if (n.min_length || n.max_length) {
            auto const length = code_points(text);
            if (!spend(text.size() / 16))
                return false;
            if (n.min_length && length < *n.min_length)
                return failed("minLength");
            if (n.max_length && length > *n.max_length)
                return failed("maxLength");
        }
        return n.pattern == nullptr || found(*n.pattern, text) || failed("pattern");
    }

    bool check_array(schema_node const& n, json::array const& list)
    {
        if (n.min_items && list.size() < *n.min_items)
            return failed("minItems");
        if (n.max_items && list.size() > *n.max_items)
            return failed("maxItems");
        for (std::size_t i = 0; i < list.size(); ++i) {
            auto const next = item_schema(n, i);
            if (next && !check_below(*next, i, list[i]))
                return false;
        }
        auto const matches = [&](json::value const& item) {
            return tentatively(*n.contains, item);
        };
        if (n.contains && std::none_of(list.begin(), list.end(), matches))
            return failed("contains");
        return !n.unique_items || check_unique(list);
    }

    static std::optional<node_index> item_schema(schema_node const& n, std::size_t i)
    {
        if (!n.items_listed)
            return n.items;
        return i < n.items_listed->size() ? (*n.items_listed)[i] : n.additional_items;
    }

    bool check_unique(json::array const& list)
    {
        std::vector<std::string> texts;
        texts.reserve(list.size());
        for (auto const& item : list) {
            texts.push_back(json::canonical(item));
            if (!spend(4 + texts.back().size() / 16))
                return false;
        }
        std::sort(texts.begin(), texts.end());
        return std::adjacent_find(texts.begin(), texts.end()) == texts.end() ||
               failed("uniqueItems");
    }

    bool check_object(schema_node const& n, json::object const& object)
    {
        if (n.min_properties && object.size() < *n.min_properties)
            return failed("minProperties");
        if (n.max_properties && object.size() > *n.max_properties)
            return failed("maxProperties");
        if (!has_all(object, n.required))
            return failed("required");
        for (auto const& [name, names] : n.dependent_names) {
            if (object.contains(name) && !has_all(object, names))
                return failed("dependencies");
        }
        for (auto const& member : object) {
            if (!check_member(n, member.key(), member.value()))
                return false;
        }
        return true;
    }

    bool has_all(json::object const& object, std::vector<std::string> const& names)
    {
        return spend(names.size()) &&
               std::all_of(names.begin(), names.end(),
                           [&](auto const& name) { return object.contains(name); });
    }

    bool check_member(schema_node const& n, std::string_view name, json::value const& v)
    {
        if (n.property_names && !tentatively(*n.property_names, json::value(name)))
            return failed("propertyNames");
        bool seen = false;
        if (auto const own = n.properties.find(std::string(name)); own != n.properties.end()) {
            seen = true;
            if (!check_below(own->second, name, v))
                return false;
        }
        for (auto const& [pattern, next] : n.pattern_properties) {
            if (!found(*pattern, name))
                continue;
            seen = true;
            if (!check_below(next, name, v))
                return false;
        }
        return seen || !n.additional_properties || check_below(*n.additional_properties, name, v);
    }

    bool check_below(node_index next, step at, json::value const& v)
    {
        path_.push_back(at);
        bool const valid = check(next, v);
        path_.pop_back();
        return valid;
    }

    /// Checks without remembering a failure, which is one alternative's and not the value's.
    bool tentatively(node_index next, json::value const& v)
    {
        ++tentative_;
        bool const valid = check(next, v);
        --tentative_;
        return valid;
    }

    bool found(re2::RE2 const& pattern, std::string_view text)
    {
        auto const cost = static_cast<std::uint64_t>(pattern.ProgramSize()) * text.size() / 32;
        return spend(cost) &&
               re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern);
    }

    bool spend(std::uint64_t steps)
    {
        steps_ -= static_cast<std::int64_t>(std::min<std::uint64_t>(steps, steps_max)) + 1;
        return steps_ >= 0;
    }

    bool failed(std::string_view keyword)
    {
        if (tentative_ > 0 || steps_ < 0 || !why_.empty())
            return false;
        std::string at;
        for (auto const& s : path_) {
            if (auto const* name = std::get_if<std::string_view>(&s))
                at += fmt::format("/{}", name->substr(0, 60));
            else
                at += fmt::format("/{}", std::get<std::size_t>(s));
        }
        why_ = fmt::format("#{} fails {}", at, keyword);
        return false;
    }

    std::span<schema_node const> const nodes_;
    std::vector<step> path_;
    std::string why_;
    int tentative_ = 0;
    std::int64_t steps_ = steps_max;
};

} // namespace

schema::finding schema::check(json::value const& value) const
{
    return walk(*nodes_).run(value);
}

} // namespace assay::grading
