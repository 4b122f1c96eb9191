#include "http/export/zip_writer.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <utility>

namespace assay::exporting {

namespace {

constexpr std::int64_t second_us = 1'000'000;

struct entry_closer {
    void operator()(archive_entry* e) const { archive_entry_free(e); }
};

} // namespace

void zip_writer::closer::operator()(archive* a) const
{
    archive_write_free(a);
}

zip_writer::zip_writer(sink out, instant at)
    : out_(std::move(out)), at_(at), archive_(archive_write_new())
{
    auto* const a = archive_.get();
    // The library is not told of a refusal: an archive that has failed in the middle of an entry
    // does not free what deflates it.
    auto const take = [](archive*, void* self, void const* bytes, std::size_t size) -> la_ssize_t {
        auto& me = *static_cast<zip_writer*>(self);
        if (!me.problem_)
            if (auto done = me.out_({static_cast<char const*>(bytes), size}); !done)
                me.problem_ = std::move(done.error());
        return static_cast<la_ssize_t>(size);
    };
    archive_write_set_format_zip(a);
    archive_write_set_options(a, "zip:compression=deflate,zip:compression-level=6");
    archive_write_set_bytes_per_block(a, 0);
    archive_write_set_bytes_in_last_block(a, 1);
    archive_write_open(a, this, nullptr, take, nullptr);
}

zip_writer::~zip_writer()
{
    // Freeing writes the rest of the file; nobody wants the rest of one that was given up.
    out_ = [](std::string_view) { return result<void>(); };
}

result<void> zip_writer::check(int code)
{
    if (problem_)
        return std::unexpected(*problem_);
    if (code >= ARCHIVE_OK)
        return {};
    auto const* const why = archive_error_string(archive_.get());
    return fail(errc::internal, why ? why : "the archive could not be written");
}

void zip_writer::end_entry()
{
    if (std::exchange(open_, false))
        entries_.back().sha256 = hash_.finish();
}

result<void> zip_writer::begin(std::string_view name)
{
    end_entry();
    std::unique_ptr<archive_entry, entry_closer> const e(archive_entry_new());
    entries_.push_back({std::string(name), 0, {}});
    open_ = true;
    archive_entry_set_pathname(e.get(), entries_.back().name.c_str());
    archive_entry_set_filetype(e.get(), AE_IFREG);
    archive_entry_set_perm(e.get(), 0644);
    archive_entry_set_mtime(e.get(), at_.us / second_us, 0);
    return check(archive_write_header(archive_.get(), e.get()));
}

result<void> zip_writer::write(std::string_view bytes)
{
    hash_.add(bytes);
    entries_.back().bytes += bytes.size();
    return check(static_cast<int>(archive_write_data(archive_.get(), bytes.data(), bytes.size()) < 0
                                      ? ARCHIVE_FATAL
                                      : ARCHIVE_OK));
}

std::vector<zip_writer::entry> const& zip_writer::entries()
{
    end_entry();
    return entries_;
}

result<void> zip_writer::finish()
{
    end_entry();
    return check(archive_write_close(archive_.get()));
}

} // namespace assay::exporting
