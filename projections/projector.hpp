#pragma once

#include "core/hash.hpp"
#include "core/result.hpp"
#include "events/store.hpp"
#include "events/view_port.hpp"
#include "projections/generation.hpp"
#include "projections/overlay.hpp"
#include "projections/rebuild.hpp"
#include "projections/view.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

namespace assay::projections {

struct projector_options {
    std::span<view const> views = all_views();
    std::size_t cache_bytes = 24 << 20; ///< rows kept at hand for the writer, over all views
    /// Whether `open` builds what is missing or of another schema before it returns. If not, these
    /// views answer errc::unavailable until `refresh` has built them.
    bool build_at_open = true;
    build_options build{}; ///< how views are built, at open and later
};

/// What became of one view's rebuild.
struct rebuilt_view {
    std::string name;
    std::uint64_t generation = 0; ///< the one that serves now
    std::uint64_t position = 0;   ///< how many commits both had seen when they were compared
    digest rows;                  ///< of the new generation at that position
    std::optional<digest>
        replaced;     ///< of the generation it replaces; none: there was none to compare with
    bool same = true; ///< false: the old rows were not what the log says; an alarm, not a shrug
};

/// Runs `work` on the writer's thread between two drains and waits for it; the pipeline's
/// `between_drains`.
using between_drains = std::function<void(std::move_only_function<void()> work)>;

/// Keeps every view in step with the log, lets readers in, and builds views anew beside the serving
/// ones.
///
/// The rows of a drain are written in one batch with the log, so views are never behind and a crash
/// leaves all of a commit or none of it. The row views/next says which position they have reached;
/// views of a directory where it is not the log's end are not trusted but built again.
///
/// Thread-safety: the view_port functions belong to the writer's thread; `read` and `states` to
/// anyone; one rebuild runs at a time, on its caller's thread and threads of its own. Outlives
/// every reader.
class projector final : public events::view_port {
public:
    /// Opens the views of `s`. On a read-only store nothing is made or dropped.
    ///
    /// @returns errc::corrupt if the log cannot be read when views have to be built, errc::io,
    /// errc::cancelled.
    [[nodiscard]] static result<std::unique_ptr<projector>> open(events::store& s,
                                                                 projector_options options = {});

    ~projector() override;
    projector(projector const&) = delete;
    projector& operator=(projector const&) = delete;

    [[nodiscard]] result<void> stage(events::commit const& c) override;
    void collect(rocksdb::WriteBatch& batch) override;

    /// All views at one position: the newest that is durable.
    [[nodiscard]] std::shared_ptr<snapshot_reader const> read() const;

    /// A view as /readyz and `assay views list` show it.
    struct state {
        std::string name;
        std::uint32_t schema = 0;
        std::optional<std::uint64_t> generation; ///< none: being built
    };

    [[nodiscard]] std::vector<state> states() const;

    /// Names of views that do not serve yet.
    [[nodiscard]] std::vector<std::string> missing() const;

    /// Builds new generations of `names` (all, if empty) while the pipeline runs, and puts them
    /// into service: replays the log beside live traffic, catches up, and switches on the writer's
    /// thread. Then compares both generations as they stood at the switch, and drops the old one.
    ///
    /// @returns errc::not_found for an unknown name, errc::cancelled if stopped; the serving
    /// generations are then as before.
    [[nodiscard]] result<std::vector<rebuilt_view>> refresh(std::vector<std::string> const& names,
                                                            between_drains const& writer,
                                                            build_options const& options = {});

    /// The same while no pipeline runs.
    [[nodiscard]] result<std::vector<rebuilt_view>> rebuild(std::vector<std::string> const& names,
                                                            build_options const& options = {});

private:
    /// One view on the writer's side.
    struct live_view {
        view const* v = nullptr;
        std::shared_ptr<generation> serving; ///< none: being built
        std::unique_ptr<overlay> rows;       ///< none with `serving`
    };

    explicit projector(events::store& s, projector_options options);

    [[nodiscard]] result<void> open_views();
    [[nodiscard]] result<bool> rows_are_current() const;
    [[nodiscard]] result<void> drop_orphans(live_view const& v, bool recorded);
    void serve(live_view& v, std::shared_ptr<generation> g);
    void publish();
    struct replacement;
    [[nodiscard]] result<std::vector<replacement>>
    make_replacements(std::vector<std::string> const& names);
    [[nodiscard]] result<std::uint64_t> catch_up(std::vector<replacement> const& all,
                                                 build_options const& options);
    [[nodiscard]] result<void> switch_over(std::vector<replacement>& all, std::uint64_t from);
    [[nodiscard]] result<std::vector<rebuilt_view>>
    compare(std::vector<replacement> const& all) const;

    // Constant after construction.
    events::store& store_;
    projector_options const options_;
    // The writer's.
    std::vector<live_view> live_;
    std::uint64_t staged_next_ = 0; ///< position after the commits staged in this drain; 0: none
    // Guarded by serving_mutex_: a reader takes set and snapshot together, a switch changes both
    // together.
    mutable std::shared_mutex serving_mutex_;
    std::shared_ptr<serving_set const> serving_;
    // One rebuild at a time.
    std::mutex rebuild_mutex_;
};

} // namespace assay::projections
