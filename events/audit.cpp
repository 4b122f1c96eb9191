#include "events/audit.hpp"

#include "events/anchor.hpp"
#include "events/merkle.hpp"
#include "events/record.hpp"
#include "events/store.hpp"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>

#include <array>
#include <memory>

namespace assay::events {

namespace {

constexpr std::uint64_t progress_every = 256;

/// The families that a check reads, opened without any of the store's own checks: these stop at the
/// first thing that is wrong and do not say where in the log it is.
class bare_log {
public:
    enum : std::size_t { log, tree, meta };

    static result<std::unique_ptr<bare_log>> open(std::filesystem::path const& dir)
    {
        auto const path = (dir / "db").string();
        if (!std::filesystem::is_directory(path))
            return fail(errc::not_found, fmt::format("there is no log in {}", dir.string()));
        auto strict = open_as(path, rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords);
        if (strict)
            return strict;
        // Damage inside the write-ahead log. Passing over what does not check out shows which
        // positions it takes away.
        auto lenient = open_as(path, rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords);
        if (!lenient)
            return strict;
        (*lenient)->complaint_ = strict.error().detail;
        return lenient;
    }

    ~bare_log()
    {
        for (auto* h : handles_)
            db_->DestroyColumnFamilyHandle(h);
        db_->Close();
    }

    bare_log(bare_log const&) = delete;
    bare_log& operator=(bare_log const&) = delete;

    /// What the database said when it was opened strictly; empty when it was content.
    [[nodiscard]] std::string const& complaint() const { return complaint_; }

    [[nodiscard]] result<std::optional<std::string>> get(std::size_t family,
                                                         std::string const& key) const
    {
        std::string value;
        auto const s = db_->Get({}, handles_[family + 1], key, &value);
        if (s.IsNotFound())
            return std::nullopt;
        if (!s.ok())
            return fail(errc::corrupt, s.ToString());
        return value;
    }

    [[nodiscard]] std::unique_ptr<rocksdb::Iterator> iterate(std::size_t family) const
    {
        rocksdb::ReadOptions options;
        options.readahead_size = 2 << 20;
        options.fill_cache = false;
        return std::unique_ptr<rocksdb::Iterator>(db_->NewIterator(options, handles_[family + 1]));
    }

private:
    bare_log() = default;

    static result<std::unique_ptr<bare_log>> open_as(std::string const& path,
                                                     rocksdb::WALRecoveryMode mode)
    {
        rocksdb::DBOptions options;
        options.wal_recovery_mode = mode;
        options.paranoid_checks = false;
        std::vector<rocksdb::ColumnFamilyDescriptor> families;
        for (auto const* name : {"default", "log", "tree", "meta"})
            families.emplace_back(name, rocksdb::ColumnFamilyOptions{});
        std::unique_ptr<bare_log> out(new bare_log);
        rocksdb::DB* db = nullptr;
        auto const s = rocksdb::DB::OpenForReadOnly(options, path, families, &out->handles_, &db);
        out->db_.reset(db);
        if (!s.ok())
            return fail(s.IsCorruption() ? errc::corrupt : errc::io, s.ToString());
        return out;
    }

    std::vector<rocksdb::ColumnFamilyHandle*> handles_;
    std::unique_ptr<rocksdb::DB> db_;
    std::string complaint_;
};

log_report::damage at_position(std::uint64_t position, std::string what)
{
    return {position, std::move(what)};
}

/// verify_record's words without the position that they begin with: it is reported beside them.
std::string without_position(std::string detail)
{
    auto const colon = detail.find(": ");
    return detail.starts_with("position ") && colon != std::string::npos ? detail.substr(colon + 2)
                                                                         : detail;
}

/// One pass over log and tree at once.
class check {
public:
    check(bare_log const& source, log_report& report) : source_(source), report_(report) {}

    result<void> run(std::uint64_t size, std::optional<anchor> const& kept,
                     std::function<bool(std::uint64_t, std::uint64_t)> const& progress)
    {
        auto const records = source_.iterate(bare_log::log);
        auto const leaves = source_.iterate(bare_log::tree);
        records->SeekToFirst();
        leaves->SeekToFirst();
        while (!report_.found) {
            auto const position = report_.sound;
            if (position % progress_every == 0 && progress && !progress(position, size))
                return fail(errc::cancelled, "the check was ended");
            if (kept && kept->size == position)
                anchor_root_ = tree_.root();
            if (!records->Valid()) {
                end_of_records(*records, size);
                return {};
            }
            if (position >= size)
                report_.found = at_position(
                    position,
                    fmt::format("the log goes on beyond the {} commits of its tree", size));
            else
                take(position, *records, *leaves);
            records->Next();
            if (leaves->Valid())
                leaves->Next();
        }
        return {};
    }

