#pragma once

#include "http/api/route.hpp"
#include "projections/notes.hpp"

#include <array>
#include <string_view>

/// Drafts of invocations: the ids that they hold, and the rows that answers show of them.
namespace assay::api {

/// Members of one id, and of the list that a draft's row shows for it.
struct single_id {
    std::string_view name;
    std::string_view listed;  ///< "name_ids"; empty: the row shows the id itself
    std::string_view pending; ///< "pending_name_ids"
};

inline constexpr std::array<single_id, 8> single_ids{{
    {"name_id", "name_ids", "pending_name_ids"},
    {"description_id", "description_ids", "pending_description_ids"},
    {"value_id", "", "pending_value_ids"},
    {"key_id", "key_ids", "pending_key_ids"},
    {"endpoint_id", "endpoint_ids", "pending_endpoint_ids"},
    {"temperature_level_id", "temperature_level_ids", "pending_temperature_level_ids"},
    {"pricing_id", "pricing_ids", "pending_pricing_ids"},
    {"reasoning_level_id", "reasoning_level_ids", "pending_reasoning_level_ids"},
}};

struct id_list {
    std::string_view name;
    std::string_view pending; ///< empty: there is no such member
};

inline constexpr std::array<id_list, 8> id_lists{{
    {"flag_ids", "pending_flag_ids"},
    {"department_ids", "pending_department_ids"},
    {"modality_ids", "pending_modality_ids"},
    {"quality_ids", "pending_quality_ids"},
    {"voice_ids", "pending_voice_ids"},
    {"model_flag_ids", "pending_model_flag_ids"},
    {"model_position_ids", "pending_model_position_ids"},
    {"model_rubric_ids", "pending_model_rubric_ids"},
}};

inline constexpr std::string_view pending_ids = "pending_ids";

/// A draft with its texts, as answers show it.
struct draft_view {
    projections::draft_row row;
    json::object form;
};

/// @returns the draft without a text whose key was destroyed.
[[nodiscard]] result<draft_view> resolve(services const& s, projections::draft_row row);

void write_draft(json_writer& w, draft_view const& d);

} // namespace assay::api
