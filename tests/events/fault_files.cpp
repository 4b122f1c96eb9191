#include "tests/events/fault_files.hpp"

namespace assay::test {

namespace {

using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

class fault_file : public rocksdb::FSWritableFileOwnerWrapper {
public:
    fault_file(std::unique_ptr<rocksdb::FSWritableFile> target, std::string name,
               fault_files& owner)
        : FSWritableFileOwnerWrapper(std::move(target)), name_(std::move(name)), owner_(owner)
    {
    }

    IOStatus Append(rocksdb::Slice const& data, IOOptions const& options,
                    IODebugContext* context) override
    {
        return counted(data.size(),
                       [&] { return FSWritableFileOwnerWrapper::Append(data, options, context); });
    }

    IOStatus Append(rocksdb::Slice const& data, IOOptions const& options,
                    rocksdb::DataVerificationInfo const& verification,
                    IODebugContext* context) override
    {
        return counted(data.size(), [&] {
            return FSWritableFileOwnerWrapper::Append(data, options, verification, context);
        });
    }

    IOStatus Sync(IOOptions const& options, IODebugContext* context) override
    {
        return synced([&] { return FSWritableFileOwnerWrapper::Sync(options, context); });
    }

    IOStatus Fsync(IOOptions const& options, IODebugContext* context) override
    {
        return synced([&] { return FSWritableFileOwnerWrapper::Fsync(options, context); });
    }

private:
    template <class Write>
    IOStatus counted(std::uint64_t bytes, Write const& write)
    {
        if (auto failure = owner_.step(); !failure.ok())
            return failure;
        auto done = write();
        if (done.ok())
            owner_.wrote(name_, bytes);
        return done;
    }

    template <class Sync>
    IOStatus synced(Sync const& sync)
    {
        if (auto failure = owner_.step(); !failure.ok())
            return failure;
        auto done = sync();
        if (done.ok())
            owner_.synced(name_);
        return done;
    }

    std::string const name_;
    fault_files& owner_;
};

} // namespace

rocksdb::IOStatus fault_files::step()
{
    if (steps_++ < fail_at_)
        return rocksdb::IOStatus::OK();
    return rocksdb::IOStatus::IOError("injected");
}

void fault_files::wrote(std::string const& name, std::uint64_t bytes)
{
    std::lock_guard const lock(mutex_);
    files_[name].written += bytes;
}

void fault_files::synced(std::string const& name)
{
    std::lock_guard const lock(mutex_);
    auto& file = files_[name];
    file.synced = file.written;
}

rocksdb::IOStatus fault_files::NewWritableFile(std::string const& name,
                                               rocksdb::FileOptions const& options,
                                               std::unique_ptr<rocksdb::FSWritableFile>* file,
                                               rocksdb::IODebugContext* context)
{
    if (auto failure = step(); !failure.ok())
        return failure;
    std::unique_ptr<rocksdb::FSWritableFile> target;
    auto done = FileSystemWrapper::NewWritableFile(name, options, &target, context);
    if (!done.ok())
        return done;
    {
        std::lock_guard const lock(mutex_);
        files_[name] = {};
    }
    *file = std::make_unique<fault_file>(std::move(target), name, *this);
    return done;
}

rocksdb::IOStatus fault_files::ReopenWritableFile(std::string const& name,
                                                  rocksdb::FileOptions const& options,
                                                  std::unique_ptr<rocksdb::FSWritableFile>* file,
                                                  rocksdb::IODebugContext* context)
{
    if (auto failure = step(); !failure.ok())
        return failure;
    std::unique_ptr<rocksdb::FSWritableFile> target;
    auto done = FileSystemWrapper::ReopenWritableFile(name, options, &target, context);
    if (!done.ok())
        return done;
    {
        std::lock_guard const lock(mutex_);
        auto const size = std::filesystem::file_size(name);
        files_[name] = {size, size};
    }
    *file = std::make_unique<fault_file>(std::move(target), name, *this);
    return done;
}

rocksdb::IOStatus fault_files::ReuseWritableFile(std::string const& name, std::string const&,
                                                 rocksdb::FileOptions const& options,
                                                 std::unique_ptr<rocksdb::FSWritableFile>* file,
                                                 rocksdb::IODebugContext* context)
{
    return NewWritableFile(name, options, file, context); // recycled logs are not modelled
}

rocksdb::IOStatus fault_files::RenameFile(std::string const& from, std::string const& to,
                                          rocksdb::IOOptions const& options,
                                          rocksdb::IODebugContext* context)
{
    if (auto failure = step(); !failure.ok())
        return failure;
    auto done = FileSystemWrapper::RenameFile(from, to, options, context);
    std::lock_guard const lock(mutex_);
    if (auto const found = files_.find(from); done.ok() && found != files_.end()) {
        files_[to] = found->second;
        files_.erase(found);
    }
    return done;
}

rocksdb::IOStatus fault_files::DeleteFile(std::string const& name,
                                          rocksdb::IOOptions const& options,
                                          rocksdb::IODebugContext* context)
{
    if (auto failure = step(); !failure.ok())
        return failure;
    auto done = FileSystemWrapper::DeleteFile(name, options, context);
    std::lock_guard const lock(mutex_);
    if (done.ok())
        files_.erase(name);
    return done;
}

void fault_files::cut_power(bool torn)
{
    std::lock_guard const lock(mutex_);
    for (auto const& [name, file] : files_) {
        auto const lost = file.written - file.synced;
        if (std::filesystem::exists(name) && lost > 0)
            std::filesystem::resize_file(name, file.synced + (torn ? lost / 2 : 0));
    }
    files_.clear();
}

} // namespace assay::test
