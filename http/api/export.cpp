#include "core/hash.hpp"
#include "events/merkle.hpp"
#include "http/api/export_tables.hpp"
#include "http/api/invocation_ids.hpp"
#include "http/api/routes.hpp"
#include "http/export/chunk_sink.hpp"
#include "http/export/values.hpp"

#include <fmt/format.h>

#include <atomic>

namespace assay::api {

namespace {

constexpr std::string_view zip_type = "application/zip";
constexpr unsigned exports_at_once = 2;
/// Of an answer that holds the file itself, as the oldest paths do.
constexpr std::size_t inline_bytes_max = 32 << 20;

constexpr std::array<std::string_view, 4> views{"single", "benchmark", "invocation", "invocations"};

struct export_body {
    std::optional<std::string> view;
    std::optional<uuid> test_id;
    std::optional<uuid> invocation_id;
    std::optional<uuid> draft_id; ///< taken and passed over: a draft has no rows
    std::optional<std::string> mode;
    std::optional<std::string> snapshot_key;

    static constexpr auto fields = std::tuple{
        field{"view", &export_body::view, {.words = views}},
        field{"test_id", &export_body::test_id},
        field{"invocation_id", &export_body::invocation_id},
        field{"draft_id", &export_body::draft_id},
        field{"mode", &export_body::mode},
        field{"snapshot_key", &export_body::snapshot_key},
    };
};

struct test_body {
    uuid test_id;

    static constexpr auto fields = std::tuple{field{"test_id", &test_body::test_id}};
};

struct invocation_body {
    uuid test_id;
    std::optional<uuid> invocation_entry_id;
    std::optional<uuid> draft_id;

