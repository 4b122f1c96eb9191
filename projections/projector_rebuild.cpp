#include "core/pack.hpp"
#include "projections/projector.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <functional>
#include <future>

namespace assay::projections {

/// One view on its way to a new generation.
struct projector::replacement {
    std::size_t index = 0; ///< in live_
    std::shared_ptr<generation> old;
    std::shared_ptr<generation> made;
    std::uint64_t position = 0; ///< of the switch
    events::snapshot at_switch;
};

namespace {

using events::family;

/// Commits that the writer's thread replays at most while commands wait.
constexpr std::uint64_t last_stretch_max = 256;

rocksdb::Slice slice(std::string_view s)
{
    return {s.data(), s.size()};
}

/// Applies the commits [from, to) to one view and adds the changed rows to the batch.
result<void> add_stretch(events::store const& s, std::uint64_t from, std::uint64_t to,
                         view const& v, rocksdb::ColumnFamilyHandle* family,
                         rocksdb::WriteBatch& batch)
{
    overlay rows([&](std::string_view key) { return s.get(family, key); }, 64 << 20);
    std::optional<error> problem;
    ASSAY_CHECK(s.read_range(from, to, [&](events::commit_ptr const& c) {
        for (auto const& e : c->events) {
            if (auto done = v.apply(e, rows); !done) {
                problem = std::move(done.error());
                return false;
            }
        }
        return true;
    }));
    if (problem)
        return std::unexpected(std::move(*problem));
    rows.collect([&](std::string_view key, std::optional<std::string_view> value) {
        if (value)
            batch.Put(family, slice(key), slice(*value));
        else
            batch.Delete(family, slice(key));
    });
    return {};
}

} // namespace

result<std::vector<projector::replacement>>
projector::make_replacements(std::vector<std::string> const& names)
{
    for (auto const& name : names) {
        if (std::none_of(live_.begin(), live_.end(),
                         [&](auto const& v) { return v.v->name == name; }))
            return fail(errc::not_found, fmt::format("there is no view {}", name),
                        "view_not_found");
    }
    std::shared_ptr<serving_set const> serving;
    {
        std::shared_lock const lock(serving_mutex_);
        serving = serving_;
    }
    std::vector<replacement> out;
    for (std::size_t i = 0; i < options_.views.size(); ++i) {
        auto const& name = options_.views[i].name;
        if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end())
            continue;
        auto const taken = store_.view_generations(name);
        auto const number = taken.empty() ? 1 : *std::max_element(taken.begin(), taken.end()) + 1;
        ASSAY_TRY(auto made, generation::open(store_, name, number));
        made->retire(); // until it serves, it goes when this rebuild goes
        out.push_back({i, (*serving)[i], std::move(made), 0, {}});
    }
    return out;
}

/// Replays the log into the new generations until little is left. @returns the position that they
/// have reached.
result<std::uint64_t> projector::catch_up(std::vector<replacement> const& all,
                                          build_options const& options)
{
    std::vector<build_target> targets;
    for (auto const& r : all)
        targets.push_back({&options_.views[r.index], &store_.db(), r.made->family()});
    std::uint64_t reached = 0;
    for (;;) {
        auto const next = store_.next_position();
        ASSAY_CHECK(build_views(store_, reached, next, targets, options));
        reached = next;
        if (store_.next_position() - reached <= last_stretch_max)
            return reached;
    }
}

/// On the writer's thread, with no drain under way: brings the new generations to the log's end and
/// lets them serve, in one synced write with the record that names them.
result<void> projector::switch_over(std::vector<replacement>& all, std::uint64_t from)
{
    auto const next = store_.next_position();
    rocksdb::WriteBatch batch;
    for (auto const& r : all) {
        auto const& v = options_.views[r.index];
        ASSAY_CHECK(add_stretch(store_, from, next, v, r.made->family(), batch));
        batch.Put(store_.handle(family::meta), view_record_key(v.name),
                  pack::to_bytes(view_record{r.made->number(), v.schema}));
    }
    batch.Put(store_.handle(family::meta), slice(views_next_key), events::be64(next));

    std::unique_lock const lock(serving_mutex_);
    ASSAY_CHECK(store_.write(batch, true));
    auto const at = store_.take_snapshot();
    for (auto& r : all) {
        r.position = next;
        r.at_switch = at;
        r.made->keep();
        serve(live_[r.index], r.made);
    }
    publish();
    return {};
}

result<std::vector<rebuilt_view>> projector::compare(std::vector<replacement> const& all) const
{
    std::vector<rebuilt_view> out;
    for (auto const& r : all) {
        rebuilt_view v;
        v.name = options_.views[r.index].name;
        v.generation = r.made->number();
        v.position = r.position;
        auto const digest_of = [&](generation const& g) {
            return digest_rows(store_.db(), g.family(), r.at_switch.get());
        };
        std::future<result<digest>> replaced;
        if (r.old)
            replaced = std::async(std::launch::async, digest_of, std::cref(*r.old));
        ASSAY_TRY(v.rows, digest_of(*r.made));
        if (r.old) {
            ASSAY_TRY(v.replaced, replaced.get());
            v.same = *v.replaced == v.rows;
        }
        if (!v.same)
            spdlog::error("view {} was not what the log says at position {}: rows {}, replayed {}",
                          v.name, v.position, v.replaced->hex(), v.rows.hex());
        out.push_back(std::move(v));
    }
    return out;
}

result<std::vector<rebuilt_view>> projector::refresh(std::vector<std::string> const& names,
                                                     between_drains const& writer,
                                                     build_options const& options)
{
    std::unique_lock const one(rebuild_mutex_, std::try_to_lock);
    if (!one)
        return fail(errc::conflict, "views are being rebuilt already", "rebuild_under_way");
    if (store_.options().read_only)
        return fail(errc::unavailable, "the directory is open for reading only", "read_only");

    ASSAY_TRY(auto all, make_replacements(names));
    ASSAY_TRY(auto const reached, catch_up(all, options));
    result<void> switched = fail(errc::cancelled, "the server stops", "stopping");
    writer([&] { switched = switch_over(all, reached); });
    ASSAY_CHECK(std::move(switched));
    auto compared = compare(all);
    for (auto const& r : all) {
        if (r.old)
            r.old->retire();
    }
    return compared;
}

result<std::vector<rebuilt_view>> projector::rebuild(std::vector<std::string> const& names,
                                                     build_options const& options)
{
    return refresh(names, [](auto work) { work(); }, options);
}

} // namespace assay::projections
