#include "events/anchor.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

namespace assay::events {

namespace {

constexpr std::string_view first_line = "assay anchor v1\n";

std::unexpected<error> io_error(std::string_view what, std::filesystem::path const& file)
{
    return fail(errc::io, fmt::format("{} {}: {}", what, file.string(), std::strerror(errno)));
}

struct descriptor {
    int fd;

    explicit descriptor(int f) : fd(f) {}

    descriptor(descriptor const&) = delete;
    descriptor& operator=(descriptor const&) = delete;

    ~descriptor()
    {
        if (fd >= 0)
            ::close(fd);
    }
};

result<void> write_all(int fd, std::string_view bytes, std::filesystem::path const& file)
{
    while (!bytes.empty()) {
        auto const n = ::write(fd, bytes.data(), bytes.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return io_error("cannot write", file);
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return {};
}

result<void> sync_directory(std::filesystem::path const& dir)
{
    descriptor const d(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (d.fd < 0 || ::fsync(d.fd) != 0)
        return io_error("cannot sync", dir);
    return {};
}

} // namespace

result<void> replace_file(std::filesystem::path const& file, std::string_view bytes, unsigned mode,
                          std::string_view suffix)
{
    auto const temporary = std::filesystem::path(file.string().append(suffix));
    auto const written = [&]() -> result<void> {
        descriptor const out(
            ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
        if (out.fd < 0)
            return io_error("cannot create", temporary);
        ASSAY_CHECK(write_all(out.fd, bytes, temporary));
        if (::fsync(out.fd) != 0)
            return io_error("cannot sync", temporary);
        if (::rename(temporary.c_str(), file.c_str()) != 0)
            return io_error("cannot rename", temporary);
        return {};
    }();
    if (!written) {
        ::unlink(temporary.c_str());
        return written;
    }
    return sync_directory(file.parent_path());
}

result<void> make_directories(std::filesystem::path const& dir)
{
    std::error_code ec;
    if (dir.empty() || std::filesystem::is_directory(dir, ec))
        return {};
    auto const parent = dir.parent_path();
    ASSAY_CHECK(make_directories(parent));
    if (::mkdir(dir.c_str(), 0755) != 0 && errno != EEXIST)
        return io_error("cannot create", dir);
    return sync_directory(parent.empty() ? "." : parent);
}

result<void> shred_file(std::filesystem::path const& file)
{
    {
        descriptor const out(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
        if (out.fd < 0)
            return errno == ENOENT ? result<void>{} : io_error("cannot open", file);
        std::error_code ec;
        auto const size = std::filesystem::file_size(file, ec);
        if (ec)
            return io_error("cannot look at", file);
        ASSAY_CHECK(write_all(out.fd, std::string(size, '\0'), file));
        if (::fsync(out.fd) != 0)
            return io_error("cannot sync", file);
    }
    if (::unlink(file.c_str()) != 0)
        return io_error("cannot remove", file);
    return sync_directory(file.parent_path());
}

result<std::string> read_file(std::filesystem::path const& file)
{
    std::ifstream in(file, std::ios::binary);
    if (!in)
        return fail(errc::not_found, fmt::format("cannot read {}", file.string()));
    return std::string(std::istreambuf_iterator<char>(in), {});
}

result<std::optional<anchor>> read_anchor(std::filesystem::path const& file)
{
    if (!std::filesystem::exists(file))
        return std::nullopt;
    ASSAY_TRY(auto text, read_file(file));
    std::string_view rest = text;
    anchor a;
    if (rest.starts_with(first_line)) {
        rest.remove_prefix(first_line.size());
        auto const end = rest.find('\n');
        auto const number = rest.substr(0, end);
        auto const [at, ec] = std::from_chars(number.data(), number.data() + number.size(), a.size);
        if (end != std::string_view::npos && ec == std::errc{} &&
            at == number.data() + number.size()) {
            rest.remove_prefix(end + 1);
            auto const root = rest.size() == 65 ? digest::parse(rest.substr(0, 64)) : std::nullopt;
            if (root) {
                a.root = *root;
                return a;
            }
        }
    }
    return fail(errc::corrupt, fmt::format("{} is no anchor file", file.string()));
}

result<void> write_anchor(std::filesystem::path const& file, anchor const& a)
{
    return replace_file(file, fmt::format("{}{}\n{}\n", first_line, a.size, a.root.hex()));
}

} // namespace assay::events
