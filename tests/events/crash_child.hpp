#pragma once

#include "events/store.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

/// The process that the crash test kills: it runs a pipeline with several threads and reports what
/// was acknowledged.
namespace assay::test {

/// What one acknowledged command was told.
struct acknowledged {
    std::uint64_t position = 0;
    std::uint64_t version = 0; ///< of `stream` after it
    std::string stream;
    std::string command;
};

/// The view that the child keeps: one row a commit, written in the same batch.
constexpr char const* crash_view = "crash";

/// Runs until it is killed. Each acknowledged command is one line of `fd`.
[[noreturn]] void run_crash_child(std::filesystem::path const& dir, int fd, std::uint64_t round);

/// A child process, ended by SIGKILL.
class crash_child {
public:
    /// Starts this program again as a child for `round`.
    crash_child(std::filesystem::path const& dir, std::uint64_t round);
    ~crash_child();
    crash_child(crash_child const&) = delete;
    crash_child& operator=(crash_child const&) = delete;

    /// Waits until the child has told of `lines` commands. @returns false if it ended or 20 s
    /// passed.
    bool wait_for(std::size_t lines);

    /// Kills it and reads what it still had told.
    std::vector<acknowledged> kill();

private:
    bool read_some(int timeout_ms);

    int pid_ = -1;
    int fd_ = -1;
    std::string text_;
};

} // namespace assay::test