    [[nodiscard]] merkle::frontier const& tree() const { return tree_; }

    [[nodiscard]] std::optional<digest> const& anchor_root() const { return anchor_root_; }

private:
    void end_of_records(rocksdb::Iterator const& records, std::uint64_t size)
    {
        if (!records.status().ok())
            report_.found = at_position(
                report_.sound, fmt::format("cannot be read: {}", records.status().ToString()));
        else if (report_.sound < size)
            report_.found = at_position(report_.sound, missing());
    }

    std::string missing() const
    {
        return source_.complaint().empty()
                   ? "is missing from the log"
                   : fmt::format("is missing from the log: {}", source_.complaint());
    }

    void take(std::uint64_t position, rocksdb::Iterator const& record,
              rocksdb::Iterator const& leaf)
    {
        auto const key = record.key().ToStringView();
        if (key.size() != 8 || read_be64(key) != position) {
            report_.found = at_position(position, missing());
            return;
        }
        auto const bytes = record.value().ToStringView();
        auto const hash = verify_record(position, bytes);
        if (!hash) {
            report_.found = at_position(position, without_position(hash.error().detail));
            return;
        }
        bool const there =
            leaf.Valid() && leaf.key().ToStringView() == store::tree_key(0, position);
        if (!there || leaf.value().ToStringView() != hash->raw()) {
            auto const why =
                leaf.Valid() || leaf.status().ok()
                    ? std::string(there ? "the tree has another hash for it"
                                        : "the tree has no hash for it")
                    : fmt::format("the tree's hash cannot be read: {}", leaf.status().ToString());
            report_.found = at_position(position, why);
            return;
        }
        tree_.append(*hash);
        report_.bytes += bytes.size();
        report_.events += read_record(bytes)->payloads.size();
        report_.sound = position + 1;
    }

    bare_log const& source_;
    log_report& report_;
    merkle::frontier tree_;
    std::optional<digest> anchor_root_;
};

/// What is wrong between the tree and the anchor, once every record checks out.
std::optional<log_report::damage> compare_roots(log_report const& report,
                                                merkle::frontier const& stored,
                                                std::optional<anchor> const& kept,
                                                std::optional<digest> const& anchor_root)
{
    if (stored.root() != report.root)
        return log_report::damage{std::nullopt, "the stored root is not the root of the commits"};
    if (kept && kept->size > report.commits)
        return at_position(
            report.commits,
            fmt::format(
                "is missing: the anchor saw {} commits, the log ends after {}; commits were lost, "
                "or an older copy was put in place",
                kept->size, report.commits));
    if (kept && (!anchor_root || *anchor_root != kept->root))
        return log_report::damage{
            std::nullopt, fmt::format("the first {} commits do not have the root that the anchor "
                                      "saw: history was rewritten",
                                      kept->size)};
    return std::nullopt;
}

} // namespace

result<log_report> check_log(std::filesystem::path const& dir,
                             std::function<bool(std::uint64_t, std::uint64_t)> const& progress)
{
    ASSAY_TRY(auto const source, bare_log::open(dir));
    log_report report;
    auto const kept = read_anchor(dir / "anchor");
    if (kept && *kept)
        report.anchored = (*kept)->size;

    merkle::frontier stored;
    auto const row = source->get(bare_log::meta, "tree");
    auto const read =
        !row || !*row ? result<merkle::frontier>{} : merkle::frontier::from_bytes(**row);
    if (!row || !read)
        report.found = log_report::damage{
            std::nullopt, fmt::format("the tree's root cannot be read: {}",
                                      !row ? row.error().detail : read.error().detail)};
    else
        stored = *read;
    report.commits = stored.size();

    check pass(*source, report);
    auto const no_root = std::exchange(report.found, std::nullopt);
    ASSAY_CHECK(
        pass.run(no_root ? UINT64_MAX : stored.size(), kept ? *kept : std::nullopt, progress));
    report.root = pass.tree().root();
    if (no_root) {
        report.commits = report.sound;
        report.found = no_root;
    }
    if (!report.found)
        report.found =
            compare_roots(report, stored, kept ? *kept : std::nullopt, pass.anchor_root());
    if (!report.found && !kept)
        report.found = log_report::damage{std::nullopt, kept.error().detail};
    if (!report.found && !source->complaint().empty())
        report.found = log_report::damage{
            std::nullopt, fmt::format("every commit is whole, but the database does not open: {}",
                                      source->complaint())};
    return report;
}

} // namespace assay::events
