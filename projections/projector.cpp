#include "projections/projector.hpp"

#include "core/pack.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace assay::projections {

namespace {

using events::family;

rocksdb::Slice slice(std::string_view s)
{
    return {s.data(), s.size()};
}

} // namespace

projector::projector(events::store& s, projector_options options)
    : store_(s), options_(std::move(options))
{
    for (auto const& v : options_.views)
        live_.push_back({&v, nullptr, nullptr});
}

projector::~projector() = default;

result<std::unique_ptr<projector>> projector::open(events::store& s, projector_options options)
{
    std::unique_ptr<projector> p(new projector(s, std::move(options)));
    ASSAY_CHECK(p->open_views());
    if (p->options_.build_at_open && !s.options().read_only) {
        auto const missing = p->missing();
        if (!missing.empty()) {
            spdlog::info("building {} view(s) from {} commits", missing.size(), s.next_position());
            ASSAY_CHECK(p->rebuild(missing, p->options_.build));
        }
    }
    return p;
}

result<bool> projector::rows_are_current() const
{
    ASSAY_TRY(auto const row, store_.get(family::meta, views_next_key));
    auto const reached = row && row->size() == 8 ? events::read_be64(*row) : 0;
    return reached == store_.next_position();
}

result<void> projector::open_views()
{
    ASSAY_TRY(auto const current, rows_are_current());
    bool const empty = store_.next_position() == 0;
    for (auto& v : live_) {
        ASSAY_TRY(auto const row, store_.get(family::meta, view_record_key(v.v->name)));
        view_record record;
        if (row) {
            ASSAY_TRY(record, pack::from_bytes<view_record>(*row));
        }
        bool const usable = current && row && record.schema == v.v->schema;
        if (usable) {
            ASSAY_TRY(auto g, generation::open(store_, v.v->name, record.generation));
            serve(v, std::move(g));
        }
        if (!store_.options().read_only)
            ASSAY_CHECK(drop_orphans(v, row.has_value()));
        if (!usable && empty && !store_.options().read_only) {
            // Nothing to replay: an empty generation is complete.
            ASSAY_TRY(auto g, generation::open(store_, v.v->name, record.generation + 1));
            rocksdb::WriteBatch batch;
            batch.Put(store_.handle(family::meta), view_record_key(v.v->name),
                      pack::to_bytes(view_record{g->number(), v.v->schema}));
            ASSAY_CHECK(store_.write(batch, true));
            serve(v, std::move(g));
        }
    }
    publish();
    return {};
}

/// A crash in the middle of a rebuild leaves a generation that nothing names. And a generation that
/// does not serve falls behind with the next commit: the record that names it must go before that,
/// or a program with its schema would trust it later.
result<void> projector::drop_orphans(live_view const& v, bool recorded)
{
    if (!v.serving && recorded) {
        rocksdb::WriteBatch batch;
        batch.Delete(store_.handle(family::meta), view_record_key(v.v->name));
        ASSAY_CHECK(store_.write(batch, true));
    }
    for (auto const number : store_.view_generations(v.v->name)) {
        if (!v.serving || v.serving->number() != number)
            ASSAY_CHECK(store_.drop_view_family(v.v->name, number));
    }
    return {};
}

void projector::serve(live_view& v, std::shared_ptr<generation> g)
{
    v.rows = std::make_unique<overlay>(
        [this, from = g->family()](std::string_view key) { return store_.get(from, key); },
        options_.cache_bytes / std::max<std::size_t>(live_.size(), 1));
    v.serving = std::move(g);
}

void projector::publish()
{
    auto set = std::make_shared<serving_set>();
    for (auto const& v : live_)
        set->push_back(v.serving);
    serving_ = std::move(set);
}

result<void> projector::stage(events::commit const& c)
{
    auto const refuse = [&](std::size_t last, std::string const& detail) {
        for (std::size_t i = 0; i <= last; ++i) {
            if (live_[i].rows)
                live_[i].rows->undo();
        }
        return fail(errc::projection_failed,
                    fmt::format("view {}: {}", live_[last].v->name, detail));
    };
    for (std::size_t i = 0; i < live_.size(); ++i) {
        auto& v = live_[i];
        if (!v.rows)
            continue;
        v.rows->begin();
        try {
            for (auto const& e : c.events) {
                if (auto const done = v.v->apply(e, *v.rows); !done)
                    return refuse(i, done.error().detail);
            }
        } catch (std::exception const&
                     e) { // allocation and the JSON library throw; half a commit must not stay
            return refuse(i, e.what());
        }
    }
    for (auto& v : live_) {
        if (v.rows)
            v.rows->keep();
    }
    staged_next_ = c.head.position + 1;
    return {};
}

void projector::collect(rocksdb::WriteBatch& batch)
{
    for (auto& v : live_) {
        if (!v.rows)
            continue;
        v.rows->trim();
        auto* const to = v.serving->family();
        auto const put = [&](std::string_view key, std::optional<std::string_view> value) {
            if (value)
                batch.Put(to, slice(key), slice(*value));
            else
                batch.Delete(to, slice(key));
        };
        v.rows->collect(put, true);
        v.rows->written();
    }
    if (staged_next_ > 0)
        batch.Put(store_.handle(family::meta), slice(views_next_key), events::be64(staged_next_));
    staged_next_ = 0;
}

std::shared_ptr<snapshot_reader const> projector::read() const
{
    std::shared_lock const lock(serving_mutex_);
    return std::make_shared<snapshot_reader>(store_, serving_, store_.take_snapshot());
}

std::vector<projector::state> projector::states() const
{
    std::shared_lock const lock(serving_mutex_);
    std::vector<state> out;
    for (std::size_t i = 0; i < options_.views.size(); ++i) {
        auto const& g = (*serving_)[i];
        out.push_back({options_.views[i].name, options_.views[i].schema,
                       g ? std::optional(g->number()) : std::nullopt});
    }
    return out;
}

std::vector<std::string> projector::missing() const
{
    std::vector<std::string> out;
    for (auto const& s : states()) {
        if (!s.generation)
            out.push_back(s.name);
    }
    return out;
}

} // namespace assay::projections
