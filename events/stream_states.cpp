#include "events/stream_states.hpp"

#include <algorithm>
#include <cassert>

namespace assay::events {

namespace {

/// What a cached stream costs beside its state.
constexpr std::size_t cache_overhead = 200;
constexpr std::size_t heads_max = 1 << 12;
constexpr std::size_t rebuild_batch_rows = 16 << 10;
constexpr std::size_t rebuild_cache_bytes = 64 << 20;
constexpr char const* schema_key = "states_schema";

template <class State>
result<void> unpack(std::string_view bytes, stream_states::known& out)
{
    ASSAY_TRY(out.state, pack::from_bytes<State>(bytes));
    return {};
}

void write_row(stream_states::known const& stream, std::string& out)
{
    pack::write(stream_head{stream.version, *stream.head}, out);
    std::visit(overloaded{[](std::monostate) { std::unreachable(); },
                          [&](std::unique_ptr<test_state> const& test) { pack::write(*test, out); },
                          [&](auto const& state) { pack::write(state, out); }},
               stream.state);
}

template <class Map, class Key>
auto value_at(Map const& map, Key const& key)
{
    auto const found = map.find(key);
    return found == map.end() ? typename Map::mapped_type{} : found->second;
}

std::uint32_t cell_number(stream_id const& id)
{
    return grid_id::read(id.id)->cell;
}

} // namespace

result<stream_states::known const*> stream_states::load(stream_id const& id)
{
    static known const none;
    if (auto const* const found = find(id))
        return &found->stream;
    ASSAY_TRY(auto row, store_.get(family::streams, stream_key(id)));
    if (!row)
        return &none;
    known out;
    std::string_view rest = *row;
    ASSAY_TRY(auto head, take_stream_head(rest));
    out.version = head.version;
    out.head = head.head;
    switch (id.kind) {
    case stream_kind::workspace: ASSAY_CHECK(unpack<workspace_state>(rest, out)); break;
    case stream_kind::api_key: ASSAY_CHECK(unpack<api_key_state>(rest, out)); break;
    case stream_kind::item: ASSAY_CHECK(unpack<item_state>(rest, out)); break;
    case stream_kind::test: {
        ASSAY_TRY(auto test, pack::from_bytes<test_state>(rest));
        out.state = std::make_unique<test_state>(std::move(test));
        break;
    }
    case stream_kind::cell: ASSAY_CHECK(unpack<cell_state>(rest, out)); break;
    case stream_kind::note: ASSAY_CHECK(unpack<note_state>(rest, out)); break;
    }
    return &remember(id, std::move(out)).stream;
}

result<partition_state> stream_states::assemble(uuid const& workspace,
                                                std::span<stream_id const> streams)
{
    partition_state state;
    state.workspace = workspace;
    for (auto const& id : streams) {
        ASSAY_TRY(auto const* const stream, load(id));
        if (stream->version == 0)
            continue;
        switch (id.kind) {
        case stream_kind::workspace:
            state.workspace_row = std::get<workspace_state>(stream->state);
            break;
        case stream_kind::api_key:
            state.api_keys[id.id] = std::get<api_key_state>(stream->state);
            break;
        case stream_kind::item: state.items[id.id] = std::get<item_state>(stream->state); break;
        case stream_kind::test:
            state.test = *std::get<std::unique_ptr<test_state>>(stream->state);
            break;
        case stream_kind::cell:
            state.cells[cell_number(id)] = std::get<cell_state>(stream->state);
            break;
        case stream_kind::note: state.notes[id.id] = std::get<note_state>(stream->state); break;
        }
    }
    return state;
}

result<std::optional<std::uint64_t>> stream_states::partition_head(uuid const& partition)
{
    if (auto const found = heads_.find(partition); found != heads_.end())
        return found->second;
    ASSAY_TRY(auto row, store_.get(family::streams, partition_key(partition)));
    if (!row)
        return std::nullopt;
    return read_be64(*row);
}

void stream_states::keep(uuid const& partition, std::span<touched const> streams,
                         partition_state const& state, std::uint64_t position)
{
    heads_[partition] = position;
    if (std::ranges::find(changed_heads_, partition) == changed_heads_.end())
        changed_heads_.push_back(partition);

    bool cells = false;
    bool counted = false;
    for (auto const& [id, version] : streams) {
        known now{version, position, {}};
        switch (id.kind) {
        case stream_kind::workspace: now.state = state.workspace_row; break;
        case stream_kind::api_key: now.state = value_at(state.api_keys, id.id); break;
        case stream_kind::item: now.state = value_at(state.items, id.id); break;
        case stream_kind::test:
            now.state = std::make_unique<test_state>(state.test);
            counted = true;
            break;
        case stream_kind::cell:
            now.state = value_at(state.cells, cell_number(id));
            cells = true;
            break;
        case stream_kind::note: now.state = value_at(state.notes, id.id); break;
        }
        change(id, std::move(now));
    }
    if (cells && !counted) {
        stream_id const test{stream_kind::test, partition};
        auto* const found = find(test);
        assert(found && "a cell's commit has loaded its test");
        auto& c = *found;
        *std::get<std::unique_ptr<test_state>>(c.stream.state) = state.test;
        mark(c);
    }
}

void stream_states::change(stream_id const& id, known stream)
{
    mark(remember(id, std::move(stream)));
}

void stream_states::mark(cached& c)
{
    if (!std::exchange(c.changed, true))
        changed_.push_back(&c);
}

void stream_states::collect(rocksdb::WriteBatch& batch)
{
    auto* const rows = store_.handle(family::streams);
    std::ranges::sort(changed_heads_);
    for (auto const& partition : changed_heads_)
        batch.Put(rows, partition_key(partition), be64(heads_.at(partition)));
    changed_heads_.clear();
    std::ranges::sort(changed_, {}, [](cached const* c) { return c->id; }); // as their keys
    std::string row;
    for (auto* const c : changed_) {
        c->changed = false;
        row.clear();
        write_row(c->stream, row);
        batch.Put(rows, stream_key(c->id), row);
    }
    changed_.clear();
}

stream_states::cached* stream_states::find(stream_id const& id)
{
    auto const found = by_id_.find(id);
    if (found == by_id_.end())
        return nullptr;
    cache_.splice(cache_.begin(), cache_, found->second);
    return &cache_.front();
}

stream_states::cached& stream_states::remember(stream_id const& id, known stream)
{
    auto* c = find(id);
    if (!c) {
        c = &cache_.emplace_front(cached{id, {}});
        by_id_.emplace(id, cache_.begin());
    }
    bytes_ -= c->bytes;
    c->bytes = cache_overhead;
    if (auto const* const test = std::get_if<std::unique_ptr<test_state>>(&stream.state))
        c->bytes += sizeof **test + (*test)->standards.size() * sizeof(event::standard_group);
    if (auto const* const note = std::get_if<note_state>(&stream.state))
        c->bytes += note->answer.size();
    bytes_ += c->bytes;
    c->stream = std::move(stream);
    return *c;
}

void stream_states::trim(std::size_t bytes)
{
    // What was touched since the last `collect` stands before everything else.
    while (bytes_ > bytes && !cache_.back().changed) {
        bytes_ -= cache_.back().bytes;
        by_id_.erase(cache_.back().id);
        cache_.pop_back();
    }
    if (heads_.size() > heads_max)
        std::erase_if(heads_, [&](auto const& h) {
            return std::ranges::find(changed_heads_, h.first) == changed_heads_.end();
        });
}

result<void> rebuild_states(store& s, std::function<void(std::uint64_t)> const& progress)
{
    rocksdb::WriteBatch batch;
    batch.DeleteRange(s.handle(family::streams), rocksdb::Slice(), std::string(32, '\xFF'));
    batch.Delete(s.handle(family::meta), schema_key);
    ASSAY_CHECK(s.write(batch, true));
    batch.Clear();

    stream_states states(s);
    std::optional<error> problem;
    auto const fold = [&](commit const& c) -> result<void> {
        std::vector<stream_states::touched> streams;
        std::vector<stream_id> read{{stream_kind::test, c.head.partition}};
        for (auto const& e : c.events) {
            auto const found = std::find_if(streams.begin(), streams.end(),
                                            [&](auto const& t) { return t.id == e.stream; });
            if (found == streams.end()) {
                streams.push_back({e.stream, e.version});
                read.push_back(e.stream);
            } else {
                found->version = e.version;
            }
        }
        ASSAY_TRY(auto state, states.assemble(c.head.workspace, read));
        for (auto const& e : c.events)
            apply(state, e.stream, e.body, {c.head.workspace, c.head.at});
        states.keep(c.head.partition, streams, state, c.head.position);
        return {};
    };
    auto const flush = [&](bool durable) {
        states.collect(batch);
        auto done = s.write(batch, durable);
        batch.Clear();
        return done;
    };
    ASSAY_CHECK(s.read_range(0, s.next_position(), [&](commit_ptr const& c) {
        auto done = fold(*c);
        if (done && states.changed() >= rebuild_batch_rows) {
            done = flush(false);
            states.trim(rebuild_cache_bytes);
            if (progress)
                progress(c->head.position + 1);
        }
        if (!done)
            problem = std::move(done.error());
        return !problem;
    }));
    if (problem)
        return std::unexpected(std::move(*problem));
    batch.Put(s.handle(family::meta), schema_key, be32(states_schema));
    return flush(true);
}

result<bool> ensure_states(store& s)
{
    ASSAY_TRY(auto row, s.get(family::meta, schema_key));
    if (row && read_be32(*row) == states_schema)
        return false;
    ASSAY_CHECK(rebuild_states(s));
    return true;
}

} // namespace assay::events
