#pragma once

#include "core/codec.hpp"
#include "core/hash.hpp"
#include "core/time.hpp"
#include "core/uuid.hpp"

#include <boost/describe.hpp>
#include <boost/json.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// Everything that can happen, as values. What stands in the log is these structs as canonical JSON; their type names
/// and versions are in events/catalogue.hpp. A field is never changed or removed: a new version of the type is made.
namespace assay {

/// Reference to a text that a user or a model wrote. The text itself is sealed in the blob store; whoever holds the
/// reference learns its size, nothing else.
struct content {
    digest
        address; ///< HMAC of the text under the workspace's address key: equal texts, equal addresses
    digest sealed; ///< SHA-256 of the stored, sealed bytes; checks out also when the key is gone
    uuid key;      ///< data key it is sealed under
    std::uint32_t bytes = 0; ///< length of the text
};
BOOST_DESCRIBE_STRUCT(content, (), (address, sealed, key, bytes))

BOOST_DEFINE_ENUM_CLASS(item_kind, eval, rubric, provider, model, key, agent, scenario, department,
                        profile)
BOOST_DEFINE_ENUM_CLASS(drive, automatic, manual)
BOOST_DEFINE_ENUM_CLASS(cell_status, queued, running, completed, failed, terminated)

/// How a run ended; counted apart everywhere.
BOOST_DEFINE_ENUM_CLASS(outcome, completed, refused, provider_error, timeout, not_recorded,
                        terminated)

/// Why a cell failed before it ran.
BOOST_DEFINE_ENUM_CLASS(fail_reason, key_revoked, over_budget, configuration)

BOOST_DEFINE_ENUM_CLASS(problem_kind, feature, bug, question, other)

/// An id with the name it had at that moment.
struct named {
    uuid id;
    std::string name;
};
BOOST_DESCRIBE_STRUCT(named, (), (id, name))

struct sealed_field {
    std::string field;
    content text;
};
BOOST_DESCRIBE_STRUCT(sealed_field, (), (field, text))

namespace event {

// ---- workspace, identity and files: partition = workspace ----

struct workspace_created {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(workspace_created, (), (name))

struct api_key_created {
    uuid profile;
    std::string name;
    digest secret_hash; ///< SHA-256 of the key; the key itself is shown once and kept nowhere
};
BOOST_DESCRIBE_STRUCT(api_key_created, (), (profile, name, secret_hash))

struct api_key_revoked {
    std::string reason;
};
BOOST_DESCRIBE_STRUCT(api_key_revoked, (), (reason))

/// Somebody asked for the plaintext of a provider's key. Recorded before the plaintext leaves, and never with it.
struct decrypt_attempted {
    uuid invocation; ///< as it was named; there may be none of that id
    uuid key;        ///< likewise
    bool granted = false;
    std::string reason; ///< stable word why not; empty when it was granted
};
BOOST_DESCRIBE_STRUCT(decrypt_attempted, (), (invocation, key, granted, reason))

/// A file was made. Its bytes are sealed in chunks, so that it is written and read piece by piece.
struct file_stored {
    uuid file;
    std::string name;
    std::string media_type;
    std::uint64_t bytes = 0;
    std::uint32_t chunk_bytes = 0; ///< of every chunk but the last
    std::vector<content> chunks;
    digest tag; ///< of the whole bytes under the workspace's key: equal files, equal tags
    std::uint64_t rows = 0;   ///< of its main table
    std::optional<uuid> test; ///< what it is about
    std::vector<uuid> departments;
};
BOOST_DESCRIBE_STRUCT(file_stored, (),
                      (file, name, media_type, bytes, chunk_bytes, chunks, tag, rows, test,
                       departments))

// ---- catalog: partition = workspace, stream = item ----

/// The whole item after the change. Texts stand in `texts`, everything else in `body`.
struct item_created {
    item_kind kind{};
    std::string name;
    bool active = true;
    std::vector<uuid> departments;
    boost::json::object body;
    std::vector<sealed_field> texts;
};
BOOST_DESCRIBE_STRUCT(item_created, (), (kind, name, active, departments, body, texts))

struct item_updated {
    item_kind kind{};
    std::string name;
    bool active = true;
    std::vector<uuid> departments;
    boost::json::object body;
    std::vector<sealed_field> texts;
};
BOOST_DESCRIBE_STRUCT(item_updated, (), (kind, name, active, departments, body, texts))

struct item_deleted {
    item_kind kind{};
};
BOOST_DESCRIBE_STRUCT(item_deleted, (), (kind))

// ---- test: partition and stream = test ----

struct standard_group {
    uuid id;
    std::string name;
    std::uint32_t points = 1;      ///< highest score
    std::uint32_t pass_points = 1; ///< from here on passed
};
BOOST_DESCRIBE_STRUCT(standard_group, (), (id, name, points, pass_points))

/// Starts a whole grid. Its cells are implied (grid_size in core/domain/state.hpp); `config` holds the resolved
/// models, agents, rubric and scenarios as they were.
struct test_started {
    uuid eval;
    std::string eval_name;
    std::string name;
    std::vector<named> models;
    std::vector<named> agents;
    std::uint32_t scenarios = 0;
    std::uint32_t repeats = 1;
    assay::drive drive{};
    bool infinite = false; ///< repeats are added until there are `max_repeats`
    std::optional<named> rubric;
    std::uint32_t total_points = 1;
    std::uint32_t pass_points = 1;
    std::vector<standard_group> standards;
    std::vector<uuid> departments;
    content config;
    std::vector<content> scenario_chunks; ///< the frozen scenarios, in parts that are read singly
    digest config_hash; ///< HMAC of the configuration without ids and times: what resume looks for
    std::optional<std::uint32_t> max_repeats; ///< of an infinite test; from version 2 on
};
BOOST_DESCRIBE_STRUCT(test_started, (),
                      (eval, eval_name, name, models, agents, scenarios, repeats, drive, infinite,
                       rubric, total_points, pass_points, standards, departments, config,
                       scenario_chunks, config_hash, max_repeats))

/// One more repeat of every cell of an infinite test is queued.
struct test_extended {
    std::uint32_t repeats = 0; ///< how many there are from now on
    std::uint32_t cells = 0;   ///< how many this adds
};
BOOST_DESCRIBE_STRUCT(test_extended, (), (repeats, cells))

/// Every queued cell is terminated by this one event; running ones end at their next safe point.
struct test_stopped {
    std::uint32_t queued = 0;
    std::uint32_t running = 0;
};
BOOST_DESCRIBE_STRUCT(test_stopped, (), (queued, running))

/// A cell of a stopped test was fired again.
struct test_reopened {};
BOOST_DESCRIBE_STRUCT(test_reopened, (), ())

/// The terminal write. Queued and running cells are terminated by this one event.
struct test_completed {
    std::uint32_t completed = 0;
    std::uint32_t terminated = 0; ///< cells that this event closed
};
BOOST_DESCRIBE_STRUCT(test_completed, (), (completed, terminated))

struct test_archived {
    bool archived = true;
};
BOOST_DESCRIBE_STRUCT(test_archived, (), (archived))

// ---- cell: partition = test, stream = invocation ----

/// A cell beside the grid, made by hand.
struct cell_added {
    std::uint16_t model = 0;    ///< index into the test's models
    std::uint16_t agent = 0;    ///< index into the test's agents
    std::uint32_t scenario = 0; ///< index into the frozen scenarios
    std::string title;
    bool custom = false;
};
BOOST_DESCRIBE_STRUCT(cell_added, (), (model, agent, scenario, title, custom))

struct run_started {
    std::uint16_t run = 0; ///< ordinal, from 1
};
BOOST_DESCRIBE_STRUCT(run_started, (), (run))

struct call_message {
    std::string role;
    content text;
};
BOOST_DESCRIBE_STRUCT(call_message, (), (role, text))

/// One call of the model. Recorded before the next is made, so that a restart goes on after it.
struct call_recorded {
    std::uint16_t run = 0;
    std::uint16_t call = 0;             ///< ordinal within the cell, from 1
    std::vector<call_message> messages; ///< what was sent that earlier calls of the run had not
    std::optional<content> answer;
    std::string finish_reason;
    std::string resolved_model;
    std::string provider_request_id;
    std::uint16_t attempts = 1;
    std::optional<std::uint64_t> input_tokens;
    std::optional<std::uint64_t> output_tokens;
    std::optional<std::uint64_t> cached_input_tokens;
    std::optional<std::int64_t> cost_pico; ///< 10^-12 of `currency`; none: not known
    std::optional<std::string> currency;   ///< ISO 4217
    std::uint64_t latency_us = 0;          ///< of the successful attempt
    std::uint64_t waited_us = 0;           ///< queueing and back-off before it
    bool reused = false; ///< taken from an earlier recording of the same cell hash, not paid again
};
BOOST_DESCRIBE_STRUCT(call_recorded, (),
                      (run, call, messages, answer, finish_reason, resolved_model,
                       provider_request_id, attempts, input_tokens, output_tokens,
                       cached_input_tokens, cost_pico, currency, latency_us, waited_us, reused))

struct run_ended {
    std::uint16_t run = 0;
    assay::outcome outcome{};
    std::string error_code;       ///< stable word; empty when there is an answer
    std::optional<content> error; ///< what the provider said, for people
    digest cell_hash;             ///< identity by content: reuse and dedup key on it
};
BOOST_DESCRIBE_STRUCT(run_ended, (), (run, outcome, error_code, error, cell_hash))

struct cell_failed {
    fail_reason reason{};
};
BOOST_DESCRIBE_STRUCT(cell_failed, (), (reason))

struct cell_terminated {
    std::uint16_t run = 0; ///< the run that was cut off; 0: none had begun
};
BOOST_DESCRIBE_STRUCT(cell_terminated, (), (run))

struct cell_completed {
    std::uint16_t run = 0; ///< 0: closed by hand before any run
};
BOOST_DESCRIBE_STRUCT(cell_completed, (), (run))

struct standard_score {
    uuid group;
    std::uint32_t score_ppm = 0; ///< millionths of the group's points
    bool passed = false;
};
BOOST_DESCRIBE_STRUCT(standard_score, (), (group, score_ppm, passed))

struct grade_recorded {
    std::uint16_t grade = 0;     ///< ordinal, from 1; the newest is current
    std::uint16_t run = 0;       ///< the run that was graded; 0: none
    std::uint32_t score_ppm = 0; ///< millionths of total_points
    std::uint32_t total_points = 1;
    std::uint32_t pass_points = 1;
    bool passed = false;
    std::uint64_t time_taken_us = 0;
    std::string grader; ///< "numeric/1", or "person"
    std::vector<standard_score> standards;
};
BOOST_DESCRIBE_STRUCT(grade_recorded, (),
                      (grade, run, score_ppm, total_points, pass_points, passed, time_taken_us,
                       grader, standards))

/// The answer is there, but a grader could not judge it. Never a zero.
struct grading_failed {
    std::uint16_t run = 0;
    std::string grader;
    std::string code;
};
BOOST_DESCRIBE_STRUCT(grading_failed, (), (run, grader, code))

struct feedback_recorded {
    std::uint16_t feedback = 0; ///< ordinal, from 1
    std::uint16_t grade = 0;
    uuid call;
    uuid standard_group;
    std::uint8_t score = 0; ///< 1 to 5; 0: remark only
    std::optional<content> text;
};
BOOST_DESCRIBE_STRUCT(feedback_recorded, (), (feedback, grade, call, standard_group, score, text))

/// Binds the cell to its configuration and, optionally, to one run: the anchor of replay and audit.
struct trace_opened {
    std::uint16_t trace = 0;    ///< ordinal, from 1
    std::uint16_t run = 0;      ///< 0: none bound
    boost::json::object bundle; ///< ids of tools, levels, prompts ... that the caller named
    std::vector<sealed_field> texts;
};
BOOST_DESCRIBE_STRUCT(trace_opened, (), (trace, run, bundle, texts))

// ---- notes: what is kept beside tests and catalog; partition = workspace, or the test it is about ----

/// Changes the members of a draft that are named; the others stay.
struct draft_saved {
    boost::json::object set;
    std::vector<sealed_field> texts;
};
BOOST_DESCRIBE_STRUCT(draft_saved, (), (set, texts))

/// A container for runs that belong to no test.
struct group_opened {};
BOOST_DESCRIBE_STRUCT(group_opened, (), ())

struct group_titled {
    uuid name; ///< of this title; another title has another
    std::string title;
};
BOOST_DESCRIBE_STRUCT(group_titled, (), (name, title))

struct problem_reported {
    problem_kind kind{};
    content message;
};
BOOST_DESCRIBE_STRUCT(problem_reported, (), (kind, message))

/// A write that waits to be accepted. Nothing else has happened.
struct write_staged {
    std::string operation;      ///< "test.start"
    content body;               ///< of the request
    digest body_hash;           ///< keyed; what the acknowledging request is compared with
    boost::json::object answer; ///< what the write would say
};
BOOST_DESCRIBE_STRUCT(write_staged, (), (operation, body, body_hash, answer))

/// The staged write took place, in this very commit.
struct write_accepted {};
BOOST_DESCRIBE_STRUCT(write_accepted, (), ())

struct write_rejected {};
BOOST_DESCRIBE_STRUCT(write_rejected, (), ())

} // namespace event

/// Any event. The order is of no meaning; names and versions are the catalogue's.
using event_body = std::variant<
    event::workspace_created, event::api_key_created, event::api_key_revoked, event::item_created,
    event::item_updated, event::item_deleted, event::test_started, event::test_stopped,
    event::test_reopened, event::test_completed, event::test_archived, event::cell_added,
    event::run_started, event::call_recorded, event::run_ended, event::cell_failed,
    event::cell_terminated, event::cell_completed, event::grade_recorded, event::grading_failed,
    event::feedback_recorded, event::trace_opened, event::decrypt_attempted, event::file_stored,
    event::test_extended, event::draft_saved, event::group_opened, event::group_titled,
    event::problem_reported, event::write_staged, event::write_accepted, event::write_rejected>;

template <class... F>
struct overloaded : F... {
    using F::operator()...;
};

} // namespace assay
