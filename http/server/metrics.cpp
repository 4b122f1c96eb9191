#include "http/server/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstddef>

namespace assay::http {

namespace {

std::string escape(std::string_view text, bool quote)
{
    std::string out;
    for (char const c : text) {
        if (c == '\\')
            out += "\\\\";
        else if (c == '\n')
            out += "\\n";
        else if (c == '"' && quote)
            out += "\\\"";
        else
            out += c;
    }
    return out;
}

/// `a="1",b="2"` without braces, so that `le` can follow.
std::string write_labels(metric_labels const& labels)
{
    std::string out;
    for (auto const& [name, value] : labels)
        out += fmt::format("{}{}=\"{}\"", out.empty() ? "" : ",", name, escape(value, true));
    return out;
}

std::string write_number(double value)
{
    if (std::isnan(value))
        return "NaN";
    if (std::isinf(value))
        return value > 0 ? "+Inf" : "-Inf";
    return fmt::format("{}", value);
}

std::string braces(std::string const& labels)
{
    return labels.empty() ? std::string() : "{" + labels + "}";
}

std::string_view type_name(metrics::kind type)
{
    switch (type) {
    case metrics::kind::counter: return "counter";
    case metrics::kind::gauge: return "gauge";
    case metrics::kind::histogram: return "histogram";
    }
    std::unreachable();
}

void write_head(std::string& out, std::string_view name, std::string_view help, metrics::kind type)
{
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escape(help, false), name,
                       type_name(type));
}

} // namespace

histogram::histogram(std::span<double const> bounds)
    : bounds_(bounds.begin(), bounds.end()), counts_(bounds.size() + 1)
{
}

void histogram::observe(double value)
{
    auto const bucket = std::ranges::lower_bound(bounds_, value) - bounds_.begin();
    counts_[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

std::span<double const> duration_bounds()
{
    static constexpr std::array bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                       0.1,    0.25,  0.5,    1.0,   2.5,  5.0,   10.0};
    return bounds;
}

metrics::family& metrics::find(std::string_view name, std::string_view help, kind type)
{
    auto const found = families_.find(name);
    if (found != families_.end()) {
        assert(found->second.type == type && "one metric name, two types");
        return found->second;
    }
    return families_.emplace(std::string(name), family{type, std::string(help)}).first->second;
}

counter& metrics::make_counter(std::string_view name, std::string_view help, metric_labels labels)
{
    std::lock_guard const lock(mutex_);
    auto& series = find(name, help, kind::counter).counters[write_labels(labels)];
    if (!series)
        series = std::make_unique<counter>();
    return *series;
}

gauge& metrics::make_gauge(std::string_view name, std::string_view help, metric_labels labels)
{
    std::lock_guard const lock(mutex_);
    auto& series = find(name, help, kind::gauge).gauges[write_labels(labels)];
    if (!series)
        series = std::make_unique<gauge>();
    return *series;
}

histogram& metrics::make_histogram(std::string_view name, std::string_view help,
                                   std::span<double const> bounds, metric_labels labels)
{
    std::lock_guard const lock(mutex_);
    auto& series = find(name, help, kind::histogram).histograms[write_labels(labels)];
    if (!series)
        series = std::make_unique<histogram>(bounds);
    return *series;
}

std::shared_ptr<void> metrics::report(std::string name, std::string help, kind type,
                                      std::function<std::vector<sample>()> read)
{
    assert(type != kind::histogram);
    std::lock_guard const lock(reports_->mutex);
    auto const id = reports_->next++;
    reports_->by_id.emplace(id, reported{std::move(name), std::move(help), type, std::move(read)});
    return {nullptr, [shared = reports_, id](void*) {
                std::lock_guard const guard(shared->mutex);
                shared->by_id.erase(id);
            }};
}

std::string metrics::text() const
{
    std::string out;
    {
        std::lock_guard const lock(mutex_);
        for (auto const& [name, each] : families_) {
            write_head(out, name, each.help, each.type);
            for (auto const& [labels, series] : each.counters)
                out += fmt::format("{}{} {}\n", name, braces(labels), series->value());
            for (auto const& [labels, series] : each.gauges)
                out +=
                    fmt::format("{}{} {}\n", name, braces(labels), write_number(series->value()));
            for (auto const& [labels, series] : each.histograms) {
                auto const comma = labels.empty() ? "" : ",";
                std::uint64_t below = 0;
                for (std::size_t i = 0; i < series->counts_.size(); ++i) {
                    below += series->counts_[i].load(std::memory_order_relaxed);
                    auto const bound =
                        i < series->bounds_.size() ? write_number(series->bounds_[i]) : "+Inf";
                    out += fmt::format("{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma,
                                       bound, below);
                }
                out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, braces(labels),
                                   write_number(series->sum_.load()), name, braces(labels), below);
            }
        }
    }
    std::lock_guard const lock(reports_->mutex);
    for (auto const& [id, each] : reports_->by_id) {
        write_head(out, each.name, each.help, each.type);
        for (auto const& [labels, value] : each.read())
            out += fmt::format("{}{} {}\n", each.name, braces(write_labels(labels)),
                               write_number(value));
    }
    return out;
}

} // namespace assay::http
