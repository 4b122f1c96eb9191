#pragma once

#include "http/api/route.hpp"
#include "http/engine/frozen_config.hpp"
#include "projections/queries.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace assay::api {

/// One cell with everything below it.
struct cell_data {
    projections::cell_view cell;
    std::vector<projections::run_view> runs;         ///< oldest first
    std::vector<projections::grade_row> grades;      ///< oldest first, the last is current
    std::vector<projections::feedback_row> feedback; ///< oldest first
    std::vector<std::optional<std::string>>
        comments; ///< texts of `feedback`; none: none was given, or erased
    std::vector<projections::trace_row> traces; ///< oldest first
    std::optional<uuid> scenario;               ///< none when the frozen configuration was erased
};

/// A test as a reading route needs it: its rows at one position, and the frozen configuration.
class test_data {
public:
    /// @returns errc::not_found for what is not there or another workspace's, errc::forbidden for
    /// another department's.
    [[nodiscard]] static result<std::shared_ptr<test_data>>
    open(services const& s, incoming const& in, std::shared_ptr<projections::reader const> views,
         uuid const& test);

    [[nodiscard]] projections::test_row const& test() const { return test_; }

    [[nodiscard]] projections::test_counts const& counts() const { return counts_; }

    [[nodiscard]] projections::reader const& views() const { return *views_; }

    /// None when it was erased.
    [[nodiscard]] engine::frozen_config const* config() const { return config_.get(); }

    /// A page of cells; `deep` also reads runs, grades, feedback and traces.
    [[nodiscard]] result<std::vector<cell_data>> cells(projections::page const& page, bool deep);

    /// One cell with all below it.
    [[nodiscard]] result<cell_data> cell(std::uint32_t number);

    [[nodiscard]] std::uint64_t total() const { return test_.size().cells() + counts_.added; }

    [[nodiscard]] named const& model_of(cell_data const& c) const
    {
        return test_.started.models[c.cell.place.model];
    }

    [[nodiscard]] named const& agent_of(cell_data const& c) const
    {
        return test_.started.agents[c.cell.place.agent];
    }

    [[nodiscard]] uuid id(grid_kind kind, std::uint32_t cell = 0, std::uint16_t ordinal = 0) const
    {
        return grid_id::make(test_.id, kind, cell, ordinal);
    }

private:
    test_data(engine::engine const& e, std::shared_ptr<projections::reader const> views)
        : engine_(e), views_(std::move(views))
    {
    }

    [[nodiscard]] result<std::optional<uuid>> scenario_id(std::uint32_t number);
    [[nodiscard]] result<void> read_runs_and_grades(std::vector<cell_data>& cells);
    [[nodiscard]] result<void> read_remarks(cell_data& c);

    engine::engine const& engine_;
    std::shared_ptr<projections::reader const> views_;
    projections::test_row test_;
    projections::test_counts counts_;
    std::shared_ptr<engine::frozen_config const> config_;
    /// Chunks of scenarios, by number; null: erased.
    std::map<std::uint32_t, std::shared_ptr<std::vector<engine::frozen_scenario> const>> chunks_;
};

} // namespace assay::api
