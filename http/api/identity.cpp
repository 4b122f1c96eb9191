#include "http/api/identity.hpp"

#include "core/permissions.hpp"
#include "projections/key.hpp"
#include "projections/queries.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace assay::api {

namespace {

identities::profile_info info_of(uuid const& workspace, std::string name, bool active,
                                 std::vector<uuid> departments, boost::json::object const& body)
{
    identities::profile_info out{workspace, std::move(name), {}, active, std::move(departments)};
    if (auto const* const role = body.if_contains("role"); role && role->is_string())
        out.role = role->get_string();
    return out;
}

/// The place of a role among all, the mightiest first.
auto rank_of(std::string_view role)
{
    return std::ranges::find(roles(), role) - roles().begin();
}

void narrow_roles(http::identity& who, std::string& role, std::vector<std::string> const& granted)
{
    // What people are shown: the weaker one of the profile's role and the mightiest one granted.
    auto const mightiest = std::ranges::min_element(granted, {}, rank_of);
    if (mightiest == granted.end() || rank_of(*mightiest) > rank_of(role))
        role = mightiest != granted.end() && is_role(*mightiest) ? *mightiest : std::string();
    who.may = [full = std::move(who.may), granted](http::permission const& p) {
        return full(p) && std::ranges::any_of(granted, [&](std::string const& r) {
                   return may(r, p.artifact, p.operation);
               });
    };
}

/// What reaches beyond departments: rights could be had by it that the token does not grant.
bool beyond_departments(http::permission const& p)
{
    bool const reading = p.operation == "get" || p.operation == "search";
    return p.artifact == "instance" || p.artifact == "api_key" || p.artifact == "log" ||
           p.artifact == "audit" || (p.artifact == "profile" && !reading);
}

void narrow_departments(http::identity& who, std::optional<std::vector<uuid>>& held,
                        std::vector<uuid> granted)
{
    if (held)
        std::erase_if(granted,
                      [&](uuid const& d) { return std::ranges::find(*held, d) == held->end(); });
    held = std::move(granted);
    who.may = [full = std::move(who.may)](http::permission const& p) {
        return !beyond_departments(p) && full(p);
    };
}

} // namespace

