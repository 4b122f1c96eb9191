#include "events/commit_maker.hpp"

#include "events/catalogue.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>

namespace assay::events {

namespace {

constexpr std::size_t recent_blobs_max = 1 << 16;
constexpr std::string_view replacement_character = "\xEF\xBF\xBD";

instant system_now()
{
    auto const now = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
}

/// Where a sealed answer belongs: no answer can be moved to another commit.
std::string answer_context(uuid const& workspace, digest const& key)
{
    std::string out("assay answer");
    return out.append(workspace.raw()).append(key.raw());
}

} // namespace

commit_maker::commit_maker(store& s, vault& v, view_port& views, std::function<instant()> clock,
                           std::size_t state_cache_bytes)
    : store_(s), vault_(v), views_(views), clock_(clock ? std::move(clock) : system_now),
      state_cache_bytes_(state_cache_bytes), states_(s), tree_(s.tree()), next_(s.next_position())
{
    if (next_ == 0)
        return;
    if (auto const last = store_.read_envelope_at(next_ - 1))
        last_at_ = last->at;
}

result<receipt> commit_maker::make(submission& s, drain& d)
{
    if (s.idempotency) {
        ASSAY_TRY(auto earlier, earlier_answer(s));
        if (earlier)
            return std::move(*earlier);
    }
    ASSAY_CHECK(check_expectations(s));
    auto f = footprint_of(s.command, s.actor.workspace);
    if (s.staging)
        f.streams.push_back({stream_kind::note, s.staging->note});
    ASSAY_TRY(auto state, states_.assemble(s.actor.workspace, f.streams));
    ASSAY_TRY(auto made,
              s.staging ? decide(state, s.command, *s.staging) : decide(state, s.command));
    if (made.events.empty())
        return receipt{std::move(made.answer), std::nullopt, false};
    return commit_decision(s, f, state, std::move(made), d);
}

void commit_maker::seal(drain& d)
{
    // Rows of `d` are marked as changed and stay; those of earlier drains are stored.
    states_.trim(state_cache_bytes_);
    if (recent_blobs_.size() > recent_blobs_max)
        recent_blobs_.clear();
    sealed_answers_ = std::exchange(answers_, {});
    d.next = next_;
    d.tree = tree_;
    if (d.commits.empty())
        return;
    states_.collect(d.batch);
    views_.collect(d.batch);
    d.batch.Put(store_.handle(family::meta), "tree", d.tree.bytes());
}

/// The commit that came with the key: its position and its record.
result<std::optional<std::pair<std::uint64_t, std::string>>>
commit_maker::keyed_commit(digest const& key) const
{
    using found = std::optional<std::pair<std::uint64_t, std::string>>;
    for (auto const* const fresh : {&answers_, &sealed_answers_}) {
        if (auto const at = fresh->find(key); at != fresh->end())
            return found(at->second);
    }
    ASSAY_TRY(auto row, store_.get(family::idempotency, key.raw()));
    if (!row)
        return found();
    auto const position = read_be64(*row);
    ASSAY_TRY(auto record, store_.record_bytes(position));
    return found(std::pair(position, std::move(record)));
}

result<std::optional<receipt>> commit_maker::earlier_answer(submission const& s) const
{
    auto const& key = s.idempotency->key;
    ASSAY_TRY(auto const earlier, keyed_commit(key));
    if (!earlier)
        return std::nullopt;
    auto const& [position, record] = *earlier;
    ASSAY_TRY(auto parts, read_record(record));
    ASSAY_TRY(auto e, codec::from_json<envelope>(parts.entry));
    if (e.body != s.idempotency->body)
        return fail(
            errc::idempotency_reused,
            "this idempotency key came with another body before; use a new key for a new request",
            "idempotency_key_reused");
    ASSAY_TRY(auto keys, vault_.keys_of(s.actor.workspace));
    ASSAY_TRY(auto plain, gcm_unwrap(keys->data_key.view(), parts.answer,
                                     answer_context(s.actor.workspace, key)));
    ASSAY_TRY(auto answer, json::parse_stored(plain));
    return receipt{answer.as_object(), position, true};
}

result<void> commit_maker::check_expectations(submission const& s)
{
    for (auto const& e : s.expects) {
        ASSAY_TRY(auto const* const known, states_.load(e.stream));
        bool const exists = known->version > 0;
        bool ok = true;
        std::string wanted;
        switch (e.wanted) {
        case expectation::kind::any: break;
        case expectation::kind::none:
            ok = !exists;
            wanted = "none";
            break;
        case expectation::kind::exists:
            ok = exists;
            wanted = "any version";
            break;
        case expectation::kind::exact:
            ok = known->version == e.version;
            wanted = std::to_string(e.version);
            break;
        }
        if (!ok)
            return fail(errc::conflict,
                        fmt::format("{}: expected version {}, it is at {}", e.stream.text(), wanted,
                                    known->version),
                        "version_conflict");
    }
    return {};
}

result<receipt> commit_maker::commit_decision(submission& s, footprint const& f,
                                              partition_state& state, decision made, drain& d)
{
    if (made.events.size() > commit_events_max)
        return fail(errc::too_large,
                    fmt::format("one command may write {} events, this one writes {}",
                                commit_events_max, made.events.size()),
                    "commit_too_large");
    auto const at = std::max(clock_(), last_at_);

    envelope e;
    e.position = next_;
    e.commit = random_uuid_v7(at.us);
    e.command = s.command_id;
    e.operation = s.operation;
    e.at = at;
    e.workspace = s.actor.workspace;
    e.partition = f.partition;
    e.profile = s.actor.profile;
    e.channel = s.actor.channel;
    e.causation = s.causation;
    e.request = s.request;
    ASSAY_TRY(e.previous, states_.partition_head(f.partition));

    auto c = std::make_shared<commit>();
    c->head = {e.position, e.commit, e.command, at, e.workspace, e.partition, e.profile, e.channel};
    std::vector<stream_states::touched> touched;
    auto const slot_of = [&](stream_id const& id) -> result<std::size_t> {
        for (std::size_t i = 0; i < touched.size(); ++i) {
            if (touched[i].id == id)
                return i;
        }
        ASSAY_TRY(auto const* const known, states_.load(id));
        e.streams.push_back({id.text(), known->head, 0});
        touched.push_back({id, known->version});
        return touched.size() - 1;
    };

    std::vector<std::string> payloads;
    std::vector<digest> leaves;
    std::size_t bytes = 0;
    event_context const context{s.actor.workspace, at};
    c->events.reserve(made.events.size());
    for (auto& draft : made.events) {
        ASSAY_TRY(auto slot, slot_of(draft.stream));
        auto payload = encode(draft.body);
        bytes += payload.size();
        auto const type = type_of(draft.body);
        // Bytes that are no UTF-8 were replaced; the views must see live what they will read from the log.
        if (payload.find(replacement_character) != std::string::npos) {
            ASSAY_TRY(draft.body, decode(type.name, type.version, payload));
        }
        envelope_event listed{sha256(payload), static_cast<std::uint32_t>(slot),
                              std::string(type.name), type.version};
        leaves.push_back(event_leaf(listed));
        apply(state, draft.stream, draft.body, context);
        c->events.push_back({&c->head, static_cast<std::uint32_t>(c->events.size()), draft.stream,
                             ++touched[slot].version, std::move(draft.body)});
        e.events.push_back(std::move(listed));
        payloads.push_back(std::move(payload));
    }
    for (std::size_t i = 0; i < touched.size(); ++i)
        e.streams[i].version = touched[i].version;
    e.events_root = merkle::root_of(leaves);
    e.keys = s.keys;

    std::string sealed_answer;
    if (s.idempotency) {
        ASSAY_TRY(auto keys, vault_.keys_of(s.actor.workspace));
        sealed_answer = gcm_wrap(keys->data_key.view(), json::canonical(made.answer),
                                 answer_context(s.actor.workspace, s.idempotency->key));
        if (std::ranges::find(e.keys, keys->data_key_id) == e.keys.end())
            e.keys.push_back(keys->data_key_id);
        e.idempotency = s.idempotency->key;
        e.body = s.idempotency->body;
        e.answer = sha256(sealed_answer);
    }
    auto const entry = codec::to_json(e);
    if (bytes > commit_bytes_max || entry.size() > entry_bytes_max)
        return fail(errc::too_large,
                    fmt::format("one command may write {} bytes of events, this one writes {}",
                                commit_bytes_max, bytes),
                    "commit_too_large");

    if (auto const staged = views_.stage(*c); !staged) {
        spdlog::error("a view refused {}: {}; nothing was written", s.operation,
                      staged.error().detail);
        return fail(errc::projection_failed,
                    "a view could not take this change; nothing was written", "projection_failed");
    }

    // From here on nothing can refuse: the commit joins the drain.
    auto record = write_record(entry, payloads, sealed_answer);
    d.batch.Put(store_.handle(family::log), be64(e.position), record);
    tree_.append(merkle::leaf_hash(entry),
                 [&](std::uint8_t level, std::uint64_t index, digest const& hash) {
                     d.batch.Put(store_.handle(family::tree), store::tree_key(level, index),
                                 rocksdb::Slice(hash.raw()));
                 });
    states_.keep(f.partition, touched, state, e.position);
    for (auto const& blob : s.blobs) {
        if (recent_blobs_.insert(blob.address).second)
            d.batch.Put(store_.handle(family::blobs), blob_store::key(blob.workspace, blob.address),
                        blob.bytes);
    }
    if (s.idempotency) {
        d.batch.Put(store_.handle(family::idempotency), rocksdb::Slice(s.idempotency->key.raw()),
                    be64(e.position));
        answers_.emplace(s.idempotency->key, std::pair(e.position, std::move(record)));
    }
    last_at_ = at;
    ++next_;
    d.commits.push_back(commit_ptr(c));
    return receipt{std::move(made.answer), e.position, false};
}

} // namespace assay::events
