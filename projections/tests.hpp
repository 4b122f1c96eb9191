#pragma once

#include "core/domain/event.hpp"
#include "core/domain/state.hpp"
#include "projections/bitmap.hpp"
#include "projections/reader.hpp"
#include "projections/rows.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace assay::projections {

/// What a test was started with and what became of it as a whole. What its cells do is counted in
/// `cells`.
struct test_row {
    uuid id; ///< from the key
    uuid workspace;
    uuid profile;                ///< who started it; nil: the server
    std::uint32_t number = 0;    ///< dense within the workspace, in the order of starts
    event::test_started started; ///< `repeats` is what there are by now
    test_phase phase{};
    bool archived = false;
    instant started_at;
    std::optional<instant> stopped_at; ///< the newest stop
    std::optional<instant> completed_at;

    [[nodiscard]] grid_size size() const
    {
        return {static_cast<std::uint32_t>(started.models.size()), started.scenarios,
                static_cast<std::uint32_t>(started.agents.size()), started.repeats};
    }
};
BOOST_DESCRIBE_STRUCT(test_row, (),
                      (workspace, profile, number, started, phase, archived, started_at, stopped_at,
                       completed_at))

/// Tests of each workspace, with facets and the index that resume looks into. Reads test.*.
///
/// Rows:  t test -> test_row
///        w workspace -> how many tests it has
///        n workspace, number -> listed_test
///        f workspace, facet, value, number / 65536 -> bitmap of numbers
///        e workspace, eval -> its newest name
///        x workspace, configuration hash, ~number -> test
class tests {
public:
    static constexpr std::string_view name = "tests";
    static constexpr std::uint32_t schema = 2;

    [[nodiscard]] result<void> apply(events::recorded const& e, rows& out) const;
    [[nodiscard]] std::string describe(std::string_view key, std::string_view value) const;
};

/// What tests can be filtered and counted by.
enum class facet : std::uint8_t { eval = 1, department, profile, archived, model, agent, rubric };

/// @returns errc::not_found also for another workspace's test.
[[nodiscard]] result<test_row> get_test(reader const& views, uuid const& workspace,
                                        uuid const& test);

/// The test without a look at the workspace: for the runner and other parts of the server itself.
[[nodiscard]] result<test_row> get_test(reader const& views, uuid const& test);

/// What lists of tests can be sorted by; equal ones stand newest first.
enum class test_order : std::uint8_t { started, test_name, eval_name };

struct test_filter {
    std::vector<uuid> evals{};       ///< any of them; empty: all
    std::vector<uuid> departments{}; ///< any of them; empty: all
    std::vector<uuid> profiles{};    ///< any of them; empty: all
    std::vector<uuid> models{};      ///< any of them; empty: all
    /// What the caller may see: these departments, and tests of none.
    std::optional<std::vector<uuid>> within_departments{};
    std::optional<bool> archived = false; ///< none: both
    std::optional<instant> from{};        ///< started at or after
    std::optional<instant> to{};          ///< started at or before
    std::string text{}; ///< part of the test's or its eval's name, any case (ASCII)
    test_order order = test_order::started;
    bool ascending = false; ///< of names: a to z
};

struct facet_count {
    uuid value;
    std::string name; ///< of evals; other names stand in the catalog
    std::uint64_t tests = 0;
};

struct test_page {
    std::vector<test_row> tests; ///< in the order asked for
    std::uint64_t total = 0;     ///< without paging
    /// How many tests each value would give, with all other filters as they are; most first.
    std::vector<facet_count> evals;
    std::vector<facet_count> departments;
    std::vector<facet_count> profiles;
    std::vector<facet_count> models;
    std::vector<facet_count> rubrics;
    std::optional<instant> earliest; ///< first start in the workspace
    std::optional<instant> latest;   ///< last start in the workspace
};

struct page {
    std::uint64_t offset = 0;
    std::uint64_t limit = 50;
};

/// Tests that match all of `filter`. Reads rows of the page only; a `text` reads the names of all
/// tests, and an order by name those of all that match.
///
/// @param facets  whether to count them
[[nodiscard]] result<test_page> list_tests(reader const& views, uuid const& workspace,
                                           test_filter const& filter, page const& page,
                                           bool facets = true);

/// Tests that were started with this very configuration, newest first.
[[nodiscard]] result<std::vector<uuid>> find_tests_by_config(reader const& views,
                                                             uuid const& workspace,
                                                             digest const& config_hash,
                                                             std::size_t limit = 100);

} // namespace assay::projections