std::int64_t seconds_now()
{
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

claims const& claims_of(http::identity const& who)
{
    static claims const nobody{};
    auto const* const held = std::any_cast<claims>(&who.claims);
    return held ? *held : nobody;
}

identities::identities(engine::engine& e) : engine_(e)
{
    subscription_ =
        engine_.pipeline().subscribe([this](events::commit_ptr const& c) { on_commit(*c); });
}

identities::~identities()
{
    engine_.pipeline().unsubscribe(subscription_);
}

result<void> identities::load()
{
    // Commits that the listener gets meanwhile wait for the lock and are applied on top; taking one
    // twice changes nothing.
    std::unique_lock const lock(mutex_);
    auto const views = engine_.read();
    ASSAY_TRY(auto workspaces, projections::list_workspaces(*views));
    for (auto const& w : workspaces) {
        if (!first_ || std::pair(w.created_at, w.id) < *first_)
            first_ = {w.created_at, w.id};
        projections::item_filter const all;
        for (std::uint64_t offset = 0;; offset += 1000) {
            ASSAY_TRY(auto page, projections::list_items(*views, w.id, item_kind::profile, all,
                                                         {offset, 1000}));
            for (auto& row : page.items)
                profiles_[row.id] = info_of(w.id, row.name, row.active, row.departments,
                                            projections::item_body(row));
            if (page.items.size() < 1000)
                break;
        }
    }
    // The view is keyed by the hash, which its rows do not repeat.
    ASSAY_CHECK(projections::fetch_range<projections::api_key_row>(
        *views, projections::view_id::identity, "h", {},
        [&](std::string_view key, projections::api_key_row const& row) {
            auto const hash = projections::key_reader(key.substr(1)).hash();
            hash_of_[row.id] = hash;
            keys_[hash] = {row.id, row.workspace, row.profile, row.revoked_at.has_value()};
            return true;
        }));
    rebuild();
    return {};
}

void identities::on_commit(events::commit const& c)
{
    auto const concerns = [](events::recorded const& e) {
        if (std::holds_alternative<event::workspace_created>(e.body) ||
            e.stream.kind == stream_kind::api_key)
            return true;
        if (auto const* const made = std::get_if<event::item_created>(&e.body))
            return made->kind == item_kind::profile;
        if (auto const* const changed = std::get_if<event::item_updated>(&e.body))
            return changed->kind == item_kind::profile;
        auto const* const gone = std::get_if<event::item_deleted>(&e.body);
        return gone && gone->kind == item_kind::profile;
    };
    if (std::ranges::none_of(c.events, concerns))
        return;
    std::unique_lock const lock(mutex_);
    for (auto const& e : c.events)
        take(e);
    rebuild();
}

template <class Item>
void identities::take_profile(events::recorded const& e, Item const& item)
{
    if (item.kind == item_kind::profile)
        profiles_[e.stream.id] =
            info_of(e.head->workspace, item.name, item.active, item.departments, item.body);
}

void identities::take(events::recorded const& e)
{
    std::visit(overloaded{
                   [&](event::workspace_created const&) {
                       auto const made = std::pair(e.head->at, e.stream.id);
                       if (!first_ || made < *first_)
                           first_ = made;
                   },
                   [&](event::api_key_created const& k) {
                       hash_of_[e.stream.id] = k.secret_hash;
                       keys_[k.secret_hash] = {e.stream.id, e.head->workspace, k.profile, false};
                   },
                   [&](event::api_key_revoked const&) {
                       if (auto const hash = hash_of_.find(e.stream.id); hash != hash_of_.end())
                           keys_[hash->second].revoked = true;
                   },
                   [&](event::item_created const& i) { take_profile(e, i); },
                   [&](event::item_updated const& i) { take_profile(e, i); },
                   [&](event::item_deleted const& i) {
                       if (i.kind == item_kind::profile)
                           profiles_.erase(e.stream.id);
                   },
                   [](auto const&) {},
               },
               e.body);
}

/// Works out which keys are good. Rare, and there are few: simpler than keeping each in step.
void identities::rebuild()
{
    known_.clear();
    for (auto const& [hash, key] : keys_) {
        auto const* const who = find_active(key.profile);
        if (!key.revoked && who && who->workspace == key.workspace)
            known_[hash] = make(key.profile, *who, {.api_key = key.id});
    }
}

std::shared_ptr<http::identity> identities::make(uuid const& profile, profile_info const& who,
                                                 claims held) const
{
    auto out = std::make_shared<http::identity>();
    out->workspace = who.workspace;
    out->profile = profile;
    out->name = who.name;
    bool const first = first_ && first_->second == who.workspace;
    out->may = [role = who.role, first](http::permission const& p) {
        return may(role, p.artifact, p.operation) && (p.artifact != "instance" || first);
    };
    held.role = who.role;
    if (!who.departments.empty() && who.role != "administrator")
        held.departments = who.departments;
    out->claims = std::move(held);
    // It does not own itself: whoever asks holds it.
    out->stands = [this, self = out.get(), then = who] { return stands(*self, then); };
    return out;
}

bool identities::stands(http::identity const& who, profile_info const& then) const
{
    auto const& held = claims_of(who);
    if (held.expires_at && seconds_now() >= *held.expires_at)
        return false;
    std::shared_lock const lock(mutex_);
    auto const* const now = find_active(who.profile);
    if (!now || !now->same_rights(then))
        return false;
    auto const hash = hash_of_.find(held.api_key);
    return hash == hash_of_.end() || !keys_.at(hash->second).revoked;
}

identities::profile_info const* identities::find_active(uuid const& profile) const
{
    auto const found = profiles_.find(profile);
    return found != profiles_.end() && found->second.active ? &found->second : nullptr;
}

std::shared_ptr<http::identity const> identities::find(std::string_view key) const
{
    auto const hash = engine::api_key_hash(key);
    std::shared_lock const lock(mutex_);
    auto const found = known_.find(hash);
    if (found == known_.end() || !equal_secrets(found->first.raw(), hash.raw()))
        return nullptr;
    return found->second;
}

std::shared_ptr<http::identity const> identities::local(uuid const& profile,
                                                        events::channel channel) const
{
    std::shared_lock const lock(mutex_);
    auto const* const who = find_active(profile);
    return who ? make(profile, *who, {.channel = channel}) : nullptr;
}

std::shared_ptr<http::identity const> identities::holder(token_grant const& grant) const
{
    std::shared_lock const lock(mutex_);
    auto const* const who = find_active(grant.profile);
    if (!who || grant.workspace.value_or(who->workspace) != who->workspace)
        return nullptr;
    auto out = make(grant.profile, *who, {.expires_at = grant.expires_at});
    auto& held = *std::any_cast<claims>(&out->claims);
    if (grant.roles)
        narrow_roles(*out, held.role, *grant.roles);
    if (grant.departments)
        narrow_departments(*out, held.departments, *grant.departments);
    return out;
}

std::optional<uuid> identities::first_workspace() const
{
    std::shared_lock const lock(mutex_);
    return first_ ? std::optional(first_->second) : std::nullopt;
}

std::optional<identities::profile_info> identities::profile(uuid const& id) const
{
    std::shared_lock const lock(mutex_);
    auto const found = profiles_.find(id);
    return found == profiles_.end() ? std::nullopt : std::optional(found->second);
}

} // namespace assay::api
