#pragma once

#include "http/api/route.hpp"
#include "projections/queries.hpp"

#include <optional>
#include <string>
#include <vector>

/// The list of tests as search, benchmark and invocations show it.
namespace assay::api {

/// Filters of the history form.
struct history_body {
    std::optional<date_from> start_date;
    std::optional<date_to> end_date;
    std::optional<std::vector<uuid>> department_ids;
    std::optional<std::int64_t> history_page;
    std::optional<std::int64_t> history_page_size;
    std::optional<std::vector<uuid>> history_eval_ids;
    std::optional<std::string> history_search;
    std::optional<bool> history_archived;
    std::optional<std::string> history_sort_by;
    std::optional<std::string> history_sort_order;
    std::optional<std::string> snapshot_key;

    static constexpr std::array<std::string_view, 2> orders{"asc", "desc"};
    static constexpr std::array<std::string_view, 5> sorts{"created_at", "date", "test_created_at",
                                                           "test_name", "eval_name"};
    static constexpr auto fields = std::tuple{
        field{"start_date", &history_body::start_date},
        field{"end_date", &history_body::end_date},
        field{"department_ids", &history_body::department_ids},
        field{"history_page", &history_body::history_page, {.min = 1}},
        field{"history_page_size", &history_body::history_page_size, {.min = 1}},
        field{"history_eval_ids", &history_body::history_eval_ids},
        field{"history_search", &history_body::history_search},
        field{"history_archived", &history_body::history_archived},
        field{"history_sort_by", &history_body::history_sort_by, {.words = sorts}},
        field{"history_sort_order", &history_body::history_sort_order, {.words = orders}},
        field{"snapshot_key", &history_body::snapshot_key},
    };
};

/// Whether a body has a history_ field that is not null.
[[nodiscard]] bool is_history(json::object const& body);

/// Writes {data, total_count, page, page_size, *_options}.
[[nodiscard]] result<void> write_history(json_writer& w, services const& s, incoming const& in,
                                         projections::reader const& views,
                                         history_body const& asked);

/// The whole answer of the history form.
[[nodiscard]] result<std::string> history(services const& s, incoming const& in);

} // namespace assay::api
