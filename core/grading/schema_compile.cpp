#include "core/grading/pattern.hpp"
#include "core/grading/schema.hpp"
#include "core/grading/schema_node.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <span>
#include <string_view>
#include <utility>

namespace assay::grading {

namespace {

constexpr std::size_t schemas_max = 2'000;
constexpr std::size_t depth_max = 64;

/// `name` as a step of a JSON pointer (RFC 6901 §3).
std::string escaped(std::string_view name)
{
    std::string out;
    for (char const c : name) {
        if (c == '~' || c == '/')
            out += c == '~' ? "~0" : "~1";
        else
            out.push_back(c);
    }
    return out;
}

/// The JSON pointer in a reference such as "#/definitions/a%25b"; nothing if it leads out of the
/// schema.
std::optional<std::string> local_pointer(std::string_view reference)
{
    if (!reference.starts_with('#'))
        return std::nullopt;
    std::string pointer;
    for (std::size_t i = 1; i < reference.size(); ++i) {
        unsigned code = 0;
        auto const hex = reference.substr(i + 1, 2);
        if (reference[i] != '%') {
            pointer.push_back(reference[i]);
        } else if (hex.size() == 2 &&
                   std::from_chars(hex.data(), hex.data() + 2, code, 16).ptr == hex.data() + 2) {
            pointer.push_back(static_cast<char>(code));
            i += 2;
        } else {
            return std::nullopt;
        }
    }
    return pointer.empty() || pointer.front() == '/' ? std::optional(pointer) : std::nullopt;
}

std::unexpected<error> refuse(std::string_view at, std::string_view msg)
{
    return fail(errc::invalid, fmt::format("the schema at #{} {}", at, msg));
}

class compiler {
public:
    result<std::vector<schema_node>> run(json::value const& from)
    {
        ASSAY_CHECK(compile(from, "", 0));
        for (auto const& [node, pointer] : references_) {
            auto const target = by_pointer_.find(pointer);
            if (target == by_pointer_.end())
                return fail(errc::invalid,
                            fmt::format("the schema refers to #{}, where there is none", pointer));
            nodes_[node].reference = target->second;
        }
        ASSAY_CHECK(check_chains(nodes_));
        return std::move(nodes_);
    }

private:
    /// Where a keyword stands: its schema, its pointer, how deep.
    struct place {
        node_index node;
        std::string at;
        std::size_t depth;
    };

    using reader = result<void> (compiler::*)(json::value const&, place const&);
    using optional_index = std::optional<node_index> schema_node::*;
    using optional_count = std::optional<std::uint64_t> schema_node::*;
    using optional_number = std::optional<double> schema_node::*;
    using indexes = std::vector<node_index> schema_node::*;

    struct keyword {
        std::string_view name;
        reader read;
        bool asserts = true;
    };

    static std::span<keyword const> keywords()
    {
        using n = schema_node;
        using c = compiler;
        static constexpr std::array table = std::to_array<keyword>({
            {"$comment", &c::annotation, false},
            {"$defs", &c::definitions, false},
            {"$id", &c::id, false},
            {"$schema", &c::annotation, false},
            {"additionalItems", &c::one<&n::additional_items>},
            {"additionalProperties", &c::one<&n::additional_properties>},
            {"allOf", &c::several<&n::all_of>},
            {"anyOf", &c::several<&n::any_of>},
            {"const", &c::constant},
            {"contains", &c::one<&n::contains>},
            {"contentEncoding", &c::annotation, false},
            {"contentMediaType", &c::annotation, false},
            {"default", &c::annotation, false},
            {"definitions", &c::definitions, false},
            {"dependencies", &c::dependencies},
            {"deprecated", &c::annotation, false},
            {"description", &c::annotation, false},
            {"else", &c::one<&n::alternative>},
            {"enum", &c::enumeration},
            {"examples", &c::annotation, false},
            {"exclusiveMaximum", &c::bound<&n::exclusive_maximum>},
            {"exclusiveMinimum", &c::bound<&n::exclusive_minimum>},
            {"format", &c::annotation, false},
            {"if", &c::one<&n::condition>},
            {"items", &c::items},
            {"maxItems", &c::count<&n::max_items>},
            {"maxLength", &c::count<&n::max_length>},
            {"maxProperties", &c::count<&n::max_properties>},
            {"maximum", &c::bound<&n::maximum>},
            {"minItems", &c::count<&n::min_items>},
            {"minLength", &c::count<&n::min_length>},
            {"minProperties", &c::count<&n::min_properties>},
            {"minimum", &c::bound<&n::minimum>},
            {"multipleOf", &c::multiple_of},
            {"not", &c::one<&n::negated>},
            {"oneOf", &c::several<&n::one_of>},
            {"pattern", &c::pattern},
            {"patternProperties", &c::pattern_properties},
            {"properties", &c::properties},
            {"propertyNames", &c::one<&n::property_names>},
            {"readOnly", &c::annotation, false},
            {"required", &c::required},
            {"then", &c::one<&n::consequence>},
            {"title", &c::annotation, false},
            {"type", &c::type},
            {"uniqueItems", &c::unique_items},
            {"writeOnly", &c::annotation, false},
        });
        return table;
    }

