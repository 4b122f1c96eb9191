#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace assay::http {

/// Label names and values of one series, e.g. {{"route", "test.get"}, {"status", "200"}}.
using metric_labels = std::vector<std::pair<std::string, std::string>>;

/// A number that only grows. Thread-safe.
class counter {
public:
    void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }

    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// A number that goes up and down. Thread-safe.
class gauge {
public:
    void set(double value) { value_.store(value, std::memory_order_relaxed); }

    void add(double delta) { value_.fetch_add(delta, std::memory_order_relaxed); }

    [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<double> value_{0};
};

/// Observations counted into fixed buckets. Thread-safe; a scrape may see a sum one observation
/// older than the count.
class histogram {
public:
    /// @param bounds upper bounds, ascending; the bucket +Inf is added.
    explicit histogram(std::span<double const> bounds);

    void observe(double value);

private:
    friend class metrics;

    std::vector<double> bounds_;
    std::vector<std::atomic<std::uint64_t>> counts_;
    std::atomic<double> sum_{0};
};

/// Bounds in seconds for durations of requests: 0.5 ms to 10 s.
[[nodiscard]] std::span<double const> duration_bounds();

/// All metrics of the process, in the Prometheus text format 0.0.4.
///
/// Thread-safe. Names and labels are fixed when a series is made; making it again returns the same
/// one. References live as long as the registry. Look a series up once and keep the reference: the
/// look-up takes a lock.
class metrics {
public:
    enum class kind : std::uint8_t { counter, gauge, histogram };

    /// One value that a callback reports.
    struct sample {
        metric_labels labels;
        double value;
    };

    counter& make_counter(std::string_view name, std::string_view help, metric_labels labels = {});
    gauge& make_gauge(std::string_view name, std::string_view help, metric_labels labels = {});
    histogram& make_histogram(std::string_view name, std::string_view help,
                              std::span<double const> bounds, metric_labels labels = {});

    /// Reports what `read` returns at every scrape, as `type` (counter or gauge). `read` must not
    /// call the registry. It is called until the token is destroyed; destroying waits for a scrape
    /// that is under way.
    [[nodiscard]] std::shared_ptr<void> report(std::string name, std::string help, kind type,
                                               std::function<std::vector<sample>()> read);

    /// The text of a scrape; content type `text_type`.
    [[nodiscard]] std::string text() const;

    static constexpr std::string_view text_type = "text/plain; version=0.0.4; charset=utf-8";

private:
    struct family {
        kind type;
        std::string help;
        // Keyed by the labels as they are written, so that series come out in a stable order.
        std::map<std::string, std::unique_ptr<counter>> counters{};
        std::map<std::string, std::unique_ptr<gauge>> gauges{};
        std::map<std::string, std::unique_ptr<histogram>> histograms{};
    };

    struct reported {
        std::string name;
        std::string help;
        kind type;
        std::function<std::vector<sample>()> read;
    };

    /// Shared with the tokens of `report`, which may outlive the registry.
    struct reports {
        std::mutex mutex;
        std::map<std::uint64_t, reported> by_id;
        std::uint64_t next = 0;
    };

    family& find(std::string_view name, std::string_view help, kind type);

    // Guarded by mutex_; the series themselves are not.
    mutable std::mutex mutex_;
    std::map<std::string, family, std::less<>> families_;
    // Guards itself.
    std::shared_ptr<reports> reports_ = std::make_shared<reports>();
};

} // namespace assay::http
