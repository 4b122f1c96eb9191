#pragma once

#include "http/api/route.hpp"
#include "projections/notes.hpp"

#include <optional>
#include <string>

namespace assay::api {

/// How lists of drafts and of groups are asked for.
struct note_list_body {
    std::optional<std::string> search;
    std::optional<date_from> since;
    std::optional<date_to> until;
    std::optional<std::int64_t> page_limit;
    std::optional<std::int64_t> page_offset;
    std::optional<std::string> snapshot_key;

    static constexpr auto fields = std::tuple{
        field{"search", &note_list_body::search, {.size_max = 500}},
        field{"date_from", &note_list_body::since},
        field{"date_to", &note_list_body::until},
        field{"page_limit", &note_list_body::page_limit, {.min = 1}},
        field{"page_offset", &note_list_body::page_offset, {.min = 0}},
        field{"snapshot_key", &note_list_body::snapshot_key},
    };

    [[nodiscard]] projections::note_filter filter() const
    {
        projections::note_filter out;
        out.text = search.value_or(std::string());
        if (since)
            out.from = since->at;
        if (until)
            out.to = until->at;
        return out;
    }

    [[nodiscard]] projections::page page() const
    {
        return {static_cast<std::uint64_t>(page_offset.value_or(0)), page_size_of(page_limit)};
    }
};

} // namespace assay::api
