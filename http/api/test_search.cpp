#include "http/api/routes.hpp"
#include "http/api/test_history.hpp"
#include "projections/text_match.hpp"

namespace assay::api {

namespace {

struct search_body {
    std::optional<std::vector<uuid>> eval_ids;
    std::optional<std::vector<uuid>> department_ids;
    std::optional<bool> is_archived;
    std::optional<date_from> start_date;
    std::optional<date_to> end_date;
    std::optional<std::string> eval_search;
    std::optional<std::string> department_search;
    std::optional<std::string> search;
    std::optional<std::int64_t> page_size;
    std::optional<std::int64_t> page_offset;
    std::optional<std::string> snapshot_key;

    static constexpr auto fields = std::tuple{
        field{"eval_ids", &search_body::eval_ids},
        field{"department_ids", &search_body::department_ids},
        field{"is_archived", &search_body::is_archived},
        field{"start_date", &search_body::start_date},
        field{"end_date", &search_body::end_date},
        field{"eval_search", &search_body::eval_search},
        field{"department_search", &search_body::department_search},
        field{"search", &search_body::search},
        field{"page_size", &search_body::page_size, {.min = 1}},
        field{"page_offset", &search_body::page_offset, {.min = 0}},
        field{"snapshot_key", &search_body::snapshot_key},
    };
};

projections::test_filter filter_of(incoming const& in, search_body const& b)
{
    projections::test_filter f;
    f.evals = b.eval_ids.value_or(std::vector<uuid>());
    f.departments = b.department_ids.value_or(std::vector<uuid>());
    f.within_departments = in.scope().departments;
    f.archived = b.is_archived.value_or(false);
    if (b.start_date)
        f.from = b.start_date->at;
    if (b.end_date)
        f.to = b.end_date->at;
    f.text = b.search.value_or(std::string());
    return f;
}

/// A filter's choices with their counts; `search` narrows the choices, not the tests.
void write_filter(json_writer& w, std::string_view name,
                  std::vector<projections::facet_count> const& facets,
                  std::optional<std::vector<uuid>> const& selected,
                  std::optional<std::string> const& search,
                  std::function<std::string(projections::facet_count const&)> const& label)
{
    projections::text_match const wanted(search.value_or(std::string()));
    w.name(name).begin_object().name("options").begin_array();
    for (auto const& f : facets) {
        auto const text = label(f);
        if (!wanted.in(text))
            continue;
        w.begin_object()
            .member("id", f.value)
            .member("name", text)
            .member("count", f.tests)
            .member("value", f.value)
            .end_object();
    }
    w.end_array()
        .member("selected_ids", selected.value_or(std::vector<uuid>()))
        .member("search", search)
        .end_object();
}

/// Descriptions of evals, each read once.
class descriptions {
public:
    descriptions(projections::reader const& views, uuid const& workspace)
        : views_(views), workspace_(workspace)
    {
    }

    std::optional<std::string> const& of(uuid const& eval)
    {
        auto const [at, fresh] = known_.try_emplace(eval);
        if (!fresh)
            return at->second;
        auto const row = projections::get_item(views_, workspace_, item_kind::eval, eval);
        auto const body = row ? projections::item_body(*row) : json::object();
        if (auto const* const text = body.if_contains("description"); text && text->is_string())
            at->second = std::string(text->get_string());
        return at->second;
    }

private:
    projections::reader const& views_;
    uuid const workspace_;
    std::map<uuid, std::optional<std::string>> known_;
};

result<void> write_item(json_writer& w, projections::reader const& views, descriptions& evals,
                        projections::test_row const& t)
{
    ASSAY_TRY(auto const counts, projections::get_test_counts(views, t.id));
    w.begin_object()
        .member("test_id", t.id)
        .member("eval_id", t.started.eval)
        .member("eval_name", t.started.eval_name)
        .member("eval_description", evals.of(t.started.eval))
        .member("department_ids", t.started.departments)
        .member("test_name", t.started.name)
        .null("test_description")
        .member("num_invocations", t.size().cells() + counts.added)
        .member("infinite_mode", t.started.infinite)
        .member("is_dynamic", false)
        .member("archived", t.archived)
        .member("status", codec::enum_name(t.phase))
        .member("completed_invocations", counts.counts.completed)
        .member("open_invocations", counts.counts.open())
        .member("created_at", t.started_at)
        .end_object();
    return {};
}

result<std::string> search(services const& s, incoming const& in)
{
    if (is_history(in.body))
        return history(s, in);
    ASSAY_TRY(auto const asked, read_body<search_body>(in.body));
    ASSAY_TRY(auto const views, views_of(s, in, asked.snapshot_key));
    auto const size = page_size_of(asked.page_size);
    auto const offset = static_cast<std::uint64_t>(asked.page_offset.value_or(0));
    ASSAY_TRY(auto const page, projections::list_tests(*views, in.who.workspace,
                                                       filter_of(in, asked), {offset, size}));
    descriptions evals(*views, in.who.workspace);
    std::string body;
    json_writer w(body);
    w.begin_object().member("actor_name", in.request.caller->name).name("tests").begin_array();
    for (auto const& t : page.tests)
        ASSAY_CHECK(write_item(w, *views, evals, t));
    w.end_array();
    write_filter(w, "eval_filter", page.evals, asked.eval_ids, asked.eval_search,
                 [](projections::facet_count const& f) { return f.name; });
    write_filter(w, "department_filter", page.departments, asked.department_ids,
                 asked.department_search, [&](projections::facet_count const& f) {
                     auto row = projections::get_item(*views, in.who.workspace,
                                                      item_kind::department, f.value);
                     return row ? row->name : f.name;
                 });
    w.member("total_count", page.total)
        .member("page_size", size)
        .member("page_offset", offset)
        .end_object();
    return body;
}

} // namespace

void add_test_search(http::router& to, services const& s)
{
    add_query(to, s,
              {.name = "test.search",
               .path = "/test/search",
               .permission = {"test", "search"},
               .also = {{"v5.test.search", "/api/v5/artifacts/test/search"}},
               .tags = "tests",
               .summary = "Find tests.",
               .params = params_of<search_body>()},
              [s](incoming const& in) { return search(s, in); });
    add_query(to, s,
              {.name = "test.benchmark_search",
               .path = "/test/benchmark/search",
               .permission = {"test", "search"},
               .tags = "tests",
               .summary = "Older name of the history form of /test/search.",
               .params = params_of<history_body>()},
              [s](incoming const& in) { return history(s, in); });
}

} // namespace assay::api
