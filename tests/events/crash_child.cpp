#include "tests/events/crash_child.hpp"

#include "tests/core/random.hpp"
#include "tests/events/fixture.hpp"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <future>
#include <poll.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace assay::test {

namespace {

using namespace events;

constexpr int submitters = 4;

/// Writes one row for each commit, with the log or not at all.
class row_view final : public view_port {
public:
    explicit row_view(store& s) : rows_(s.view_family(crash_view, 1).value()) {}

    result<void> stage(commit const& c) override
    {
        staged_.push_back(c.head.position);
        return {};
    }

    void collect(rocksdb::WriteBatch& batch) override
    {
        for (auto const position : staged_)
            batch.Put(rows_, be64(position), be64(position));
        staged_.clear();
    }

private:
    rocksdb::ColumnFamilyHandle* const rows_;
    std::vector<std::uint64_t> staged_;
};

/// The child's commands, given from several threads.
class crash_load {
public:
    crash_load(std::filesystem::path const& dir, int fd, std::uint64_t round)
        : store_(store::open(dir).value()), view_(*store_), vault_(open_vault(dir)), fd_(fd),
          round_(round)
    {
        writer_ = std::make_unique<pipeline>(*store_, *vault_, view_, options());
    }

    [[noreturn]] void run()
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < submitters; ++i)
            threads.emplace_back([this, i] { submit(i); });
        for (;;)
            ::pause();
    }

private:
    static pipeline_options options()
    {
        pipeline_options o;
        o.ballast_bytes = 0;
        o.anchor_interval = std::chrono::milliseconds{20};
        return o;
    }

    std::unique_ptr<vault> open_vault(std::filesystem::path const& dir)
    {
        auto v = vault::open(dir).value();
        (void)v->create_keys(workspace_).value();
        (void)blob_store(*store_, *v).sweep().value();
        return v;
    }

    void submit(int thread)
    {
        dice dice(round_ * 100 + static_cast<std::uint64_t>(thread));
        for (int n = 0;; ++n) {
            auto const test_id =
                a_test_id(fmt::format("round {} thread {} test {}", round_, thread, n));
            give_item(fmt::format("round {} thread {} item {}", round_, thread, n),
                      dice.chance(30) ? 100'000 : 500);
            give(a_start(test_id, 1, 20));
            for (std::uint32_t cell = 0; cell < 20; ++cell) {
                give(command::run_cell{test_id, cell});
                command::record_progress end;
                end.test = test_id;
                end.cell = cell;
                end.run = 1;
                end.ended.emplace();
                give(end);
                command::grade_cell grade;
                grade.test = test_id;
                grade.cell = cell;
                grade.full = true;
                give(grade);
            }
        }
    }

    void give(any_command c, blob_list blobs = {})
    {
        submission s;
        s.actor = {workspace_, {}, channel::system};
        s.command_id = random_uuid_v7(1'700'000'000'000'000);
        s.operation = "crash";
        s.command = std::move(c);
        s.blobs = std::move(blobs);
        auto const id = s.command_id;
        std::promise<void> answered;
        writer_->submit(std::move(s), [&](result<receipt> const& r) {
            if (r)
                tell(*r, id);
            answered.set_value();
        });
        answered.get_future().wait();
    }

    void give_item(std::string const& name, std::size_t bytes)
    {
        command::save_item c;
        c.id = derive_uuid(name);
        c.item.kind = item_kind::agent;
        c.item.name = name;
        blob_list blobs;
        auto const text = name + std::string(bytes, 'x');
        c.item.texts.push_back(
            {"instructions", seal(*vault_->keys_of(workspace_).value(), text, blobs)});
        give(c, std::move(blobs));
    }

    /// On the writer's thread, after the sync.
    void tell(receipt const& r, uuid const& id)
    {
        // Commits of a drain are heard before the first of them is answered; all of them lie in the
        // log.
        auto const c = store_->read(*r.position).value();
        auto const& last = c->events.back();
        auto const line =
            fmt::format("{} {} {} {}\n", *r.position, last.version, last.stream.text(), id.text());
        if (::write(fd_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
            std::_Exit(1);
    }

    uuid const workspace_ = derive_uuid("crash workspace");
    std::unique_ptr<store> store_;
    row_view view_;
    std::unique_ptr<vault> vault_;
    int const fd_;
    std::uint64_t const round_;
    std::unique_ptr<pipeline> writer_;
};

} // namespace

void run_crash_child(std::filesystem::path const& dir, int fd, std::uint64_t round)
{
    crash_load(dir, fd, round).run();
}

crash_child::crash_child(std::filesystem::path const& dir, std::uint64_t round)
{
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    auto const parent = ::getpid();
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ == 0) {
        // RocksDB's threads do not survive a fork, so the child is the program anew.
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent)
            ::_exit(1);
        ::close(ends[0]);
        auto const fd = std::to_string(ends[1]);
        auto const number = std::to_string(round);
        ::setenv("ASSAY_CRASH_DIR", dir.c_str(), 1);
        ::setenv("ASSAY_CRASH_FD", fd.c_str(), 1);
        ::setenv("ASSAY_CRASH_ROUND", number.c_str(), 1);
        ::execl("/proc/self/exe", "test_events", "[.crash_child]", static_cast<char*>(nullptr));
        ::_exit(127);
    }
    ::close(ends[1]);
    fd_ = ends[0];
}

crash_child::~crash_child()
{
    if (pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    if (fd_ >= 0)
        ::close(fd_);
}

bool crash_child::read_some(int timeout_ms)
{
    pollfd p{fd_, POLLIN, 0};
    if (::poll(&p, 1, timeout_ms) <= 0)
        return false;
    char buffer[65536];
    auto const n = ::read(fd_, buffer, sizeof buffer);
    if (n <= 0)
        return false;
    text_.append(buffer, static_cast<std::size_t>(n));
    return true;
}

bool crash_child::wait_for(std::size_t lines)
{
    while (static_cast<std::size_t>(std::count(text_.begin(), text_.end(), '\n')) < lines) {
        if (!read_some(60'000))
            return false;
    }
    return true;
}

std::vector<acknowledged> crash_child::kill()
{
    ::kill(pid_, SIGKILL);
    while (read_some(20'000)) {
    }
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
    std::vector<acknowledged> out;
    std::istringstream in(text_.substr(0, text_.rfind('\n') + 1));
    for (acknowledged a; in >> a.position >> a.version >> a.stream >> a.command;)
        out.push_back(a);
    return out;
}

} // namespace assay::test

TEST_CASE("the process that the crash test kills", "[.crash_child]")
{
    auto const* const dir = std::getenv("ASSAY_CRASH_DIR");
    auto const* const fd = std::getenv("ASSAY_CRASH_FD");
    auto const* const round = std::getenv("ASSAY_CRASH_ROUND");
    REQUIRE((dir && fd && round));
    assay::test::run_crash_child(dir, std::atoi(fd), std::strtoull(round, nullptr, 10));
}
