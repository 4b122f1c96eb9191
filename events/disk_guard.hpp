#pragma once

#include "core/result.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>

namespace assay::events {

/// Watches the free space of the data directory, because RocksDB aborts on ENOSPC inside Put.
///
/// Below the reserve commands are refused with 503 before RocksDB sees a full disk; reads go on;
/// above it writing resumes by itself. A ballast file inside the reserve gives an operator something
/// to delete on a disk that is full for good.
///
/// Thread-safe.
class disk_guard {
public:
    /// @param reserve_bytes  free space below which nothing is written
    /// @param ballast_bytes  size of the ballast file; 0: none
    disk_guard(std::filesystem::path dir, std::uint64_t reserve_bytes, std::uint64_t ballast_bytes);

    /// Whether there is room now. errc::unavailable says how much is free and how much is needed.
    [[nodiscard]] result<void> check() const;

    /// Whether `check` would refuse.
    [[nodiscard]] bool low() const;

    /// Makes the ballast file when there is room for it twice over.
    void place_ballast();

private:
    std::filesystem::path const dir_;
    std::uint64_t const reserve_bytes_;
    std::uint64_t const ballast_bytes_;
};

} // namespace assay::events