    result<node_index> compile(json::value const& from, std::string const& at, std::size_t depth)
    {
        node_index const index = nodes_.size();
        if (index >= schemas_max)
            return refuse(at, fmt::format("is one too many: {} are allowed", schemas_max));
        if (depth > depth_max)
            return refuse(at, fmt::format("lies deeper than {}", depth_max));
        nodes_.emplace_back();
        by_pointer_.emplace(at, index);
        if (from.is_bool()) {
            nodes_[index].always = from.get_bool();
            return index;
        }
        if (!from.is_object())
            return refuse(at, "must be an object, true or false");

        auto const* reference = from.get_object().if_contains("$ref");
        if (reference != nullptr)
            ASSAY_CHECK(refer(*reference, index, at));
        for (auto const& member : from.get_object()) {
            if (member.key() == "$ref")
                continue;
            auto const known = std::find_if(keywords().begin(), keywords().end(),
                                            [&](auto const& k) { return k.name == member.key(); });
            if (known == keywords().end())
                return refuse(at, fmt::format("has {}, which is no keyword of draft 7",
                                              std::string_view(member.key())));
            // Draft 7 ignores what stands beside a reference, later drafts do not: we refuse to
            // guess.
            if (reference != nullptr && known->asserts)
                return refuse(at,
                              fmt::format("has {} beside $ref: put both into allOf", known->name));
            ASSAY_CHECK((this->*known->read)(
                member.value(), {index, fmt::format("{}/{}", at, known->name), depth}));
        }
        return index;
    }

    result<void> refer(json::value const& value, node_index index, std::string const& at)
    {
        auto const pointer =
            value.is_string() ? local_pointer(value.get_string()) : std::optional<std::string>();
        if (!pointer)
            return refuse(at, "may only refer into itself, as in #/definitions/name");
        references_.emplace_back(index, *pointer);
        return {};
    }

    result<void> annotation(json::value const&, place const&) { return {}; }

    result<void> id(json::value const&, place const& p)
    {
        if (p.depth > 0)
            return refuse(p.at, "is not supported below the top");
        return {};
    }

    template <optional_index Member>
    result<void> one(json::value const& value, place const& p)
    {
        ASSAY_TRY(auto const index, compile(value, p.at, p.depth + 1));
        nodes_[p.node].*Member = index;
        return {};
    }

    template <indexes Member>
    result<void> several(json::value const& value, place const& p)
    {
        ASSAY_TRY(auto compiled, list(value, p));
        if (compiled.empty())
            return refuse(p.at, "must not be empty");
        nodes_[p.node].*Member = std::move(compiled);
        return {};
    }

    template <optional_number Member>
    result<void> bound(json::value const& value, place const& p)
    {
        if (!value.is_number())
            return refuse(p.at, "must be a number");
        nodes_[p.node].*Member = value.to_number<double>();
        return {};
    }

    template <optional_count Member>
    result<void> count(json::value const& value, place const& p)
    {
        boost::json::error_code ec;
        auto const number = value.to_number<std::uint64_t>(ec);
        if (!value.is_number() || ec)
            return refuse(p.at, "must be a whole number of 0 or more");
        nodes_[p.node].*Member = number;
        return {};
    }

    result<std::vector<node_index>> list(json::value const& value, place const& p)
    {
        if (!value.is_array())
            return refuse(p.at, "must be a list of schemas");
        std::vector<node_index> compiled;
        for (auto const& item : value.get_array()) {
            ASSAY_TRY(auto const index,
                      compile(item, fmt::format("{}/{}", p.at, compiled.size()), p.depth + 1));
            compiled.push_back(index);
        }
        return compiled;
    }

    /// Compiles each member and hands it to `take(name, index)`, a result.
    template <class Take>
    result<void> each(json::value const& value, place const& p, Take take)
    {
        if (!value.is_object())
            return refuse(p.at, "must be an object");
        for (auto const& member : value.get_object()) {
            std::string const at = fmt::format("{}/{}", p.at, escaped(member.key()));
            ASSAY_TRY(auto const index, compile(member.value(), at, p.depth + 1));
            ASSAY_CHECK(take(std::string_view(member.key()), index));
        }
        return {};
    }

    result<void> definitions(json::value const& value, place const& p)
    {
        return each(value, p, [](std::string_view, node_index) { return result<void>(); });
    }

