#pragma once

#include "core/result.hpp"
#include "core/sha256_stream.hpp"
#include "core/time.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct archive;

namespace assay::exporting {

/// Writes a ZIP file as a stream. The same entries with the same time give the same bytes: deflate
/// at a fixed level, owner and mode fixed, nothing of the clock or the machine. (Times in a ZIP are
/// local ones; our programs run in UTC.)
///
/// Not thread-safe.
class zip_writer {
public:
    /// Takes the next bytes of the file.
    using sink = std::function<result<void>(std::string_view)>;

    /// @param at  the time of every entry, in whole seconds
    zip_writer(sink out, instant at);
    ~zip_writer();
    zip_writer(zip_writer const&) = delete;
    zip_writer& operator=(zip_writer const&) = delete;

    /// What became of an entry.
    struct entry {
        std::string name;
        std::uint64_t bytes = 0;
        digest sha256;
    };

    /// Begins an entry, which ends when the next begins.
    [[nodiscard]] result<void> begin(std::string_view name);
    [[nodiscard]] result<void> write(std::string_view bytes);

    /// Ends the entry that is open. @returns all there are.
    [[nodiscard]] std::vector<entry> const& entries();

    /// Ends the file.
    [[nodiscard]] result<void> finish();

private:
    [[nodiscard]] result<void> check(int code);
    void end_entry();

    struct closer {
        void operator()(archive* a) const;
    };

    sink out_;
    instant const at_;
    std::unique_ptr<archive, closer> archive_;
    std::optional<error> problem_; ///< of the sink
    std::vector<entry> entries_;
    bool open_ = false;
    sha256_stream hash_;
};

} // namespace assay::exporting
