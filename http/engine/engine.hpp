#pragma once

#include "core/domain/command.hpp"
#include "core/result.hpp"
#include "events/blobs.hpp"
#include "events/pipeline.hpp"
#include "events/store.hpp"
#include "events/vault.hpp"
#include "http/engine/frozen_config.hpp"
#include "projections/catalog.hpp"
#include "projections/identity.hpp"
#include "projections/projector.hpp"
#include "projections/tests.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The command interface and the query interface: what routes, the command line and the runner all call. No sockets.
///
/// A command goes in two steps. `prepare_*` reads what the command refers to, checks values, seals
/// texts and derives ids;
/// it runs on the caller's thread. `give` hands the result to the commit pipeline and answers after the sync.
namespace assay::engine {

struct engine_options {
    std::filesystem::path data_dir{};
    events::store_options store{};
    events::pipeline_options pipeline{};
    /// Written to `holder` in the data directory, for those who find it locked: a URL, or what this process does.
    std::string holder{};
    /// Folders whose files the `recorded` provider may read.
    std::vector<std::filesystem::path> recording_roots{};
};

/// Who asks, and how the asking can be told from other askings.
struct caller {
    uuid workspace{};
    uuid profile{};
    events::channel channel = events::channel::api;
    std::string idempotency_key{}; ///< empty: none
    std::string body{};            ///< canonical request body; compared when a key is used again
    std::string request_id{};      ///< empty: none
    /// The command is staged, or answers the one that was staged under the idempotency key.
    std::optional<staging_step> staging{};
};

/// A command ready for the pipeline.
using prepared = events::submission;

/// One catalog item as somebody wants it. `body` holds the unsealed members, `texts` what users wrote.
struct item_draft {
    std::optional<uuid> id{}; ///< with create: preset id; with update: which
    std::string name{};
    bool active = true;
    std::vector<uuid> departments{};
    boost::json::object body{};
    std::vector<std::pair<std::string, std::string>> texts{}; ///< field -> text
};

/// A catalog item with its texts resolved.
struct item {
    projections::item_row row;
    boost::json::object body; ///< also the members that were too large for the event
    std::vector<std::pair<std::string, std::string>>
        texts; ///< an erased text is absent and named in `erased`
    std::vector<std::string> erased;
};

struct start_request {
    uuid eval{};
    std::optional<std::vector<uuid>> models{};    ///< none: the eval's
    std::optional<std::vector<uuid>> scenarios{}; ///< none: the eval's
    std::optional<std::vector<uuid>>
        agents{}; ///< none: the eval's; none there either: one plain agent
    std::string name{};
    std::uint32_t repeats = 1;
    assay::drive drive = assay::drive::automatic;
    std::optional<bool> infinite{}; ///< none: as the eval says
    std::optional<std::uint32_t>
        max_repeats{}; ///< where an infinite test ends; none: the eval's, which then must have one
    bool reuse = false;
    bool resume =
        false; ///< answer with the newest unfinished test of the same configuration instead, if there is one
};

/// What a start would do: the command, or the unfinished test that goes on.
struct prepared_start {
    std::optional<uuid> resumed; ///< then there is no command
    prepared command;
};

/// A data directory in service: log, views, vault and their writer.
///
/// Thread-safe.
class engine {
public:
    /// Opens or creates the directory, rebuilds views whose shape has changed, sweeps what a crash left.
    [[nodiscard]] static result<std::unique_ptr<engine>> open(engine_options options);

    ~engine();
    engine(engine const&) = delete;
    engine& operator=(engine const&) = delete;

    // ---- asking ----

    /// All views at one position.
    [[nodiscard]] std::shared_ptr<projections::reader const> read() const;

    [[nodiscard]] events::store& log() const { return *store_; }

    [[nodiscard]] projections::projector& views() const { return *projector_; }

    [[nodiscard]] events::pipeline& pipeline() const { return *pipeline_; }

    [[nodiscard]] events::vault& keys() const { return *vault_; }

    /// Where sealed chunks of a file are stored before the command that makes it.
    [[nodiscard]] events::blob_store& blobs() const { return *blobs_; }

    [[nodiscard]] engine_options const& options() const { return options_; }

    /// The text behind a reference; errc::gone with reason "erased" when its key was destroyed.
    [[nodiscard]] result<std::string> text(uuid const& workspace, content const& c) const;

    [[nodiscard]] result<item> read_item(projections::reader const& views, uuid const& workspace,
                                         item_kind kind, uuid const& id) const;
    [[nodiscard]] result<item> resolve(uuid const& workspace, projections::item_row row) const;

