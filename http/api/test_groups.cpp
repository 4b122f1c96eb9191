#include "http/api/note_list.hpp"
#include "http/api/routes.hpp"
#include "http/api/row_stream.hpp"
#include "http/api/run_rows.hpp"
#include "http/api/test_rows.hpp"
#include "projections/queries.hpp"

#include <chrono>
#include <set>

namespace assay::api {

namespace {

/// Who asks for a group without naming one gets the same within one such window of the clock.
constexpr std::chrono::minutes group_window{30};

struct group_body {
    std::optional<uuid> group_id;
    std::optional<std::string> snapshot_key;

    static constexpr auto fields = std::tuple{
        field{"group_id", &group_body::group_id},
        field{"snapshot_key", &group_body::snapshot_key},
    };
};

/// What an answer about a group is made of.
struct group_state {
    projections::group_row row;
    std::optional<std::string> snapshot_key;
    std::string actor;
    bool existed = true;
    std::shared_ptr<test_data> data; ///< of a test's group
    std::vector<cell_data> cells;
    std::uint64_t messages = 0;
    std::set<uuid> profiles;
};

result<void> read_runs(services const& s, incoming const& in,
                       std::shared_ptr<projections::reader const> views, group_state& g)
{
    g.profiles.insert(g.row.profile);
    if (!g.row.of_test)
        return {};
    ASSAY_TRY(g.data, test_data::open(s, in, std::move(views), grid_id::read(g.row.id)->test));
    ASSAY_TRY(g.cells, g.data->cells({0, inline_cells_max}, true));
    for (auto const& c : g.cells) {
        g.messages += messages_of(*g.data, c).size();
        for (auto const& run : c.runs)
            g.profiles.insert(run.row.profile);
    }
    g.profiles.erase(uuid{}); // the server itself
    return {};
}

void write_named(json_writer& w, std::string_view name, std::vector<named> const& list)
{
    w.name(name).begin_array();
    for (auto const& each : list)
        w.begin_object().member("id", each.id).member("name", each.name).end_object();
    w.end_array();
}

void write_resources(json_writer& w, services const& s, group_state const& g)
{
    static std::vector<named> const none;
    write_named(w, "models", g.data ? g.data->test().started.models : none);
    write_named(w, "agents", g.data ? g.data->test().started.agents : none);
    std::vector<named> profiles;
    for (auto const& id : g.profiles) {
        auto const who = s.keys.profile(id);
        profiles.push_back({id, who ? who->name : std::string()});
    }
    write_named(w, "profiles", profiles);
}

http::response write_group(services const& s, std::shared_ptr<group_state const> g)
{
    auto const rows = std::make_shared<row_stream>();
    rows->once([s, g](json_writer& w) {
        w.begin_object()
            .member("group_id", g->row.id)
            .member("name", g->row.title.empty() ? std::nullopt : std::optional(g->row.title))
            .member("snapshot_key", g->snapshot_key)
            .member("group_exists", g->existed)
            .member("actor_name", g->actor)
            .member("total_message_count", g->messages)
            .member("truncated", g->data && g->data->total() > inline_cells_max);
        write_resources(w, s, *g);
        w.name("runs").begin_array();
    });
    rows->each(g->cells.size(),
               [g](json_writer& w, std::size_t i) { write_group_runs(w, *g->data, g->cells[i]); });
    rows->once([](json_writer& w) { w.end_array().end_object(); });
    return respond_with(rows, g->cells.size() >= streamed_from_cells);
}

/// The caller's group of this window of the clock; made, unless it is there.
result<std::pair<uuid, bool>> open_group(services const& s, incoming const& in)
{
    using namespace std::chrono;
    auto const now = duration_cast<seconds>(system_clock::now().time_since_epoch());
    auto const window = static_cast<std::uint64_t>(now / group_window);
    auto const fresh = derive_uuid(in.who.profile, "group", window);
    ASSAY_TRY(auto command, s.engine.prepare(in.who, "test.group", command::open_group{fresh}));
    ASSAY_TRY(auto const done, s.engine.give_and_wait(std::move(command)));
    auto const id = uuid::parse(std::string_view(done.answer.at("group_id").as_string()));
    return std::pair(id.value_or(fresh), done.answer.at("known").as_bool());
}

/// POST /test/group   200 the group with its runs · 404
result<http::response> group(services const& s, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<group_body>(in.body));
    auto const g = std::make_shared<group_state>();
    auto id = asked.group_id;
    if (!id) {
        ASSAY_TRY(auto const opened, open_group(s, in));
        id = opened.first;
        g->existed = opened.second;
    }
    ASSAY_TRY(auto const views,
              views_of(s, in, asked.group_id ? asked.snapshot_key : std::nullopt));
    ASSAY_TRY(g->row, projections::get_group(*views, in.who.workspace, *id));
    ASSAY_CHECK(check_departments(in, g->row.departments));
    g->snapshot_key = asked.snapshot_key;
    g->actor = in.request.caller->name;
    ASSAY_CHECK(read_runs(s, in, views, *g));
    return write_group(s, g);
}

struct title_body {
    uuid group_id;
    std::string title;

