#include "http/server/router.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace assay::http {

namespace {

bool is_param(std::string_view segment)
{
    return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

std::vector<std::string_view> split(std::string_view path)
{
    std::vector<std::string_view> segments;
    path.remove_prefix(std::min<std::size_t>(path.size(), 1));
    for (;;) {
        auto const slash = path.find('/');
        segments.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos)
            return segments;
        path.remove_prefix(slash + 1);
    }
}

/// Binds `actual` to `segments`; nothing if they differ.
std::optional<std::vector<name_value>> bind(std::vector<std::string> const& segments,
                                            std::vector<std::string> const& actual)
{
    if (segments.size() != actual.size())
        return std::nullopt;
    std::vector<name_value> params;
    for (std::size_t i = 0; i < segments.size(); ++i) {
        auto const& segment = segments[i];
        if (!is_param(segment)) {
            if (segment != actual[i])
                return std::nullopt;
        } else if (actual[i].empty()) {
            return std::nullopt;
        } else {
            params.emplace_back(segment.substr(1, segment.size() - 2), actual[i]);
        }
    }
    return params;
}

/// Segments are split before they are decoded, so that %2F stays part of its segment.
std::optional<std::vector<std::string>> decode_segments(std::string_view path)
{
    std::vector<std::string> decoded;
    for (auto const segment : split(path)) {
        auto text = percent_decode(segment);
        if (!text)
            return std::nullopt;
        decoded.push_back(std::move(*text));
    }
    return decoded;
}

/// HEAD is answered by GET unless it has a route of its own.
route const* pick(std::map<method, route const*> const& by_method, method m)
{
    if (auto const found = by_method.find(m); found != by_method.end())
        return found->second;
    if (m == method::head)
        return pick(by_method, method::get);
    return nullptr;
}

std::string allowed(std::map<method, route const*> const& by_method)
{
    std::string allow;
    for (auto const& [m, unused] : by_method) {
        if (!allow.empty())
            allow += ", ";
        allow += to_string(m);
        if (m == method::get && !by_method.contains(method::head))
            allow += ", HEAD";
    }
    return allow;
}

router::match answer(std::map<method, route const*> const& by_method, method m)
{
    router::match out{.found = pick(by_method, m)};
    if (!out.found)
        out.allow = allowed(by_method);
    return out;
}

/// The path of decoded segments; "" if one of them holds a slash, which no pattern can.
std::string join(std::vector<std::string> const& segments)
{
    std::string path;
    for (auto const& segment : segments) {
        if (segment.find('/') != std::string::npos)
            return {};
        path.append("/").append(segment);
    }
    return path;
}

} // namespace

void router::add(route added)
{
    if (!added.pattern.starts_with('/') || !added.serve || added.name.empty())
        throw std::logic_error(fmt::format("route '{}' is incomplete", added.pattern));
    if (std::ranges::find(routes_, added.name, &route::name) != routes_.end())
        throw std::logic_error(fmt::format("route name '{}' is taken", added.name));

    auto const& kept = routes_.emplace_back(std::move(added));
    std::vector<std::string> segments;
    for (auto const segment : split(kept.pattern))
        segments.emplace_back(segment);

    methods* by_method = nullptr;
    if (std::ranges::none_of(segments, is_param)) {
        by_method = &fixed_[kept.pattern];
    } else {
        auto const same = std::ranges::find(patterns_, segments, &pattern_entry::segments);
        by_method = same != patterns_.end()
                        ? &same->by_method
                        : &patterns_.emplace_back(pattern_entry{std::move(segments), {}}).by_method;
    }
    if (!by_method->emplace(kept.method, &kept).second)
        throw std::logic_error(fmt::format("{} {} is taken", to_string(kept.method), kept.pattern));
}

router::match router::find(http::method m, std::string_view path) const
{
    match out;
    if (auto const found = fixed_.find(std::string(path)); found != fixed_.end())
        return answer(found->second, m);

    auto const segments = decode_segments(path);
    if (!segments)
        return out;
    if (path.find('%') != std::string_view::npos)
        if (auto const found = fixed_.find(join(*segments)); found != fixed_.end())
            return answer(found->second, m);
    for (auto const& entry : patterns_) {
        auto params = bind(entry.segments, *segments);
        if (!params)
            continue;
        out.found = pick(entry.by_method, m);
        if (out.found) {
            out.params = std::move(*params);
            return out;
        }
        if (out.allow.empty())
            out.allow = allowed(entry.by_method);
    }
    return out;
}

} // namespace assay::http
