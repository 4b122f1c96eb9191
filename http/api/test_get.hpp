#pragma once

#include "http/api/test_rows.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// What the parts of /test/get share.
namespace assay::api {

/// Runs whose messages are told with their texts.
constexpr std::size_t selected_runs_max = 100;

struct get_body {
    uuid test_id;
    std::optional<std::int64_t> configs_groups_page;
    std::optional<std::int64_t> configs_groups_page_size;
    std::optional<std::vector<std::string>> configs_expanded;
    std::optional<std::int64_t> configs_expanded_page_size;
    std::optional<std::string> configs_search;
    std::optional<std::vector<std::string>> configs_selected;
    std::optional<std::string> snapshot_key;
    std::optional<bool> summary;

    static constexpr auto fields = std::tuple{
        field{"test_id", &get_body::test_id},
        field{"configs_groups_page", &get_body::configs_groups_page, {.min = 1}},
        field{"configs_groups_page_size", &get_body::configs_groups_page_size, {.min = 1}},
        field{"configs_expanded", &get_body::configs_expanded},
        field{"configs_expanded_page_size", &get_body::configs_expanded_page_size, {.min = 1}},
        field{"configs_search", &get_body::configs_search},
        field{"configs_selected", &get_body::configs_selected, {.size_max = selected_runs_max}},
        field{"snapshot_key", &get_body::snapshot_key},
        field{"summary", &get_body::summary},
    };
};

/// What an answer is made of; lives until its last piece has been sent.
struct answer_state {
    get_body asked;
    surface form = surface::current;
    std::shared_ptr<test_data> data;
    std::vector<cell_data> cells;
    std::optional<uuid> next;    ///< first invocation still open
    std::optional<uuid> current; ///< a running one, else the next
    std::optional<std::string> eval_description;
    projections::score_total scores; ///< of all graded cells
    std::uint64_t runs = 0;          ///< of all cells, also those beyond `cells`
    std::optional<instant> last_run;
    std::vector<cell_data> selected; ///< cells of selected runs that are not among `cells`
    std::map<uuid, std::string>
        texts{}; ///< of the messages of selected runs; erased ones are absent
};

/// Counts the runs, and reads what is needed of selected ones.
[[nodiscard]] result<void> fill_configs(services const& s, answer_state& a);

/// Members configs, configs_groups and their totals: the runs that a client may pick from, under the
/// one group that a test has.
void write_configs(json_writer& w, answer_state const& a);

} // namespace assay::api