    static constexpr auto fields = std::tuple{
        field{"test_id", &invocation_body::test_id},
        field{"invocation_entry_id", &invocation_body::invocation_entry_id},
        field{"draft_id", &invocation_body::draft_id},
    };
};

/// What is exported, as it stood at one position of the log.
struct plan {
    std::string view;
    std::string name; ///< of the file
    std::shared_ptr<projections::reader const> state;
    std::optional<uuid> test;
    std::vector<uuid> departments;
    std::vector<exporting::table> tables; ///< the first is the one whose rows are counted
};

std::string file_name(std::string_view what, std::string_view view)
{
    std::string out(what);
    for (auto& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == '/' || c == '\\')
            c = '_';
    return fmt::format("{}-{}.zip", out, view);
}

/// Leaves the table that `mode` names; none: the whole bundle.
result<void> keep_part(std::vector<exporting::table>& tables,
                       std::optional<std::string> const& mode)
{
    if (!mode)
        return {};
    std::string known;
    for (auto const& t : tables)
        known.append(known.empty() ? "" : ", ").append(t.name);
    std::erase_if(tables, [&](exporting::table const& t) { return t.name != *mode; });
    if (tables.empty())
        return bad_field("mode", "this view has the parts " + known, "unknown_part");
    return {};
}

result<plan> plan_test(services const& s, incoming const& in, export_body const& asked, plan out)
{
    ASSAY_TRY(auto data, test_data::open(s, in, out.state, *asked.test_id));
    auto const& started = data->test().started;
    out.test = data->test().id;
    out.departments = started.departments;
    out.name = file_name(started.name.empty() ? started.eval_name : started.name, out.view);
    if (out.view == "benchmark") {
        out.tables = benchmark_tables(s, data);
        return out;
    }
    std::optional<std::uint32_t> only;
    if (asked.invocation_id) {
        ASSAY_TRY(auto const place, place_of_invocation(*asked.invocation_id, asked.test_id));
        ASSAY_CHECK(data->cell(place.cell));
        only = place.cell;
    }
    out.tables = invocation_tables(s, data, only);
    if (out.view == "single")
        for (auto& table : benchmark_tables(s, data))
            out.tables.push_back(std::move(table));
    return out;
}

result<plan> plan_of(services const& s, incoming const& in, export_body const& asked)
{
    plan out;
    out.view = asked.view.value_or("single");
    if (out.view == "invocation")
        out.view = "invocations";
    if (!asked.test_id && out.view != "benchmark")
        return bad_field("test_id", "only the benchmark view goes without a test", "missing");
    ASSAY_TRY(out.state, views_of(s, in, asked.snapshot_key));
    if (asked.test_id) {
        ASSAY_TRY(out, plan_test(s, in, asked, std::move(out)));
    } else {
        out.name = file_name("tests", out.view);
        out.tables = workspace_tables(in, out.state);
    }
    ASSAY_CHECK(keep_part(out.tables, asked.mode));
    return out;
}

/// Says where in the log the tables stand and what each file's bytes hash to.
std::string manifest(plan const& p, instant at, digest const& root,
                     std::vector<exporting::zip_writer::entry> const& files)
{
    std::string out;
    json_writer w(out);
    w.begin_object()
        .member("format", "assay-export/1")
        .member("view", p.view)
        .member("test_id", p.test)
        .member("as_of", at)
        .name("checkpoint")
        .begin_object()
        .member("size", p.state->next_position())
        .member("root", root.hex())
        .end_object()
        .name("files")
        .begin_array();
    for (auto const& f : files)
        w.begin_object()
            .member("name", f.name)
            .member("bytes", f.bytes)
            .member("sha256", f.sha256.hex())
            .end_object();
    w.end_array().end_object();
    return out.append("\n");
}

/// Writes the whole archive. @returns the rows of its main table.
result<std::uint64_t> write_archive(services const& s, plan const& p,
                                    exporting::zip_writer::sink out)
{
    auto const size = p.state->next_position();
    auto const& log = s.engine.log();
    ASSAY_TRY(auto const newest, log.read_envelope_at(size - 1));
    ASSAY_TRY(auto const root,
              events::merkle::root_at(size, [&](std::uint8_t level, std::uint64_t index) {
                  return log.tree_node(level, index);
              }));
    exporting::zip_writer zip(std::move(out), newest.at);
    std::uint64_t rows = 0;
    for (auto const& table : p.tables) {
        ASSAY_TRY(auto const n, exporting::write_table(zip, table));
        if (&table == &p.tables.front())
            rows = n;
    }
    auto const text = manifest(p, newest.at, root, zip.entries());
    ASSAY_CHECK(zip.begin("manifest.json"));
    ASSAY_CHECK(zip.write(text));
    ASSAY_CHECK(zip.finish());
    return rows;
}

/// One place among the exports under way.
class export_place {
public:
    export_place() : taken_(under_way_.fetch_add(1) < exports_at_once) {}

    ~export_place() { under_way_.fetch_sub(1); }

    export_place(export_place const&) = delete;
    export_place& operator=(export_place const&) = delete;