    static constexpr auto fields = std::tuple{
        field{"group_id", &title_body::group_id},
        field{"title", &title_body::title, {.size_min = 1, .size_max = 500}},
    };
};

result<engine::prepared> prepare_title(services const& s, incoming const& in,
                                       title_body const& asked)
{
    ASSAY_TRY(auto const id, s.engine.command_id(in.who, "test.title"));
    command::title_group command{asked.group_id, {}, derive_uuid(id, "title"), asked.title};
    if (auto const of_test = grid_id::read(asked.group_id, grid_kind::group)) {
        ASSAY_CHECK(check_test(s, in, of_test->test));
        command.test = of_test->test;
    }
    return s.engine.prepare(in.who, "test.title", std::move(command));
}

/// POST /test/title   200 · 404 · 409 the group's test is completed
void title(services const& s, incoming in, reply respond)
{
    auto const asked = read_body<title_body>(in.body);
    if (!asked)
        return respond(std::unexpected(asked.error()));
    give(s, prepare_title(s, in, *asked), std::move(respond),
         [key = echoed_key(in.who)](events::receipt const& r) {
             auto answer = r.answer;
             answer["idempotency_key"] = key;
             return json::canonical(answer);
         });
}

/// POST /test/generations   200 groups that the caller may see, newest first
result<std::string> generations(services const& s, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<note_list_body>(in.body));
    ASSAY_TRY(auto const views, views_of(s, in, asked.snapshot_key));
    auto filter = asked.filter();
    filter.within_departments = in.scope().departments;
    ASSAY_TRY(auto const page,
              projections::list_groups(*views, in.who.workspace, filter, asked.page()));
    std::string body;
    json_writer w(body);
    w.begin_object().member("actor_name", in.request.caller->name).name("items").begin_array();
    for (auto const& row : page.groups)
        w.begin_object()
            .member("group_id", row.id)
            .member("session_id", session_of(row.profile))
            .member("group_name", row.title.empty() ? std::nullopt : std::optional(row.title))
            .member("created_at", row.opened_at)
            .end_object();
    w.end_array().member("total_count", page.total).end_object();
    return body;
}

} // namespace

void add_test_groups(http::router& to, services const& s)
{
    add_slow_command(to, s,
                     {.name = "test.group",
                      .path = "/test/group",
                      .permission = {"test", "group"},
                      .summary = "Read a group with its runs, or open one.",
                      .params = params_of<group_body>()},
                     [s](incoming in, reply respond) { respond.send(group(s, in)); });
    add_slow_command(to, s,
                     {.name = "test.title",
                      .path = "/test/title",
                      .permission = {"test", "title"},
                      .tags = "test,tests,generations",
                      .summary = "Give a group another title.",
                      .params = params_of<title_body>(),
                      .staged = true},
                     [s](incoming in, reply r) { title(s, std::move(in), std::move(r)); });
    add_query(to, s,
              {.name = "test.generations",
               .path = "/test/generations",
               .permission = {"test", "generations"},
               .tags = "generations",
               .summary = "List groups, newest first.",
               .params = params_of<note_list_body>()},
              [s](incoming const& in) { return generations(s, in); });
}

} // namespace assay::api
