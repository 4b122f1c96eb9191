#include "events/stream_states.hpp"

#include <algorithm>

namespace assay::events {

namespace {

/// What a cached stream costs beside its state.
constexpr std::size_t cache_overhead = 400;
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

std::string row_of(stream_states::known const& stream)
{
    std::string out;
    pack::write(stream_head{stream.version, *stream.head}, out);
    std::visit(overloaded{[](std::monostate) { std::unreachable(); },
                          [&](auto const& state) { pack::write(state, out); }},
               stream.state);
    return out;
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
    auto const key = stream_key(id);
    if (auto const found = cache_.find(key); found != cache_.end()) {
        ages_.splice(ages_.begin(), ages_, found->second.age);
        return &found->second.stream;
    }
    ASSAY_TRY(auto row, store_.get(family::streams, key));
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
    case stream_kind::test: ASSAY_CHECK(unpack<test_state>(rest, out)); break;
    case stream_kind::cell: ASSAY_CHECK(unpack<cell_state>(rest, out)); break;
    }
    return &remember(key, std::move(out)).stream;
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
        case stream_kind::test: state.test = std::get<test_state>(stream->state); break;
        case stream_kind::cell:
            state.cells[cell_number(id)] = std::get<cell_state>(stream->state);
            break;
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
            now.state = state.test;
            counted = true;
            break;
        case stream_kind::cell:
            now.state = value_at(state.cells, cell_number(id));
            cells = true;
            break;
        }
        change(id, std::move(now));
    }
    if (cells && !counted) {
        stream_id const test{stream_kind::test, partition};
        auto const& before = cache_.at(stream_key(test)).stream;
        change(test, {before.version, before.head, state.test});
    }
}

void stream_states::change(stream_id const& id, known stream)
{
    auto const key = stream_key(id);
    auto& c = remember(key, std::move(stream));
    if (!std::exchange(c.changed, true))
        changed_.push_back(key);
}

void stream_states::collect(rocksdb::WriteBatch& batch)
{
    auto* const rows = store_.handle(family::streams);
    std::ranges::sort(changed_heads_);
    for (auto const& partition : changed_heads_)
        batch.Put(rows, partition_key(partition), be64(heads_.at(partition)));
    changed_heads_.clear();
    std::ranges::sort(changed_);
    for (auto const& key : changed_) {
        auto& c = cache_.at(key);
        c.changed = false;
        batch.Put(rows, key, row_of(c.stream));
    }
    changed_.clear();
}

stream_states::cached& stream_states::remember(std::string const& key, known stream)
{
    std::size_t bytes = cache_overhead;
    if (auto const* const test = std::get_if<test_state>(&stream.state))
        bytes += test->standards.size() * sizeof(event::standard_group);
    auto [at, fresh] = cache_.try_emplace(key);
    auto& c = at->second;
    if (fresh) {
        ages_.push_front(key);
        c.age = ages_.begin();
    } else {
        ages_.splice(ages_.begin(), ages_, c.age);
        bytes_ -= c.bytes;
    }
    c.stream = std::move(stream);
    c.bytes = bytes;
    bytes_ += bytes;
    return c;
}

void stream_states::trim(std::size_t bytes)
{
    // What was touched since the last `collect` stands before everything else.
    while (bytes_ > bytes && !cache_.at(ages_.back()).changed) {
        auto const victim = cache_.find(ages_.back());
        bytes_ -= victim->second.bytes;
        cache_.erase(victim);
        ages_.pop_back();
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
