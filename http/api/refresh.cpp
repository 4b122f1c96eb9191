#include "http/api/routes.hpp"
#include "projections/view.hpp"

#include <algorithm>

namespace assay::api {

namespace {

struct refresh_body {
    std::optional<std::vector<std::string>> targets;

    static constexpr auto fields = std::tuple{field{"targets", &refresh_body::targets}};
};

constexpr std::array<std::string_view, 4> tags{"test", "tests", "benchmark", "artifacts"};

/// POST /test/refresh   200 the views that were built anew · 422 a view that there is none of
///
/// Builds beside the serving views, so reads and commands go on; `success` is false when a view was
/// not what the log says.
result<std::string> refresh(services const& s, incoming const& in, reply& respond)
{
    ASSAY_TRY(auto const asked, read_body<refresh_body>(in.body));
    auto const targets = asked.targets.value_or(std::vector<std::string>());
    for (auto const& name : targets)
        if (std::ranges::find(projections::all_views(), name, &projections::view::name) ==
            projections::all_views().end())
            return bad_field("targets", "there is no view " + name, "unknown_view");
    ASSAY_TRY(auto command, s.engine.prepare(in.who, "test.refresh", command::change_nothing{}));
    ASSAY_TRY(auto const receipt, s.engine.give_and_wait(std::move(command)));
    std::vector<projections::rebuilt_view> built;
    if (is_pending(receipt)) {
        respond.nothing_stale();
    } else {
        ASSAY_TRY(built, s.engine.refresh(targets));
    }

    std::string body;
    json_writer w(body);
    w.begin_object()
        .member("success", std::ranges::all_of(built, [](auto const& view) { return view.same; }))
        .name("refreshed_views")
        .begin_array();
    for (auto const& view : built)
        w.value(view.name);
    w.end_array().name("invalidated_tags").begin_array();
    for (auto const tag : is_pending(receipt) ? std::span<std::string_view const>() : tags)
        w.value(tag);
    w.end_array().name("views").begin_array();
    for (auto const& view : built)
        w.begin_object()
            .member("name", view.name)
            .member("generation", view.generation)
            .member("position", view.position)
            .member("same", view.same)
            .end_object();
    w.end_array().member("idempotency_key", echoed_key(in.who)).end_object();
    return marked(std::move(body), receipt);
}

} // namespace

void add_refresh(http::router& to, services const& s)
{
    add_slow_command(to, s,
                     {.name = "test.refresh",
                      .path = "/test/refresh",
                      .permission = {"test", "refresh"},
                      .also = {{"v5.test.refresh", "/api/v5/artifacts/test/refresh"},
                               {"test.benchmark_refresh", "/test/benchmark/refresh"},
                               {"test.invocation_refresh", "/test/invocation/refresh"}},
                      .tags = "test,tests,benchmark,artifacts",
                      .summary = "Build views anew from the log, beside live traffic.",
                      .params = params_of<refresh_body>(),
                      .staged = true},
                     [s](incoming in, reply respond) { respond(refresh(s, in, respond)); });
}

} // namespace assay::api
