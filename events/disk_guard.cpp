#include "events/disk_guard.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace assay::events {

namespace {

std::uint64_t free_bytes(std::filesystem::path const& dir)
{
    struct statvfs s{};
    if (::statvfs(dir.c_str(), &s) != 0)
        return 0;
    return std::uint64_t{s.f_bavail} * s.f_frsize;
}

constexpr std::uint64_t mib = 1 << 20;

} // namespace

disk_guard::disk_guard(std::filesystem::path dir, std::uint64_t reserve_bytes,
                       std::uint64_t ballast_bytes)
    : dir_(std::move(dir)), reserve_bytes_(reserve_bytes), ballast_bytes_(ballast_bytes)
{
}

bool disk_guard::low() const
{
    return free_bytes(dir_) < reserve_bytes_;
}

result<void> disk_guard::check() const
{
    auto const free = free_bytes(dir_);
    if (free >= reserve_bytes_)
        return {};
    error e{errc::unavailable,
            fmt::format("the disk is nearly full: {} MiB free, {} MiB are kept in reserve; reads "
                        "go on, writing resumes "
                        "when there is room",
                        free / mib, reserve_bytes_ / mib),
            "disk_reserve"};
    e.retry_after_ms = 5000;
    return std::unexpected(std::move(e));
}

void disk_guard::place_ballast()
{
    auto const file = dir_ / "ballast";
    std::error_code ec;
    if (ballast_bytes_ == 0 || std::filesystem::exists(file, ec) ||
        free_bytes(dir_) < reserve_bytes_ + 2 * ballast_bytes_)
        return;
    int const fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return;
    // Best effort: a log without ballast is as safe, only less comfortable to rescue.
    if (::posix_fallocate(fd, 0, static_cast<off_t>(ballast_bytes_)) != 0)
        std::filesystem::remove(file, ec);
    ::close(fd);
}

} // namespace assay::events
