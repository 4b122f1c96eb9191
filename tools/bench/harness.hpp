#pragma once

#include "core/result.hpp"
#include "http/engine/engine.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What the benchmarks share: a data directory that goes away, catalog items, and how a figure is reported.
namespace assay::tools::bench {

/// One measured figure beside its floor, both from this run.
struct figure {
    std::string name;
    std::string what;              ///< value with its unit, for people
    std::string floor;             ///< the same of the floor; empty: none
    std::optional<double> ratio{}; ///< value to floor
    std::string target;            ///< what is asked for, e.g. ">= 0.6x"
    bool met = true;
};

/// A directory under the system's temporary one that goes with the object.
class scratch {
public:
    scratch();
    ~scratch();
    scratch(scratch const&) = delete;
    scratch& operator=(scratch const&) = delete;

    [[nodiscard]] std::filesystem::path const& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// A workspace in service without a socket.
struct workbench {
    scratch dir;
    std::unique_ptr<engine::engine> engine;
    engine::caller who;

    /// @param recording_root  folder that the recorded provider may read; empty: none
    [[nodiscard]] static result<std::unique_ptr<workbench>>
    open(std::filesystem::path const& recording_root = {});

    [[nodiscard]] result<uuid> create(item_kind kind, engine::item_draft draft);

    /// Many items of one kind at once, in order.
    [[nodiscard]] result<std::vector<uuid>> create_all(item_kind kind,
                                                       std::vector<engine::item_draft> drafts);

    /// Starts a test and waits for its commit.
    [[nodiscard]] result<uuid> start(engine::start_request const& request);
};

/// An eval of `models` x `scenarios` whose provider answers nothing: for figures that need no model.
[[nodiscard]] result<uuid> make_plain_eval(workbench& w, std::uint32_t models,
                                           std::uint32_t scenarios);

/// An eval over the GSM8K questions with the four recorded models behind an OpenAI-compatible `base_url`.
[[nodiscard]] result<uuid> make_gsm8k_eval(workbench& w, std::filesystem::path const& folder,
                                           std::string const& base_url);

[[nodiscard]] double seconds_since(std::chrono::steady_clock::time_point start);

/// Memory of this process that is not shared with files, in MiB: now, and the most since `reset_peak`.
[[nodiscard]] double resident_mib();
[[nodiscard]] double peak_mib();
void reset_peak();

using figures = result<std::vector<figure>>;

[[nodiscard]] figures measure_run(std::filesystem::path const& gsm8k);
[[nodiscard]] figures measure_commands();
[[nodiscard]] figures measure_queries();
[[nodiscard]] figures measure_rebuild(std::uint64_t events);
[[nodiscard]] figures measure_size();

} // namespace assay::tools::bench
