#pragma once

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace assay::test {

/// A file system under RocksDB that fails when told to, and that forgets what was not synced when
/// the power goes.
///
/// Counts each append, sync, creation, rename and sync of a directory as one step. From step
/// `fail_at` on every step fails and changes nothing. Thread-safe.
class fault_files : public rocksdb::FileSystemWrapper {
public:
    fault_files() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}

    [[nodiscard]] char const* Name() const override { return "fault_files"; }

    /// The next `n` steps succeed, those after them fail.
    void fail_after(std::uint64_t n) { fail_at_ = steps_ + n; }

    void heal() { fail_at_ = std::numeric_limits<std::uint64_t>::max(); }

    [[nodiscard]] std::uint64_t steps() const { return steps_; }

    /// Cuts every file that was written through here back to what was synced of it, or, with
    /// `torn`, to somewhere between that and what was written. Call when the database is closed.
    void cut_power(bool torn);

    rocksdb::IOStatus NewWritableFile(std::string const& name, rocksdb::FileOptions const& options,
                                      std::unique_ptr<rocksdb::FSWritableFile>* file,
                                      rocksdb::IODebugContext* context) override;
    rocksdb::IOStatus ReopenWritableFile(std::string const& name,
                                         rocksdb::FileOptions const& options,
                                         std::unique_ptr<rocksdb::FSWritableFile>* file,
                                         rocksdb::IODebugContext* context) override;
    rocksdb::IOStatus ReuseWritableFile(std::string const& name, std::string const& old,
                                        rocksdb::FileOptions const& options,
                                        std::unique_ptr<rocksdb::FSWritableFile>* file,
                                        rocksdb::IODebugContext* context) override;
    rocksdb::IOStatus RenameFile(std::string const& from, std::string const& to,
                                 rocksdb::IOOptions const& options,
                                 rocksdb::IODebugContext* context) override;
    rocksdb::IOStatus DeleteFile(std::string const& name, rocksdb::IOOptions const& options,
                                 rocksdb::IODebugContext* context) override;

    /// Counts one step. @returns the failure if it is to fail.
    rocksdb::IOStatus step();

    void wrote(std::string const& name, std::uint64_t bytes);
    void synced(std::string const& name);

private:
    struct extent {
        std::uint64_t written = 0;
        std::uint64_t synced = 0;
    };

    std::atomic<std::uint64_t> steps_{0};
    std::atomic<std::uint64_t> fail_at_{std::numeric_limits<std::uint64_t>::max()};
    // Guarded by mutex_.
    std::mutex mutex_;
    std::map<std::string, extent> files_;
};

/// An environment for `store_options::env` with the files above.
struct fault_env {
    std::shared_ptr<fault_files> files = std::make_shared<fault_files>();
    std::unique_ptr<rocksdb::Env> env = rocksdb::NewCompositeEnv(files);
};

} // namespace assay::test
