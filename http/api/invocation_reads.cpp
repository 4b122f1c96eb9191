#include "http/api/routes.hpp"
#include "http/api/row_stream.hpp"
#include "http/api/run_rows.hpp"
#include "http/api/test_history.hpp"
#include "http/api/test_rows.hpp"

#include <fmt/format.h>

namespace assay::api {

namespace {

struct list_body {
    uuid test_id;
    std::optional<std::int64_t> page_size;
    std::optional<std::int64_t> page_offset;
    std::optional<std::string> snapshot_key;

    static constexpr auto fields = std::tuple{
        field{"test_id", &list_body::test_id},
        field{"page_size", &list_body::page_size, {.min = 1}},
        field{"page_offset", &list_body::page_offset, {.min = 0}},
        field{"snapshot_key", &list_body::snapshot_key},
    };
};

struct get_body {
    std::optional<uuid> invocation_id;
    std::optional<uuid> id;
    std::optional<uuid> benchmark_bundle_entry_id;
    std::optional<uuid> draft_id;
    std::optional<uuid> test_id;
    std::optional<std::string> snapshot_key;

    static constexpr auto fields = std::tuple{
        field{"invocation_id", &get_body::invocation_id},
        field{"id", &get_body::id},
        field{"benchmark_bundle_entry_id", &get_body::benchmark_bundle_entry_id},
        field{"draft_id", &get_body::draft_id},
        field{"test_id", &get_body::test_id},
        field{"snapshot_key", &get_body::snapshot_key},
    };
};

result<std::string> list(services const& s, incoming const& in)
{
    auto const* const named = in.body.if_contains("test_id");
    if (!named || named->is_null())
        return history(s, in);
    ASSAY_TRY(auto const asked, read_body<list_body>(in.body));
    ASSAY_TRY(auto views, views_of(s, in, asked.snapshot_key));
    ASSAY_TRY(auto const data, test_data::open(s, in, std::move(views), asked.test_id));
    auto const size = page_size_of(asked.page_size);
    auto const offset = static_cast<std::uint64_t>(asked.page_offset.value_or(0));
    ASSAY_TRY(auto const cells, data->cells({offset, size}, false));
    std::string body;
    json_writer w(body);
    w.begin_object().name("data").begin_array();
    for (auto const& c : cells)
        write_invocation(w, *data, c);
    w.end_array()
        .member("total_count", data->total())
        .member("page", offset / size + 1)
        .member("page_size", size)
        .end_object();
    return body;
}

void write_group(json_writer& w, std::string_view name, uuid const& id, std::string_view text)
{
    w.name(name).begin_object().member("id", id).member("name", text).end_object();
}

/// One entry of a section of selected resources.
template <class Write>
void section(json_writer& w, std::string_view name, Write const& write)
{
    w.name(name).begin_array();
    write();
    w.end_array();
}

void selected(json_writer& w)
{
    w.member("generated", false).member("suggested", false).member("selected", true).end_object();
}

/// The sections that the frozen configuration has values for.
void write_sections(json_writer& w, test_data const& d, cell_data const& c)
{
    auto const* const config = d.config();
    if (!config)
        return;
    auto const& model = config->models[c.cell.place.model];
    auto const& agent = config->agents[c.cell.place.agent];
    section(w, "names", [&] {
        w.begin_object().member("id", model.id).member("name", model.name);
        selected(w);
    });
    section(w, "values", [&] {
        w.begin_object()
            .member("id", model.id)
            .member("value", model.value)
            .member("type", model.provider.kind);
        selected(w);
    });
    section(w, "endpoints", [&] {
        w.begin_object()
            .member("id", model.provider.id)
            .member("base_url", model.provider.endpoint);
        selected(w);
    });
    section(w, "keys", [&] {
        if (!model.provider.key)
            return;
        w.begin_object().member("id", *model.provider.key).member("key_id", *model.provider.key);
        selected(w);
    });
    section(w, "pricing", [&] {
        for (auto const& p : model.prices) {
            w.begin_object()
                .member("pricing_type", p.type)
                .member("price", static_cast<double>(p.pico_per_unit) / 1e12)
                .member("unit_name", fmt::format("{} tokens", p.unit))
                .member("unit_category", "tokens")
                .member("unit_value", p.unit);
            selected(w);
        }
    });
    section(w, "temperature_levels", [&] {
        auto const* const t = agent.parameters.if_contains("temperature");
        if (!t || !t->is_number())
            return;
        w.begin_object().member("temperature", *t);
        selected(w);
    });
    section(w, "reasoning_levels", [&] {
        auto const* const r = agent.parameters.if_contains("reasoning_effort");
        if (!r || !r->is_string())
            return;
        w.begin_object().member("reasoning_level", *r);
        selected(w);
    });
    write_group(w, "provider", model.provider.id, model.provider.name);
}

result<std::string> get(services const& s, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<get_body>(in.body));
    auto const id = asked.invocation_id               ? asked.invocation_id
                    : asked.id                        ? asked.id
                    : asked.benchmark_bundle_entry_id ? asked.benchmark_bundle_entry_id
                                                      : asked.draft_id;
    if (!id)
        return bad_field("invocation_id", "this field is required", "missing");
    auto const place = grid_id::read(*id, grid_kind::invocation);
    auto const absent = [] {
        return fail(errc::not_found, "there is no such invocation", "invocation_not_found");
    };
    if (!place || (asked.test_id && *asked.test_id != place->test))
        return absent();
    ASSAY_TRY(auto views, views_of(s, in, asked.snapshot_key));
    auto const opened = test_data::open(s, in, std::move(views), place->test);
    if (!opened && opened.error().code == errc::not_found)
        return absent();
    if (!opened)
        return std::unexpected(opened.error());
    auto& data = **opened;
    ASSAY_TRY(auto const cell, data.cell(place->cell));

    bool const may_run = in.may("test", "invocation_run");
    bool const done = data.test().phase == test_phase::completed;
    std::string body;
    json_writer w(body);
    w.begin_object()
        .member("actor_name", in.request.caller->name)
        .member("test_id", data.test().id)
        .member("invocation_id", cell.cell.invocation)
        .member("profile_has_access", true)
        .member("can_edit", may_run && !done)
        .member("disabled_reason", done      ? std::optional("The test is completed.")
                                   : may_run ? std::nullopt
                                             : std::optional("The role may not run invocations."))
        .member("group_id", data.id(grid_kind::group))
        .member("show_ai_generate", false)
        .member("pending_ids", std::vector<uuid>())
        .member("status", codec::enum_name(cell.cell.status));
    write_group(w, "model", data.model_of(cell).id, data.model_of(cell).name);
    write_group(w, "agent", data.agent_of(cell).id, data.agent_of(cell).name);
    write_sections(w, data, cell);
    w.name("scores");
    write_scores(w, data, cell);
    w.name("trace");
    ASSAY_CHECK(write_trace(w, s, data, cell, cell.traces.empty() ? nullptr : &cell.traces.back()));
    w.name("invocation");
    write_invocation(w, data, cell);
    w.name("details");
    write_detail(w, data, cell);
    w.end_object();
    return body;
}

} // namespace

void add_invocation_reads(http::router& to, services const& s)
{
    add_query(to, s,
              {.name = "test.invocations",
               .path = "/test/invocations",
               .permission = {"test", "invocations"},
               .tags = "test"},
              [s](incoming const& in) { return list(s, in); });
    add_query(to, s,
              {.name = "test.invocation_get",
               .path = "/test/invocation_get",
               .permission = {"test", "invocation_get"},
               .tags = "test"},
              [s](incoming const& in) { return get(s, in); });
}

} // namespace assay::api