    [[nodiscard]] result<void> check() const
    {
        if (taken_)
            return {};
        return fail(error{.code = errc::rate_limited,
                          .detail = "other exports are being written; ask again",
                          .reason = "exports_busy",
                          .retry_after_ms = 1000});
    }

private:
    static inline std::atomic<unsigned> under_way_ = 0;
    bool const taken_;
};

result<engine::prepared> prepare_export(services const& s, incoming const& in,
                                        export_body const& asked)
{
    export_place const place;
    ASSAY_CHECK(place.check());
    ASSAY_TRY(auto const p, plan_of(s, in, asked));
    exporting::chunk_sink sink(s.engine, in.who.workspace);
    ASSAY_TRY(auto const rows,
              write_archive(s, p, [&](std::string_view bytes) { return sink.write(bytes); }));
    ASSAY_TRY(auto stored, sink.finish());
    auto& file = stored.file;
    file.name = p.name;
    file.media_type = zip_type;
    file.rows = rows;
    file.test = p.test;
    file.departments = p.departments;
    ASSAY_TRY(auto prepared, s.engine.prepare(in.who, "test.export", command::store_file{}));
    file.file = derive_uuid(prepared.command_id, "file");
    prepared.command = command::store_file{std::move(file)};
    prepared.blobs = std::move(stored.blobs);
    return prepared;
}

/// POST /test/export   200 the file to download · 404 · 413 · 422 · 429 others are being written
void make_export(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<export_body>(in.body);
    if (!asked)
        return respond(std::unexpected(asked.error()));
    give(s, prepare_export(s, in, *asked), std::move(respond),
         [key = echoed_key(in.who)](events::receipt const& r) {
             auto answer = r.answer;
             answer["idempotency_key"] = key;
             return json::canonical(answer);
         });
}

/// POST /api/v5/artifacts/test/export   the same for one test, under the older names
void make_upload(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<test_body>(in.body);
    if (!asked)
        return respond(std::unexpected(asked.error()));
    export_body wanted;
    wanted.test_id = asked->test_id;
    give(s, prepare_export(s, in, wanted), std::move(respond), [](events::receipt const& r) {
        return json::canonical(json::object{{"upload_id", r.answer.at("file_id")},
                                            {"file_name", r.answer.at("file_name")},
                                            {"row_count", r.answer.at("row_count")}});
    });
}

/// The file itself in the answer: no file is kept.
result<std::string> export_inline(services const& s, incoming const& in, export_body const& asked)
{
    export_place const place;
    ASSAY_CHECK(place.check());
    ASSAY_TRY(auto const p, plan_of(s, in, asked));
    std::string bytes;
    ASSAY_TRY(auto const rows, write_archive(s, p, [&](std::string_view more) -> result<void> {
                  if (bytes.size() + more.size() > inline_bytes_max)
                      return fail(errc::too_large,
                                  "the file is too large for an answer; use /test/export",
                                  "export_too_large");
                  bytes.append(more);
                  return {};
              }));
    std::string body;
    json_writer w(body);
    w.begin_object()
        .member("content", to_base64(bytes))
        .member("file_name", p.name)
        .member("mime_type", zip_type)
        .member("row_count", rows)
        .end_object();
    return body;
}

result<std::string> export_benchmark(services const& s, incoming const& in)
{
    export_body wanted;
    wanted.view = "benchmark";
    return export_inline(s, in, wanted);
}

result<std::string> export_invocation(services const& s, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<invocation_body>(in.body));
    export_body wanted;
    wanted.view = "invocations";
    wanted.test_id = asked.test_id;
    wanted.invocation_id = asked.invocation_entry_id;
    return export_inline(s, in, wanted);
}

} // namespace

void add_export(http::router& to, services const& s)
{
    http::permission const permission{"test", "export"};
    add_slow_command(to, s,
                     {.name = "test.export",
                      .path = "/test/export",
                      .permission = permission,
                      .summary = "Make a ZIP of a test, or of all tests' rollups.",
                      .params = params_of<export_body>(),
                      .staged = true},
                     [s](incoming in, reply r) { make_export(s, std::move(in), std::move(r)); });
    add_slow_command(to, s,
                     {.name = "v5.test.export",
                      .path = "/api/v5/artifacts/test/export",
                      .permission = permission,
                      .summary = "Make a ZIP of a test.",
                      .params = params_of<test_body>()},
                     [s](incoming in, reply r) { make_upload(s, std::move(in), std::move(r)); });
    add_query(to, s,
              {.name = "test.benchmark.export",
               .path = "/test/benchmark/export",
               .permission = permission,
               .summary = "Older form of the benchmark's export: the ZIP in base64."},
              [s](incoming const& in) { return export_benchmark(s, in); });
    add_query(to, s,
              {.name = "test.invocation.export",
               .path = "/test/invocation/export",
               .permission = permission,
               .summary = "Older form of the invocations' export: the ZIP in base64.",
               .params = params_of<invocation_body>()},
              [s](incoming const& in) { return export_invocation(s, in); });
}

} // namespace assay::api
