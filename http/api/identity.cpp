#include "http/api/identity.hpp"

#include "core/permissions.hpp"
#include "http/server/request.hpp"
#include "projections/key.hpp"
#include "projections/queries.hpp"

#include <algorithm>
#include <cctype>

namespace assay::api {

namespace {

constexpr double failures_burst = 300;
constexpr double failures_per_second = 5;
constexpr std::size_t peers_max = 10'000;

/// The key that a request brings; the scheme's name has no case (RFC 9110 §11.1).
std::optional<std::string_view> key_of(http::request const& req)
{
    if (auto const given = req.headers.find("Authorization")) {
        constexpr std::string_view scheme = "bearer ";
        auto const is_bearer =
            given->size() > scheme.size() &&
            std::equal(scheme.begin(), scheme.end(), given->begin(), [](char a, char b) {
                return a == std::tolower(static_cast<unsigned char>(b));
            });
        if (is_bearer) {
            auto key = given->substr(scheme.size());
            while (key.starts_with(' '))
                key.remove_prefix(1);
            return key;
        }
    }
    return req.headers.find("X-Api-Key");
}

std::string_view host_of(std::string_view peer)
{
    return peer.substr(0, peer.rfind(':'));
}

identities::profile_info info_of(uuid const& workspace, std::string name, bool active,
                                 std::vector<uuid> departments, boost::json::object const& body)
{
    identities::profile_info out{workspace, std::move(name), {}, active, std::move(departments)};
    if (auto const* const role = body.if_contains("role"); role && role->is_string())
        out.role = role->get_string();
    return out;
}

} // namespace

claims const& claims_of(http::identity const& who)
{
    static claims const nobody{};
    auto const* const held = std::any_cast<claims>(&who.claims);
    return held ? *held : nobody;
}

identities::identities(engine::engine& e, http::metrics& numbers)
    : engine_(e),
      accepted_(numbers.make_counter("assay_identity_checks_total", "API keys that were sent",
                                     {{"outcome", "accepted"}})),
      refused_(numbers.make_counter("assay_identity_checks_total", "API keys that were sent",
                                    {{"outcome", "refused"}}))
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
        auto const who = profiles_.find(key.profile);
        if (!key.revoked && who != profiles_.end() && who->second.active &&
            who->second.workspace == key.workspace)
            known_[hash] = make(key, who->second, events::channel::api);
    }
}

std::shared_ptr<http::identity const> identities::make(key_info const& key, profile_info const& who,
                                                       events::channel channel) const
{
    auto out = std::make_shared<http::identity>();
    out->workspace = who.workspace;
    out->profile = key.profile;
    out->name = who.name;
    bool const first = first_ && first_->second == who.workspace;
    out->may = [role = who.role, first](http::permission const& p) {
        return may(role, p.artifact, p.operation) && (p.artifact != "instance" || first);
    };
    claims held{key.id, who.role, {}, channel};
    if (!who.departments.empty() && who.role != "administrator")
        held.departments = who.departments;
    out->claims = std::move(held);
    return out;
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
    auto const who = profiles_.find(profile);
    if (who == profiles_.end() || !who->second.active)
        return nullptr;
    return make({{}, who->second.workspace, profile, false}, who->second, channel);
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

std::unexpected<error> identities::refuse(std::string_view peer)
{
    refused_.add();
    auto const now = std::chrono::steady_clock::now();
    std::lock_guard const lock(failures_mutex_);
    if (failures_.size() >= peers_max)
        failures_.clear();
    auto& f = failures_.try_emplace(std::string(host_of(peer)), failures_burst, now).first->second;
    auto const passed = std::chrono::duration<double>(now - f.at).count();
    f.tokens = std::min(failures_burst, f.tokens + passed * failures_per_second);
    f.at = now;
    if (f.tokens < 1)
        return fail(error{.code = errc::rate_limited,
                          .detail = "too many requests with a bad API key came from this address",
                          .reason = "too_many_bad_keys",
                          .retry_after_ms = 1000});
    f.tokens -= 1;
    return fail(errc::unauthenticated, "the API key is not known", "api_key_unknown");
}

result<std::shared_ptr<http::identity const>> identities::identify(http::request const& req)
{
    auto const key = key_of(req);
    if (!key || key->empty())
        return fail(errc::unauthenticated,
                    "an API key is required: Authorization: Bearer KEY, or X-Api-Key: KEY",
                    "api_key_missing");
    auto found = find(*key);
    if (!found)
        return refuse(req.peer);
    accepted_.add();
    return found;
}

} // namespace assay::api
