#include "tests/projections/stored_log.hpp"

#include "events/catalogue.hpp"
#include "events/record.hpp"

#include <map>
#include <stdexcept>

namespace assay::test {

namespace {

constexpr std::size_t batch_bytes = 4 << 20;

events::envelope envelope_of(events::commit const& c, std::vector<std::string>& payloads)
{
    events::envelope e;
    e.position = c.head.position;
    e.commit = c.head.commit;
    e.command = c.head.command;
    e.operation = "test";
    e.at = c.head.at;
    e.workspace = c.head.workspace;
    e.partition = c.head.partition;
    e.profile = c.head.profile;
    e.channel = c.head.channel;
    std::map<stream_id, std::uint32_t> listed;
    std::vector<digest> leaves;
    for (auto const& r : c.events) {
        auto const [at, added] =
            listed.try_emplace(r.stream, static_cast<std::uint32_t>(e.streams.size()));
        if (added)
            e.streams.push_back({r.stream.text(), {}, 0});
        e.streams[at->second].version = r.version;
        auto const type = events::type_of(r.body);
        payloads.push_back(events::encode(r.body));
        e.events.push_back(
            {sha256(payloads.back()), at->second, std::string(type.name), type.version});
        leaves.push_back(events::event_leaf(e.events.back()));
    }
    e.events_root = events::merkle::root_of(leaves);
    return e;
}

} // namespace

log_writer::~log_writer()
{
    flush();
}

void log_writer::append(events::commit const& c)
{
    if (c.head.position != next_)
        throw std::logic_error("commits of a test must come in order");
    std::vector<std::string> payloads;
    auto const entry = codec::to_json(envelope_of(c, payloads));
    batch_.Put(store_.handle(events::family::log), events::be64(next_),
               events::write_record(entry, payloads, {}));
    tree_.append(events::merkle::leaf_hash(entry),
                 [&](std::uint8_t level, std::uint64_t index, digest const& hash) {
                     batch_.Put(store_.handle(events::family::tree),
                                events::store::tree_key(level, index), rocksdb::Slice(hash.raw()));
                 });
    ++next_;
    if (batch_.GetDataSize() > batch_bytes)
        flush();
}

void log_writer::flush()
{
    batch_.Put(store_.handle(events::family::meta), "tree", tree_.bytes());
    if (auto const written = store_.write(batch_, false); !written)
        throw std::runtime_error(written.error().detail);
    batch_.Clear();
    store_.advance(next_, tree_);
}

} // namespace assay::test
