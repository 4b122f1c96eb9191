#pragma once

#include "core/domain/command.hpp"
#include "core/domain/staging.hpp"
#include "events/recorded.hpp"

#include <functional>
#include <map>
#include <random>
#include <stdexcept>
#include <vector>

namespace assay::test {

/// Short names for ids in tests: the same word, the same id.
[[nodiscard]] uuid id_of(std::string_view word);
[[nodiscard]] uuid test_id_of(std::string_view word);
[[nodiscard]] digest hash_of(std::string_view word);
[[nodiscard]] content content_of(std::string_view word);
[[nodiscard]] uuid invocation_of(uuid const& test, std::uint32_t cell);

/// The value of a result that a test needs; by value, so that it may stand in a range-for.
template <class T>
[[nodiscard]] T must(result<T> r)
{
    if (!r)
        throw std::runtime_error("a test needed what failed: " + r.error().detail);
    return std::move(*r);
}

/// A log in memory that grows by commands, decided as the pipeline decides them.
class history {
public:
    static constexpr std::int64_t start_us = 1'790'000'000'000'000;

    /// Decides `command` and appends what it leads to. The error of `decide`, or the decision.
    result<decision> take(uuid const& workspace, any_command const& command,
                          uuid const& profile = {});

    /// The same for a command that is staged, or answers a staged one.
    result<decision> take(uuid const& workspace, any_command const& command, staging const& how,
                          uuid const& profile = {});

    /// Takes a command that must be accepted.
    decision must(uuid const& workspace, any_command const& command, uuid const& profile = {});

    /// Appends events without asking the domain, as one commit.
    void append(uuid const& workspace, uuid const& partition, std::vector<draft> drafts,
                uuid const& profile = {});

    [[nodiscard]] std::vector<events::commit_ptr> const& commits() const { return commits_; }

    [[nodiscard]] partition_state const& partition(uuid const& id) const
    {
        return partitions_.at(id);
    }

    [[nodiscard]] std::map<uuid, partition_state> const& partitions() const { return partitions_; }

    [[nodiscard]] std::size_t events() const { return events_; }

    /// Microseconds between commits.
    std::int64_t step_us = 1'000;

private:
    std::vector<events::commit_ptr> commits_;
    std::map<uuid, partition_state> partitions_;
    std::map<stream_id, std::uint64_t> versions_;
    std::size_t events_ = 0;
    std::int64_t now_us_ = start_us;
};

/// A start of `models` x `scenarios` x `agents` x `repeats` cells with two standard groups.
struct start_options {
    std::uint32_t models = 2;
    std::uint32_t scenarios = 3;
    std::uint32_t agents = 1;
    std::uint32_t repeats = 1;
    std::string_view eval = "eval";
    std::string_view config = "config";
    std::vector<uuid> departments{};
    drive how = drive::automatic;
    std::optional<std::uint32_t> max_repeats{}; ///< then infinite
};

[[nodiscard]] command::start_test start_command(std::string_view word,
                                                start_options const& options = {});

/// One run of a cell from its call to its grade, as the runner records it.
[[nodiscard]] command::record_progress progress(uuid const& test, std::uint32_t cell,
                                                std::uint16_t run, outcome how = outcome::completed,
                                                std::optional<std::uint32_t> score_ppm = 1'000'000);

/// Random commands over two workspaces, about `commands` of them accepted. The same seed, the same
/// history.
[[nodiscard]] history random_history(std::uint64_t seed, std::size_t commands);

/// The log of a big run: `tests` tests of `models` models over `scenarios` scenarios, every cell
/// run and graded, four events a cell. For measuring.
void visit_big_history(std::uint32_t tests, std::uint32_t models, std::uint32_t scenarios,
                       std::function<void(events::commit_ptr)> const& visit);

} // namespace assay::test
