#include "tools/json_fields.hpp"

#include "core/json.hpp"

namespace assay::tools {

std::string text_at(boost::json::object const& o, std::string_view name)
{
    auto const* const v = o.if_contains(name);
    auto const* const s = v ? v->if_string() : nullptr;
    return s ? std::string(s->data(), s->size()) : std::string();
}

std::optional<double> number_at(boost::json::object const& o, std::string_view name)
{
    auto const* const v = o.if_contains(name);
    if (!v || !v->is_number())
        return std::nullopt;
    return v->to_number<double>();
}

std::uint64_t count_at(boost::json::object const& o, std::string_view name)
{
    auto const n = number_at(o, name);
    return n && *n > 0 ? static_cast<std::uint64_t>(*n) : 0;
}

bool flag_at(boost::json::object const& o, std::string_view name)
{
    auto const* const v = o.if_contains(name);
    return v && v->is_bool() && v->get_bool();
}

boost::json::array const& array_at(boost::json::object const& o, std::string_view name)
{
    static boost::json::array const none;
    auto const* const v = o.if_contains(name);
    auto const* const a = v ? v->if_array() : nullptr;
    return a ? *a : none;
}

boost::json::object const& object_at(boost::json::object const& o, std::string_view name)
{
    static boost::json::object const none;
    auto const* const v = o.if_contains(name);
    auto const* const found = v ? v->if_object() : nullptr;
    return found ? *found : none;
}

std::optional<double> element_at(boost::json::object const& o, std::string_view name,
                                 std::size_t index)
{
    auto const& a = array_at(o, name);
    if (index >= a.size() || !a[index].is_number())
        return std::nullopt;
    return a[index].to_number<double>();
}

std::string shown(boost::json::value const* v)
{
    if (!v || v->is_null())
        return "-";
    if (auto const* const s = v->if_string())
        return {s->data(), s->size()};
    if (auto const* const b = v->if_bool())
        return *b ? "yes" : "no";
    return json::canonical(*v);
}

bool covers(boost::json::value const& found, boost::json::value const& wanted)
{
    if (wanted.is_number() && found.is_number())
        return wanted.to_number<double>() == found.to_number<double>();
    if (auto const* const members = wanted.if_object()) {
        auto const* const have = found.if_object();
        if (!have)
            return false;
        for (auto const& [name, value] : *members) {
            auto const* const member = have->if_contains(name);
            if (!member || !covers(*member, value))
                return false;
        }
        return true;
    }
    if (auto const* const elements = wanted.if_array()) {
        auto const* const have = found.if_array();
        if (!have || have->size() != elements->size())
            return false;
        for (std::size_t i = 0; i < elements->size(); ++i) {
            if (!covers((*have)[i], (*elements)[i]))
                return false;
        }
        return true;
    }
    return found == wanted;
}

} // namespace assay::tools
