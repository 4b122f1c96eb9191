#include "http/api/catalog.hpp"
#include "http/api/catalog_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <set>

namespace assay::api {

namespace {

constexpr std::size_t items_max = 10'000;
/// Commits of one request that may wait in the pipeline.
constexpr std::size_t window = 512;
/// How often an update is made again because somebody else was faster.
constexpr int update_attempts = 4;

using done = result<events::receipt>;

/// Commands on their way, at most `window` of them.
class flight {
public:
    explicit flight(std::size_t count) : outcomes_(count) {}

    ~flight() { wait(0); }

    void give(services const& s, std::size_t index, engine::prepared command)
    {
        wait(window - 1);
        {
            std::lock_guard const lock(mutex_);
            ++flying_;
        }
        s.engine.give(std::move(command), [this, index](done d) {
            std::lock_guard const lock(mutex_);
            outcomes_[index] = std::move(d);
            --flying_;
            landed_.notify_all();
        });
    }

    void fail_at(std::size_t index, error e)
    {
        std::lock_guard const lock(mutex_);
        outcomes_[index] = std::unexpected(std::move(e));
    }

    void wait(std::size_t at_most)
    {
        std::unique_lock lock(mutex_);
        landed_.wait(lock, [&] { return flying_ <= at_most; });
    }

