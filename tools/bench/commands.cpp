#include "core/json.hpp"
#include "tools/bench/load.hpp"
#include "tools/bench/served.hpp"

#include <fmt/format.h>
#include <rocksdb/db.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace assay::tools::bench {

namespace {

constexpr std::uint64_t requests = 40'000; ///< of each side in a round
constexpr std::size_t rounds = 7;
constexpr std::uint32_t cells = 4096;

/// The floor: one writer that groups what waits into one synced write of opaque records.
class bare_writer {
public:
    static result<std::unique_ptr<bare_writer>> open(std::filesystem::path const& dir)
    {
        auto w = std::make_unique<bare_writer>();
        rocksdb::Options options;
        options.create_if_missing = true;
        options.compression = rocksdb::kLZ4Compression;
        rocksdb::DB* db = nullptr;
        if (auto const s = rocksdb::DB::Open(options, dir.string(), &db); !s.ok())
            return fail(errc::io, s.ToString());
        w->db_.reset(db);
        w->thread_ = std::jthread([p = w.get()](std::stop_token stop) { p->run(stop); });
        return w;
    }

    void put(std::string record, std::move_only_function<void()> done)
    {
        {
            std::lock_guard const lock(mutex_);
            queue_.emplace_back(std::move(record), std::move(done));
        }
        wake_.notify_one();
    }

private:
    void run(std::stop_token const& stop)
    {
        std::vector<std::pair<std::string, std::move_only_function<void()>>> work;
        for (;;) {
            {
                std::unique_lock lock(mutex_);
                if (!wake_.wait(lock, stop, [this] { return !queue_.empty(); }))
                    return;
                work.swap(queue_);
            }
            rocksdb::WriteBatch batch;
            for (auto const& [record, done] : work)
                batch.Put(events::be64(next_++), record);
            rocksdb::WriteOptions options;
            options.sync = true;
            db_->Write(options, &batch);
            for (auto& [record, done] : work)
                done();
            work.clear();
        }
    }

    std::unique_ptr<rocksdb::DB> db_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::vector<std::pair<std::string, std::move_only_function<void()>>> queue_;
    std::uint64_t next_ = 0;
    std::jthread thread_;
};

/// A test whose first `cells` cells are completed, ready to be graded.
result<uuid> completed_test(workbench& w)
{
    ASSAY_TRY(auto eval, make_plain_eval(w, 4, 1024));
    ASSAY_TRY(auto test, w.start({.eval = eval, .drive = drive::manual}));
    for (std::uint32_t c = 0; c < cells; ++c) {
        ASSAY_TRY(auto p,
                  w.engine->prepare(w.who, "invocation.complete", command::complete_cell{test, c}));
        ASSAY_CHECK(w.engine->give_and_wait(std::move(p)));
    }
    return test;
}

result<load_result> load_of(served const& s, std::string const& path, uuid const& test)
{
    std::vector<std::string> wire;
    for (std::uint32_t c = 0; c < cells; ++c)
        wire.push_back(
            post_request(path, s.api_key,
                         fmt::format(R"({{"invocation_id":"{}","score":1}})",
                                     grid_id::make(test, grid_kind::invocation, c).text())));
    auto r =
        run_load({.port = s.server->port(), .requests = requests, .request = [&](std::uint64_t n) {
                      return wire[n % cells];
                  }});
    if (r && r->refused > 0)
        return fail(errc::internal, fmt::format("{} of {} requests to {} were refused", r->refused,
                                                requests, path));
    return r;
}

/// Both sides, one right after the other: the machine's mood of the moment is in both.
struct round {
    load_result grade;
    load_result floor;

    [[nodiscard]] double ratio() const { return grade.per_second() / floor.per_second(); }
};

} // namespace

figures measure_commands()
{
    ASSAY_TRY(auto bench, workbench::open());
    ASSAY_TRY(auto test, completed_test(*bench));
    scratch floor_dir;
    ASSAY_TRY(auto writer, bare_writer::open(floor_dir.path()));
    std::string record(1000, 'x'); // replaced by the bytes of a real commit below
    std::string answer;
    ASSAY_TRY(auto s,
              served::start(std::move(bench), [&](http::router& to, api::services const& with) {
                  api::add_grading(to, with);
                  http::route floor;
                  floor.method = http::method::post;
                  floor.pattern = "/floor";
                  floor.name = "floor";
                  floor.permission = http::permission{"test", "grade"};
                  floor.serve = [&](http::request r, http::responder respond) {
                      if (!json::parse(r.body)) {
                          respond(fail(errc::malformed, "no JSON"));
                          return;
                      }
                      writer->put(record, [&answer, respond = std::move(respond)]() mutable {
                          respond(http::json_text(200, answer));
                      });
                  };
                  to.add(std::move(floor));
              }));
    // The first grading gives the floor the bytes that it writes and answers; it counts as warm-up.
    ASSAY_CHECK(load_of(*s, "/test/grade", test));
    auto const& log = s->bench->engine->log();
    ASSAY_TRY(record, log.record_bytes(log.next_position() - 1));
    answer = json::canonical({{"grade_id", test.text()},
                              {"invocation_id", test.text()},
                              {"score", 1},
                              {"total_points", 1},
                              {"pass_points", 1},
                              {"passed", true}});
    std::vector<round> measured;
    for (std::size_t i = 0; i < rounds; ++i) {
        ASSAY_TRY(auto grade, load_of(*s, "/test/grade", test));
        ASSAY_TRY(auto floor, load_of(*s, "/floor", test));
        measured.push_back({grade, floor});
    }
    std::ranges::sort(measured, {}, &round::ratio);
    auto const& [grade, floor] = measured[rounds / 2];
    auto const ratio = measured[rounds / 2].ratio();
    s->server->drain(std::chrono::seconds(1));
    std::vector<figure> out;
    out.push_back(
        {"durable POST /test/grade, 64 clients",
         fmt::format("{:.0f}/s, p50 {:.2f} ms, p99 {:.2f} ms; median of {} rounds, {:.2f}x "
                     "to {:.2f}x",
                     grade.per_second(), grade.p50_ms, grade.p99_ms, rounds,
                     measured.front().ratio(), measured.back().ratio()),
         fmt::format("same front end, one opaque record {:.0f}/s", floor.per_second()), ratio,
         ">= 0.6x", ratio >= 0.6});
    return out;
}

} // namespace assay::tools::bench
