#pragma once

#include "events/pipeline.hpp"

#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <string>
#include <unistd.h>

namespace assay::test {

/// A directory of its own that goes with the test.
class temporary_directory {
public:
    temporary_directory()
    {
        static std::atomic<int> count{0};
        path_ = std::filesystem::temp_directory_path() /
                fmt::format("assay-test-{}-{}", ::getpid(), ++count);
        std::filesystem::create_directories(path_);
    }

    ~temporary_directory()
    {
        std::error_code ec;
        std::filesystem::remove_all(path_, ec);
    }

    temporary_directory(temporary_directory const&) = delete;
    temporary_directory& operator=(temporary_directory const&) = delete;

    [[nodiscard]] std::filesystem::path const& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// A log with its writer, opened on a directory.
struct log_fixture {
    std::unique_ptr<events::store> store;
    std::unique_ptr<events::vault> vault;
    events::no_views none;
    std::unique_ptr<events::pipeline> writer;
    uuid workspace = uuid::parse("0192f0c0-0000-7000-8000-000000000001").value();

    explicit log_fixture(std::filesystem::path const& dir, events::view_port* views = nullptr,
                         events::pipeline_options options = {})
    {
        options.ballast_bytes = 0;
        store = events::store::open(dir).value();
        vault = events::vault::open(dir).value();
        (void)vault->create_keys(workspace).value();
        writer = std::make_unique<events::pipeline>(*store, *vault, views ? *views : none,
                                                    std::move(options));
    }

    events::submission submission(std::string operation, any_command c) const
    {
        events::submission s;
        s.actor = {workspace, {}, events::channel::system};
        s.command_id = events::random_uuid_v7(1'700'000'000'000'000);
        s.operation = std::move(operation);
        s.command = std::move(c);
        return s;
    }

    result<events::receipt> give(std::string operation, any_command c)
    {
        return writer->submit_and_wait(submission(std::move(operation), std::move(c)));
    }
};

/// A start of `models` x `scenarios` x 1 agent.
inline command::start_test a_start(uuid const& test, std::uint32_t models, std::uint32_t scenarios)
{
    command::start_test c;
    c.test = test;
    c.started.eval = derive_uuid("eval");
    c.started.eval_name = "eval";
    for (std::uint32_t i = 0; i < models; ++i)
        c.started.models.push_back(
            {derive_uuid(fmt::format("model {}", i)), fmt::format("model {}", i)});
    c.started.agents.push_back({derive_uuid("agent"), "agent"});
    c.started.scenarios = scenarios;
    return c;
}

inline uuid a_test_id(std::string_view name)
{
    return grid_id::test_id(derive_uuid(name));
}

} // namespace assay::test
