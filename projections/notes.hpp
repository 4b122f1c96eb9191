#pragma once

#include "core/domain/event.hpp"
#include "core/domain/state.hpp"
#include "projections/reader.hpp"
#include "projections/rows.hpp"
#include "projections/tests.hpp"

#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace assay::projections {

/// A draft as all its changes together leave it.
struct draft_row {
    uuid id; ///< from the key
    uuid workspace;
    uuid profile; ///< whose draft it is
    events::channel channel{};
    std::uint32_t version = 0; ///< number of its changes
    std::string form;          ///< canonical JSON; see draft_form
    std::vector<sealed_field> texts;
    instant created_at;
    instant changed_at;
};
BOOST_DESCRIBE_STRUCT(draft_row, (),
                      (workspace, profile, channel, version, form, texts, created_at, changed_at))

/// A container of runs: a test's own, or one that was opened by itself.
struct group_row {
    uuid id; ///< from the key
    uuid workspace;
    uuid profile; ///< who opened it
    bool of_test = false;
    std::string title;            ///< the newest; at first a test's name
    std::optional<uuid> title_id; ///< none: nobody has given it one
    std::vector<uuid> departments;
    instant opened_at;
};
BOOST_DESCRIBE_STRUCT(group_row, (),
                      (workspace, profile, of_test, title, title_id, departments, opened_at))

struct problem_row {
    uuid workspace;
    uuid profile;
    problem_kind kind{};
    content message;
    instant at;
};
BOOST_DESCRIBE_STRUCT(problem_row, (), (workspace, profile, kind, message, at))

/// A write that waits to be accepted, or waited.
struct staged_row {
    uuid workspace;
    uuid profile;
    std::string operation;
    content body;
    note_phase phase{};
    instant staged_at;
    std::optional<instant> answered_at;
};
BOOST_DESCRIBE_STRUCT(staged_row, (),
                      (workspace, profile, operation, body, phase, staged_at, answered_at))

/// Drafts, groups and their titles, reported problems, staged writes. Reads test.started and the
/// events of notes.
///
/// Rows:  d draft -> draft_row
///        l workspace, profile, ~number -> listed_note: the profile's drafts, newest first
///        g group -> group_row
///        i workspace, ~number -> listed_note: the workspace's groups, newest first
///        n workspace, profile -> how many drafts
///        m workspace -> how many groups
///        p problem -> problem_row
///        s note -> staged_row
class notes {
public:
    static constexpr std::string_view name = "notes";
    static constexpr std::uint32_t schema = 1;

    [[nodiscard]] result<void> apply(events::recorded const& e, rows& out) const;
    [[nodiscard]] std::string describe(std::string_view key, std::string_view value) const;
};

[[nodiscard]] boost::json::object draft_form(draft_row const& draft);

/// @returns errc::not_found also for another profile's draft.
[[nodiscard]] result<draft_row> get_draft(reader const& views, uuid const& workspace,
                                          uuid const& profile, uuid const& draft);

/// @returns errc::not_found also for another workspace's group.
[[nodiscard]] result<group_row> get_group(reader const& views, uuid const& workspace,
                                          uuid const& group);

[[nodiscard]] result<std::optional<staged_row>> get_staged_write(reader const& views,
                                                                 uuid const& note);

/// What a list of notes is narrowed by.
struct note_filter {
    std::string text{};            ///< part of the name, any case (ASCII)
    std::optional<instant> from{}; ///< made at or after
    std::optional<instant> to{};   ///< made at or before
    /// Of groups: what the caller may see, these departments and groups of none.
    std::optional<std::vector<uuid>> within_departments{};
};

struct draft_page {
    std::vector<draft_row> drafts; ///< newest first
    std::uint64_t total = 0;       ///< without paging
};

[[nodiscard]] result<draft_page> list_drafts(reader const& views, uuid const& workspace,
                                             uuid const& profile, note_filter const& filter,
                                             page const& page);

struct group_page {
    std::vector<group_row> groups; ///< newest first
    std::uint64_t total = 0;       ///< without paging
};

/// Reads the names of all groups when there is a filter, and the page alone when there is none.
[[nodiscard]] result<group_page> list_groups(reader const& views, uuid const& workspace,
                                             note_filter const& filter, page const& page);

} // namespace assay::projections