    /// Only after `wait(0)`.
    [[nodiscard]] std::vector<std::optional<done>>& outcomes() { return outcomes_; }

private:
    std::mutex mutex_;
    std::condition_variable landed_;
    std::size_t flying_ = 0;
    std::vector<std::optional<done>> outcomes_;
};

json::array const* items_of(incoming const& in, std::string_view plural, body_problems& bad)
{
    auto const* const v = in.body.if_contains(plural);
    bad.enter(plural);
    json::array const* out = nullptr;
    if (!v)
        bad.add("missing", "this field is required");
    else
        out = detail::read_array(*v, {.size_min = 1, .size_max = items_max}, bad);
    if (!out)
        bad.leave();
    return out; // the place stays entered: what follows is inside
}

result<std::vector<item_change>> read_changes(kind_spec const& spec, incoming const& in,
                                              bool create)
{
    body_problems bad;
    std::vector<item_change> out;
    if (auto const* const list = items_of(in, spec.plural, bad)) {
        for (std::size_t i = 0; i < list->size(); ++i) {
            bad.enter(i);
            if (auto const* const o = (*list)[i].if_object())
                out.push_back(read_change(spec, *o, create, bad));
            else
                bad.add("dict_type", "expected an object");
            bad.leave();
        }
    }
    ASSAY_CHECK(std::move(bad).verdict());
    return out;
}

/// What an item refers to must be there and the caller's to see, and the departments the caller's.
result<void> check_references(incoming const& in, projections::reader const& views,
                              item_change const& change)
{
    error e{errc::not_found, {}, "reference_not_found"};
    for (auto const& r : change.references) {
        auto const row = projections::get_item(views, in.who.workspace, r.kind, r.id);
        if (row) {
            ASSAY_CHECK(check_departments(in, row->departments));
            continue;
        }
        if (row.error().code != errc::not_found)
            return std::unexpected(row.error());
        auto msg = fmt::format("there is no {} {}", codec::enum_name(r.kind), r.id.text());
        e.detail += (e.detail.empty() ? "" : "; ") + msg;
        e.fields.push_back({{r.field}, std::move(msg), "not_found"});
    }
    if (!e.fields.empty())
        return std::unexpected(std::move(e));
    return change.departments ? check_departments(in, *change.departments) : result<void>();
}

/// The item as its commit wrote it: the same for the first answer and for every later one with the
/// same idempotency key.
result<std::optional<engine::item>> written(services const& s, incoming const& in, uuid const& id,
                                            std::uint64_t position)
{
    ASSAY_TRY(auto const commit, s.engine.log().read(position));
    projections::item_row row;
    auto const take = [&](events::recorded const& e, auto const& item) {
        row.id = e.stream.id;
        row.kind = item.kind;
        row.name = item.name;
        row.active = item.active;
        row.departments = item.departments;
        row.body = json::canonical(item.body);
        row.texts = item.texts;
        row.created_at = row.updated_at = commit->head.at;
    };
    bool found = false;
    for (auto const& e : commit->events) {
        if (e.stream.id != id)
            continue;
        if (auto const* const made = std::get_if<event::item_created>(&e.body))
            take(e, *made), found = true;
        else if (auto const* const changed = std::get_if<event::item_updated>(&e.body))
            take(e, *changed), found = true;
    }
    if (!found)
        return std::optional<engine::item>();
    ASSAY_TRY(auto item, s.engine.resolve(in.who.workspace, std::move(row)));
    return std::optional(std::move(item));
}

void write_result(json_writer& w, std::string_view id_name, std::optional<uuid> const& id,
                  error const* problem, std::string_view good)
{
    w.begin_object().member("success", problem == nullptr).member(id_name, id);
    w.member("message", problem ? std::string_view(problem->detail) : good);
    if (problem) {
        w.member("code", problem->reason).name("errors").begin_array();
        for (auto const& f : problem->fields)
            w.begin_object()
                .member("field", f.loc.empty() ? std::string() : f.loc.back())
                .member("message", f.msg)
                .end_object();
        w.end_array();
    }
    w.end_object();
}

/// Errors that are about the request as a whole, when nothing of it was done.
bool is_of_the_request(error const& e)
{
    switch (e.code) {
    case errc::forbidden:
    case errc::idempotency_reused:
    case errc::unavailable:
    case errc::overloaded:
    case errc::projection_failed:
    case errc::internal:
    case errc::io:
    case errc::corrupt:
    case errc::cancelled: return true;
    case errc::malformed:
    case errc::unauthenticated:
    case errc::not_found:
    case errc::conflict:
    case errc::gone:
    case errc::too_large:
    case errc::invalid:
    case errc::rate_limited:
    case errc::timeout: return false;
    }
    std::unreachable();
}

/// Answers with a line for each item; with an error if all of them met one that no item is to blame
/// for.
void answer_all(services const& s, kind_spec const& spec, incoming const& in, flight& f,
                std::vector<std::optional<uuid>> const& ids, std::string_view good, bool with_rows,
                reply respond)
{
    f.wait(0);
    auto& outcomes = f.outcomes();
    bool const none_done =
        std::ranges::none_of(outcomes, [](auto const& o) { return o->has_value(); });
    for (auto const& o : outcomes)
        if (!*o && (o->error().code == errc::idempotency_reused ||
                    (none_done && is_of_the_request(o->error()))))
            return respond(std::unexpected(o->error()));

    std::string body;
    json_writer w(body);
    w.begin_object().name("results").begin_array();
    for (std::size_t i = 0; i < outcomes.size(); ++i)
        write_result(w, spec.id_name, *outcomes[i] ? ids[i] : std::nullopt,
                     *outcomes[i] ? nullptr : &outcomes[i]->error(), good);
    w.end_array();
    if (with_rows) {
        w.name(spec.plural).begin_array();
        for (std::size_t i = 0; i < outcomes.size(); ++i) {
            if (!*outcomes[i] || !(*outcomes[i])->position)
                continue;
            auto const item = written(s, in, *ids[i], *(*outcomes[i])->position);
            if (!item)
                return respond(std::unexpected(item.error()));
            if (*item)
                write_row(w, spec, in, **item, nullptr);
        }
        w.end_array();
    }
    w.member("idempotency_key", echoed_key(in.who)).end_object();
    respond(std::move(body));
}

/// A secret goes to the vault before the commit that makes it known, unless the item is there
/// already: then this is a repeated request, and the secret of the first one stands.
result<void> keep_new_secret(services const& s, incoming const& in,
                             projections::reader const& views, uuid const& id,
                             std::string_view secret)
{
    if (projections::get_item(views, in.who.workspace, id))
        return {};
    return s.engine.keys().put_secret(in.who.workspace, id, secret);
}

/// The key that a provider's `key` becomes. @returns its id.
result<uuid> give_provider_key(services const& s, incoming const& in,
                               projections::reader const& views, uuid const& id,
                               engine::item_draft const& provider, std::string const& secret,
                               std::uint64_t part)
{
    engine::item_draft key;
    key.id = id;
    key.name = fmt::format("{} key", provider.name);
    key.body = {{"provider_id", provider.id->text()}, {"key_masked", masked(secret)}};
    ASSAY_CHECK(keep_new_secret(s, in, views, id, secret));
    ASSAY_TRY(auto command, s.engine.prepare_create(in.who, item_kind::key, std::move(key), part));
    ASSAY_CHECK(s.engine.give_and_wait(std::move(command)));
    return id;
}

result<engine::prepared> prepare_one(services const& s, kind_spec const& spec, incoming const& in,
                                     projections::reader const& views, item_change const& change,
                                     uuid const& id, uuid const& aux, std::uint64_t part)
{
    // Of a repeated request the item is there already, and what it refers to may have gone since.
    bool const repeated =
        !in.who.idempotency_key.empty() && projections::get_item(views, in.who.workspace, id);
    if (!repeated)
        ASSAY_CHECK(check_references(in, views, change));
    engine::item_draft draft;
    draft.id = id;
    apply(spec, change, draft);
    if (change.secret && spec.kind == item_kind::key)
        ASSAY_CHECK(keep_new_secret(s, in, views, id, *change.secret));
    if (change.secret && spec.kind == item_kind::provider) {
        ASSAY_TRY(auto const key,
                  give_provider_key(s, in, views, aux, draft, *change.secret, part));
        draft.body["key_ids"] = json::array{json::value(boost::json::string(key.text()))};
    }
    return s.engine.prepare_create(in.who, spec.kind, std::move(draft), part);
}

/// The current item with the change over it, as a command that only goes through if nobody was
/// faster.
result<engine::prepared> prepare_change(services const& s, kind_spec const& spec,
                                        incoming const& in, item_change const& change,
                                        uuid const& aux, std::uint64_t part)
{
    auto const views = s.engine.read();
    ASSAY_TRY(auto const item, s.engine.read_item(*views, in.who.workspace, spec.kind, *change.id));
    if (spec.has_departments)
        ASSAY_CHECK(check_departments(in, item.row.departments));
    if (!item.erased.empty())
        return fail(errc::gone, "the item's texts were erased; it cannot be changed any more",
                    "erased");
    ASSAY_CHECK(check_references(in, *views, change));
    auto draft = draft_of(item);
    apply(spec, change, draft);
    if (change.secret && spec.kind == item_kind::provider) {
        ASSAY_TRY(auto const key,
                  give_provider_key(s, in, *views, aux, draft, *change.secret, part));
        draft.body["key_ids"] = json::array{json::value(boost::json::string(key.text()))};
    }
    ASSAY_TRY(auto command, s.engine.prepare_update(in.who, spec.kind, std::move(draft), part));
    command.expects.push_back(
        {{stream_kind::item, *change.id}, events::expectation::kind::exact, item.row.version});
    return command;
}

done change_one(services const& s, kind_spec const& spec, incoming const& in,
                item_change const& change, uuid const& aux, std::uint64_t part)
{
    for (int attempt = 1;; ++attempt) {
        ASSAY_TRY(auto command, prepare_change(s, spec, in, change, aux, part));
        auto outcome = s.engine.give_and_wait(std::move(command));
        bool const outrun = !outcome && outcome.error().reason == "version_conflict";
        if (!outrun || attempt == update_attempts)
            return outcome;
    }
}

/// A key's new value replaces the old one; if the change is refused the old one comes back.
done change_key(services const& s, kind_spec const& spec, incoming const& in,
                item_change const& change, std::uint64_t part)
{
    auto& vault = s.engine.keys();
    {
        auto const views = s.engine.read();
        ASSAY_TRY(auto const row,
                  projections::get_item(*views, in.who.workspace, item_kind::key, *change.id));
        ASSAY_CHECK(check_departments(in, row.departments));
    }
    auto const before = vault.get_secret(in.who.workspace, *change.id);
    if (change.secret)
        ASSAY_CHECK(vault.put_secret(in.who.workspace, *change.id, *change.secret));
    auto outcome = change_one(s, spec, in, change, {}, part);
    if (change.secret && before && (!outcome || outcome->replayed))
        ASSAY_CHECK(vault.put_secret(in.who.workspace, *change.id, before->view()));
    return outcome;
}

} // namespace

void create_items(services const& s, kind_spec const& spec, incoming in, reply respond)
{
    auto const changes = read_changes(spec, in, true);
    if (!changes)
        return respond(std::unexpected(changes.error()));
    auto const command = s.engine.command_id(in.who, fmt::format("{}.create", spec.name));
    if (!command)
        return respond(std::unexpected(command.error()));
    auto const views = s.engine.read();
    flight f(changes->size());
    std::vector<std::optional<uuid>> ids;
    for (std::size_t i = 0; i < changes->size(); ++i) {
        auto const& change = (*changes)[i];
        auto const id = change.id.value_or(derive_uuid(*command, spec.name, i));
        ids.emplace_back(id);
        auto prepared = prepare_one(s, spec, in, *views, change, id,
                                    derive_uuid(*command, "provider key", i), i);
        if (prepared)
            f.give(s, i, std::move(*prepared));
        else
            f.fail_at(i, std::move(prepared.error()));
    }
    answer_all(s, spec, in, f, ids, "created", true, std::move(respond));
}

void update_items(services const& s, kind_spec const& spec, incoming in, reply respond)
{
    auto const changes = read_changes(spec, in, false);
    if (!changes)
        return respond(std::unexpected(changes.error()));
    auto const command = s.engine.command_id(in.who, fmt::format("{}.update", spec.name));
    if (!command)
        return respond(std::unexpected(command.error()));
    flight f(changes->size());
    std::vector<std::optional<uuid>> ids;
    for (std::size_t i = 0; i < changes->size(); ++i) {
        auto const& change = (*changes)[i];
        ids.push_back(change.id);
        auto outcome =
            spec.kind == item_kind::key
                ? change_key(s, spec, in, change, i)
                : change_one(s, spec, in, change, derive_uuid(*command, "provider key", i), i);
        f.outcomes()[i] = std::move(outcome);
    }
    answer_all(s, spec, in, f, ids, "updated", true, std::move(respond));
}

void delete_items(services const& s, kind_spec const& spec, incoming in, reply respond)
{
    std::vector<uuid> wanted;
    body_problems bad;
    auto const name = fmt::format("{}_ids", spec.name);
    if (auto const* const v = in.body.if_contains(name)) {
        bad.enter(name);
        read_value(*v, {.size_min = 1, .size_max = items_max}, bad, wanted);
    } else {
        bad.enter(name);
        bad.add("missing", "this field is required");
    }
    if (auto const good = std::move(bad).verdict(); !good)
        return respond(std::unexpected(good.error()));

    auto const views = s.engine.read();
    flight f(wanted.size());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        auto const row = projections::get_item(*views, in.who.workspace, spec.kind, wanted[i]);
        auto allowed =
            row && spec.has_departments ? check_departments(in, row->departments) : result<void>();
        if (spec.kind == item_kind::profile && wanted[i] == in.who.profile)
            allowed = fail(errc::conflict, "a profile cannot delete itself", "own_profile");
        auto command = s.engine.prepare(in.who, fmt::format("{}.delete", spec.name),
                                        command::delete_item{wanted[i], spec.kind}, i);
        if (!allowed)
            f.fail_at(i, std::move(allowed.error()));
        else if (!command)
            f.fail_at(i, std::move(command.error()));
        else
            f.give(s, i, std::move(*command));
    }
    f.wait(0);
    if (spec.kind == item_kind::key)
        for (std::size_t i = 0; i < wanted.size(); ++i)
            if (*f.outcomes()[i])
                if (auto const gone = s.engine.keys().erase_secret(in.who.workspace, wanted[i]);
                    !gone)
                    return respond(std::unexpected(gone.error()));
    std::vector<std::optional<uuid>> const ids(wanted.begin(), wanted.end());
    answer_all(s, spec, in, f, ids, "deleted", false, std::move(respond));
}

} // namespace assay::api
