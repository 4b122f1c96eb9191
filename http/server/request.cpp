#include "http/server/request.hpp"

#include <algorithm>

namespace assay::http {

namespace {

constexpr std::size_t query_params_max = 256;

char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

bool equals_ignoring_case(std::string_view a, std::string_view b)
{
    return std::ranges::equal(a, b, {}, lower, lower);
}

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (lower(c) >= 'a' && lower(c) <= 'f')
        return lower(c) - 'a' + 10;
    return -1;
}

std::optional<std::string_view> find_in(std::vector<name_value> const& pairs, std::string_view name)
{
    auto const found = std::ranges::find(pairs, name, &name_value::first);
    if (found == pairs.end())
        return std::nullopt;
    return found->second;
}

} // namespace

std::string_view to_string(method m)
{
    switch (m) {
    case method::get: return "GET";
    case method::head: return "HEAD";
    case method::post: return "POST";
    case method::put: return "PUT";
    case method::patch: return "PATCH";
    case method::del: return "DELETE";
    case method::options: return "OPTIONS";
    case method::other: return "OTHER";
    }
    std::unreachable();
}

void header_list::add(std::string_view name, std::string_view value)
{
    fields_.push_back({static_cast<std::uint32_t>(bytes_.size()),
                       static_cast<std::uint32_t>(name.size()),
                       static_cast<std::uint32_t>(value.size())});
    bytes_.append(name).append(value);
}

void header_list::clear()
{
    bytes_.clear();
    fields_.clear();
}

std::optional<std::string_view> header_list::find(std::string_view name) const
{
    for (std::size_t i = 0; i < fields_.size(); ++i)
        if (auto const [each, value] = at(i); equals_ignoring_case(each, name))
            return value;
    return std::nullopt;
}

std::size_t header_list::count(std::string_view name) const
{
    std::size_t n = 0;
    for (std::size_t i = 0; i < fields_.size(); ++i)
        n += equals_ignoring_case(at(i).first, name) ? 1 : 0;
    return n;
}

std::pair<std::string_view, std::string_view> header_list::at(std::size_t index) const
{
    auto const& f = fields_[index];
    auto const all = std::string_view(bytes_);
    return {all.substr(f.offset, f.name_bytes), all.substr(f.offset + f.name_bytes, f.value_bytes)};
}

std::string_view request::path_param(std::string_view name) const
{
    return find_in(path_params, name).value_or(std::string_view());
}

std::optional<std::string_view> request::query_param(std::string_view name) const
{
    return find_in(query, name);
}

std::optional<std::string_view> request::last_event_id() const
{
    if (auto const header = headers.find("Last-Event-ID"))
        return header;
    return query_param("last_event_id");
}

std::pair<std::string_view, std::string_view> split_target(std::string_view target)
{
    if (auto const scheme = target.find("://");
        !target.starts_with('/') && scheme != std::string_view::npos) {
        auto const path = target.find_first_of("/?", scheme + 3);
        target = path == std::string_view::npos ? "/" : target.substr(path);
    }
    target = target.substr(0, target.find('#'));
    auto const mark = target.find('?');
    if (mark == std::string_view::npos)
        return {target, {}};
    return {target.substr(0, mark), target.substr(mark + 1)};
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space)
{
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus_is_space) {
            out.push_back(' ');
        } else if (text[i] == '%') {
            if (i + 2 >= text.size())
                return std::nullopt;
            int const high = hex_digit(text[i + 1]);
            int const low = hex_digit(text[i + 2]);
            if (high < 0 || low < 0)
                return std::nullopt;
            out.push_back(static_cast<char>(high * 16 + low));
            i += 2;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

result<std::vector<name_value>> parse_query(std::string_view query)
{
    std::vector<name_value> pairs;
    while (!query.empty()) {
        auto const part = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), part.size() + 1));
        if (part.empty())
            continue;
        auto const equals = part.find('=');
        auto name = percent_decode(part.substr(0, equals), true);
        auto value = equals == std::string_view::npos
                         ? std::string()
                         : percent_decode(part.substr(equals + 1), true);
        if (!name || !value)
            return fail(errc::malformed, "the query holds a bad percent sign");
        if (pairs.size() == query_params_max)
            return fail(errc::malformed, "the query has too many parameters");
        pairs.emplace_back(std::move(*name), std::move(*value));
    }
    return pairs;
}

} // namespace assay::http
