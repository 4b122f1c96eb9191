#pragma once

#include "core/uuid.hpp"

#include <cstdint>
#include <optional>

namespace assay {

/// What an id below a test names.
enum class grid_kind : std::uint8_t {
    test = 1,
    group,      ///< the test's conversation container
    benchmark,  ///< the test's own rollup
    invocation, ///< a cell
    run,        ///< one execution of a cell
    trace,      ///< one binding of a cell
    grade,      ///< one grading of a cell
    call,       ///< one model or tool call of a run
    message,    ///< one message of a call
    feedback,   ///< one remark below a grade
    completion, ///< the record that a cell was closed by hand
};

/// An id that leads back to its test, cell and ordinal without a row.
///
/// Big grids are implied: a million cells exist without a million records, so their ids must follow from the test. A
/// version 8 UUID (RFC 9562 §5.8) of 122 free bits holds
///
///     66 bits  of the test: the first ones of its derived id (2^33 tests until a collision is likely; a collision is
///              refused at start as an existing stream)
///      8 bits  grid_kind
///     32 bits  cell index, 0 for what belongs to the whole test
///     16 bits  ordinal among the cell's things of that kind, over all its runs
///
/// Ids of one test sort by kind, then cell, then ordinal, which is how views key their rows.
struct grid_id {
    uuid test; ///< the test's own id: kind test, index 0, ordinal 0
    grid_kind kind = grid_kind::test;
    std::uint32_t cell = 0;
    std::uint16_t ordinal = 0;

    /// Makes a test's id from any well-mixed id by keeping its first 66 bits.
    [[nodiscard]] static uuid test_id(uuid const& seed);

    /// The id of `kind` below `test`.
    [[nodiscard]] static uuid make(uuid const& test, grid_kind kind, std::uint32_t cell = 0,
                                   std::uint16_t ordinal = 0);

    /// Takes an id apart; none if it was not made by `make`.
    [[nodiscard]] static std::optional<grid_id> read(uuid const& id);

    /// Takes an id apart and asks for its kind; none if it is of another.
    [[nodiscard]] static std::optional<grid_id> read(uuid const& id, grid_kind kind);
};

} // namespace assay
