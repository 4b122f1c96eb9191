#pragma once

#include "http/engine/engine.hpp"
#include "projections/queries.hpp"
#include "tests/events/fixture.hpp"

#include <boost/json.hpp>

#include <cstddef>
#include <filesystem>
#include <memory>

namespace assay::test {

/// The folder of the GSM8K example.
std::filesystem::path gsm8k();

/// An engine on a directory of its own, with one workspace.
struct service {
    temporary_directory dir;
    std::unique_ptr<engine::engine> engine;
    engine::caller who;

    service();

    /// Opens the directory again after `engine.reset()`.
    void open();

    uuid create(item_kind kind, engine::item_draft draft);

    /// Starts a test of an eval. @returns its id.
    uuid start(engine::start_request const& request);

    void stop(uuid const& test);

    [[nodiscard]] projections::test_counts counts(uuid const& test) const;

    /// Waits until no cell of the test is open.
    [[nodiscard]] projections::test_counts wait_until_closed(uuid const& test) const;
};

/// Body of the provider that plays GSM8K's recordings back.
boost::json::object recorded_provider();

/// An eval of the four recorded models over the first `questions` questions, asked of `provider`.
uuid gsm8k_eval(service& s, std::size_t questions, boost::json::object provider);

} // namespace assay::test