    /// A test's frozen configuration; shared, from a small cache.
    [[nodiscard]] result<std::shared_ptr<frozen_config const>>
    config_of(projections::test_row const& test) const;

    /// One chunk of its scenarios: numbers [chunk * scenario_chunk, ...).
    [[nodiscard]] result<std::shared_ptr<std::vector<frozen_scenario> const>>
    scenarios_of(projections::test_row const& test, std::uint32_t chunk) const;

    /// One scenario by its number in the test.
    [[nodiscard]] result<frozen_scenario> scenario_of(projections::test_row const& test,
                                                      std::uint32_t number) const;

    /// Builds views anew from the log beside live traffic and puts them into service; all, if `names` is empty.
    [[nodiscard]] result<std::vector<projections::rebuilt_view>>
    refresh(std::vector<std::string> const& names) const;

    // ---- commanding ----

    /// A command with the caller's identity, idempotency and request hashes filled in. `operation` is e.g. "test.stop".
    /// `part` tells the commits of one request apart (item 17 of a bulk create).
    [[nodiscard]] result<prepared> prepare(caller const& who, std::string operation,
                                           any_command command, std::uint64_t part = 0) const;

    /// The id of the command that `who`'s request is: derived from the idempotency key, else fresh.
    /// Ids minted by the request
    /// derive from it.
    [[nodiscard]] result<uuid> command_id(caller const& who, std::string_view operation) const;

    /// A new item. Its id follows from the command, so a repeated request makes no second one.
    [[nodiscard]] result<prepared> prepare_create(caller const& who, item_kind kind,
                                                  item_draft draft, std::uint64_t part = 0) const;
    [[nodiscard]] result<prepared> prepare_update(caller const& who, item_kind kind,
                                                  item_draft draft, std::uint64_t part = 0) const;

    /// Freezes the configuration and makes the start. errc::not_found for ids of nothing,
    /// errc::invalid for an empty grid,
    /// a deleted or inactive item, a grader that does not parse.
    [[nodiscard]] result<prepared_start> prepare_start(caller const& who,
                                                       start_request const& request) const;

    /// Seals a text for a command of `workspace`, adding the blob to `into`.
    [[nodiscard]] result<content> seal(uuid const& workspace, std::string_view text,
                                       events::blob_list& into) const;

    /// The body of the request that was staged under the caller's key.
    ///
    /// @returns errc::invalid with reason "nothing_staged" when there is none.
    [[nodiscard]] result<json::object> staged_body(caller const& who,
                                                   std::string_view operation) const;

    /// Asks what an earlier command with the caller's key was answered; given, it leads to a
    /// receipt that is `replayed` if there was one, and writes nothing.
    [[nodiscard]] result<prepared> prepare_replay(caller const& who, std::string operation) const;

    void give(prepared command, events::pipeline::done done) const;
    [[nodiscard]] result<events::receipt> give_and_wait(prepared command) const;

    // ---- identity ----

    /// Makes a workspace with its keys, an administrator profile and an API key for it.
    struct new_workspace {
        uuid workspace;
        uuid profile;
        uuid api_key;
        std::string secret; ///< the API key itself: shown once, kept nowhere
    };

    [[nodiscard]] result<new_workspace> create_workspace(std::string name);

    struct new_api_key {
        uuid id;
        std::string secret;
    };

    [[nodiscard]] result<new_api_key> create_api_key(caller const& who, uuid const& profile,
                                                     std::string name);

private:
    explicit engine(engine_options options);
    [[nodiscard]] result<prepared> prepare_save(caller const& who, item_kind kind, item_draft draft,
                                                std::uint64_t part, std::string operation,
                                                bool create) const;
    [[nodiscard]] result<void> add_staging(caller const& who, std::uint64_t part,
                                           prepared& p) const;

    engine_options const options_;
    std::unique_ptr<events::store> store_;
    std::unique_ptr<events::vault> vault_;
    std::unique_ptr<events::blob_store> blobs_;
    std::unique_ptr<projections::projector> projector_;
    std::unique_ptr<events::pipeline> pipeline_;
    struct caches;
    std::unique_ptr<caches> caches_;
};

/// How an API key looks: "assay_" and 43 characters of base64url (256 random bits). Only its SHA-256 is stored.
[[nodiscard]] std::string make_api_key();

/// What is looked up for a key that a client sent.
[[nodiscard]] digest api_key_hash(std::string_view key);

} // namespace assay::engine