    result<void> properties(json::value const& value, place const& p)
    {
        return each(value, p, [&](std::string_view name, node_index index) -> result<void> {
            nodes_[p.node].properties.emplace(name, index);
            return {};
        });
    }

    result<void> pattern_properties(json::value const& value, place const& p)
    {
        return each(value, p, [&](std::string_view name, node_index index) -> result<void> {
            auto compiled = compile_pattern(name, false);
            if (!compiled)
                return refuse(p.at, compiled.error().detail);
            nodes_[p.node].pattern_properties.emplace_back(std::move(*compiled), index);
            return {};
        });
    }

    result<void> items(json::value const& value, place const& p)
    {
        if (!value.is_array())
            return one<&schema_node::items>(value, p);
        ASSAY_TRY(auto compiled, list(value, p));
        nodes_[p.node].items_listed = std::move(compiled);
        return {};
    }

    result<void> dependencies(json::value const& value, place const& p)
    {
        if (!value.is_object())
            return refuse(p.at, "must be an object");
        for (auto const& member : value.get_object()) {
            std::string const name(member.key());
            std::string const at = fmt::format("{}/{}", p.at, escaped(name));
            if (member.value().is_array()) {
                ASSAY_TRY(auto listed, names(member.value(), at));
                nodes_[p.node].dependent_names.emplace_back(name, std::move(listed));
            } else {
                ASSAY_TRY(auto const index, compile(member.value(), at, p.depth + 1));
                nodes_[p.node].dependent_schemas.emplace_back(name, index);
            }
        }
        return {};
    }

    static result<std::vector<std::string>> names(json::value const& value, std::string const& at)
    {
        std::vector<std::string> listed;
        if (!value.is_array())
            return refuse(at, "must be a list of names");
        for (auto const& item : value.get_array()) {
            if (!item.is_string())
                return refuse(at, "must be a list of names");
            listed.emplace_back(item.get_string());
        }
        return listed;
    }

    result<void> required(json::value const& value, place const& p)
    {
        ASSAY_TRY(nodes_[p.node].required, names(value, p.at));
        return {};
    }

    result<void> constant(json::value const& value, place const& p)
    {
        nodes_[p.node].constant = json::canonical(value);
        return {};
    }

    result<void> enumeration(json::value const& value, place const& p)
    {
        if (!value.is_array())
            return refuse(p.at, "must be a list");
        auto& allowed = nodes_[p.node].enumeration.emplace();
        for (auto const& item : value.get_array())
            allowed.push_back(json::canonical(item));
        std::sort(allowed.begin(), allowed.end());
        return {};
    }

    result<void> multiple_of(json::value const& value, place const& p)
    {
        auto const step = value.is_number() ? parse_decimal(json::canonical(value)) : std::nullopt;
        if (!step || step->negative || step->digits.empty())
            return refuse(p.at, "must be a number above 0");
        nodes_[p.node].multiple_of = step;
        return {};
    }

    result<void> pattern(json::value const& value, place const& p)
    {
        if (!value.is_string())
            return refuse(p.at, "must be a string");
        auto compiled = compile_pattern(value.get_string(), false);
        if (!compiled)
            return refuse(p.at, compiled.error().detail);
        nodes_[p.node].pattern = std::move(*compiled);
        return {};
    }

    result<void> unique_items(json::value const& value, place const& p)
    {
        if (!value.is_bool())
            return refuse(p.at, "must be true or false");
        nodes_[p.node].unique_items = value.get_bool();
        return {};
    }

    result<void> type(json::value const& value, place const& p)
    {
        using entry = std::pair<std::string_view, std::uint8_t>;
        static constexpr std::array words = std::to_array<entry>({
            {"null", json_type::null},
            {"boolean", json_type::boolean},
            {"integer", json_type::integer},
            {"number", json_type::number | json_type::integer},
            {"string", json_type::string},
            {"array", json_type::array},
            {"object", json_type::object},
        });
        json::value const list = value.is_array() ? value : json::value(json::array({value}));
        auto listed = names(list, p.at);
        if (!listed || listed->empty())
            listed = std::vector<std::string>{""}; // no type, refused below
        for (auto const& word : *listed) {
            auto const known = std::find_if(words.begin(), words.end(),
                                            [&](entry const& e) { return e.first == word; });
            if (known == words.end())
                return refuse(p.at, "must be null, boolean, integer, number, string, array, object "
                                    "or a list of these");
            nodes_[p.node].types |= known->second;
        }
        return {};
    }

    std::vector<schema_node> nodes_;
    std::map<std::string, node_index> by_pointer_;
    std::vector<std::pair<node_index, std::string>> references_;
};

} // namespace

result<schema> schema::compile(json::value const& from)
{
    ASSAY_TRY(auto nodes, compiler().run(from));
    return schema(std::make_shared<std::vector<schema_node> const>(std::move(nodes)));
}

} // namespace assay::grading
