#include "http/engine/engine.hpp"

#include "core/base64url.hpp"
#include "events/anchor.hpp"
#include "http/engine/caches.hpp"
#include "http/server/post_gate.hpp"

#include <spdlog/spdlog.h>

#include <chrono>

namespace assay::engine {

namespace {

std::int64_t now_us()
{
    auto const now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

/// What tells the answers to a staged write apart from the write itself: each has its own first answer.
std::string_view step_suffix(std::optional<staging_step> step)
{
    if (!step)
        return "";
    switch (*step) {
    case staging_step::stage: return "";
    case staging_step::accept: return "accept";
    case staging_step::reject: return "reject";
    }
    std::unreachable();
}

/// Scope of an idempotency key: the same key of another profile or for another operation is another key.
std::string idempotency_scope(caller const& who, std::string_view operation)
{
    std::string scope(who.workspace.raw());
    scope.append(who.profile.raw()).append(operation).push_back('\0');
    return scope.append(who.idempotency_key);
}

/// Of a command that does not take place now only the request is kept, not its texts.
prepared with_kept_texts(prepared command)
{
    if (command.staging && command.staging->step != staging_step::accept)
        command.blobs = std::move(command.staged_blobs);
    return command;
}

} // namespace

std::string make_api_key()
{
    return "assay_" + to_base64url(events::random_bytes(32));
}

digest api_key_hash(std::string_view key)
{
    return sha256(key);
}

engine::engine(engine_options options)
    : options_(std::move(options)), caches_(std::make_unique<caches>())
{
}

engine::~engine()
{
    if (pipeline_)
        pipeline_->stop();
    // Where the directory could not be had, the file is that of the process that has it.
    std::error_code ec;
    if (store_)
        std::filesystem::remove(options_.data_dir / "holder", ec);
}

result<std::unique_ptr<engine>> engine::open(engine_options options)
{
    std::unique_ptr<engine> e(new engine(std::move(options)));
    auto const& o = e->options_;
    ASSAY_TRY(e->store_, events::store::open(o.data_dir, o.store));
    if (!o.holder.empty())
        ASSAY_CHECK(events::replace_file(o.data_dir / "holder", o.holder));
    ASSAY_CHECK(events::ensure_states(*e->store_));
    ASSAY_TRY(e->vault_, events::vault::open(o.data_dir));
    e->blobs_ = std::make_unique<events::blob_store>(*e->store_, *e->vault_);
    ASSAY_TRY(auto swept, e->blobs_->sweep());
    if (swept > 0)
        spdlog::info("removed {} files of commits that a crash prevented", swept);
    ASSAY_TRY(e->projector_, projections::projector::open(*e->store_));
    auto pipeline_options = o.pipeline;
    pipeline_options.around_answers = [](auto answer_all) {
        http::post_burst const together;
        answer_all();
    };
    e->pipeline_ = std::make_unique<events::pipeline>(*e->store_, *e->vault_, *e->projector_,
                                                      std::move(pipeline_options));
    return e;
}

std::shared_ptr<projections::reader const> engine::read() const
{
    return projector_->read();
}

result<std::vector<projections::rebuilt_view>>
engine::refresh(std::vector<std::string> const& names) const
{
    return projector_->refresh(names, [this](std::move_only_function<void()> work) {
        pipeline_->between_drains(std::move(work));
    });
}

result<std::string> engine::text(uuid const& workspace, content const& c) const
{
    return blobs_->read(workspace, c);
}

result<uuid> engine::command_id(caller const& who, std::string_view operation) const
{
    if (who.idempotency_key.empty())
        return events::random_uuid_v7(now_us());
    ASSAY_TRY(auto keys, vault_->keys_of(who.workspace));
    return derive_uuid(
        events::keyed_hash(*keys, "command", idempotency_scope(who, operation)).raw());
}

result<prepared> engine::prepare(caller const& who, std::string operation, any_command command,
                                 std::uint64_t part) const
{
    prepared p;
    p.actor = {who.workspace, who.profile, who.channel};
    ASSAY_TRY(p.command_id, command_id(who, operation));
    if (!who.idempotency_key.empty() || !who.request_id.empty()) {
        ASSAY_TRY(auto keys, vault_->keys_of(who.workspace));
        if (!who.idempotency_key.empty()) {
            auto const scope = idempotency_scope(who, operation) + '\0' + std::to_string(part) +
                               std::string(step_suffix(who.staging));
            p.idempotency = events::idempotency{events::keyed_hash(*keys, "idempotency", scope),
                                                events::keyed_hash(*keys, "body", who.body)};
        }
        if (!who.request_id.empty())
            p.request = events::keyed_hash(*keys, "request", who.request_id);
    }
    p.operation = std::move(operation);
    p.command = std::move(command);
    if (who.staging)
        ASSAY_CHECK(add_staging(who, part, p));
    return p;
}

result<content> engine::seal(uuid const& workspace, std::string_view text,
                             events::blob_list& into) const
{
    if (text.size() > events::blob_bytes_max)
        return fail(errc::too_large, "a text has at most 64 MiB", "text_too_large");
    ASSAY_TRY(auto keys, vault_->keys_of(workspace));
    return events::seal(*keys, text, into);
}

void engine::give(prepared command, events::pipeline::done done) const
{
    pipeline_->submit(with_kept_texts(std::move(command)), std::move(done));
}

result<events::receipt> engine::give_and_wait(prepared command) const
{
    return pipeline_->submit_and_wait(with_kept_texts(std::move(command)));
}

result<engine::new_workspace> engine::create_workspace(std::string name)
{
    new_workspace out;
    out.workspace = events::random_uuid_v7(now_us());
    ASSAY_TRY(auto keys, vault_->create_keys(out.workspace));
    caller const who{out.workspace, {}, events::channel::system, {}, {}, {}};
    ASSAY_TRY(auto created, prepare(who, "workspace.create",
                                    command::create_workspace{out.workspace, std::move(name)}));
    ASSAY_CHECK(give_and_wait(std::move(created)));

    item_draft profile;
    profile.name = "administrator";
    profile.body = {{"role", "administrator"}};
    ASSAY_TRY(auto saved, prepare_create(who, item_kind::profile, std::move(profile)));
    ASSAY_TRY(auto receipt, give_and_wait(std::move(saved)));
    out.profile = uuid::parse(std::string_view(receipt.answer.at("id").as_string())).value();
    ASSAY_TRY(auto key, create_api_key(who, out.profile, "first key"));
    out.api_key = key.id;
    out.secret = std::move(key.secret);
    return out;
}

result<engine::new_api_key> engine::create_api_key(caller const& who, uuid const& profile,
                                                   std::string name)
{
    {
        auto const views = read();
        ASSAY_CHECK(projections::get_item(*views, who.workspace, item_kind::profile, profile));
    }
    new_api_key out;
    out.id = events::random_uuid_v7(now_us());
    out.secret = make_api_key();
    ASSAY_TRY(auto p, prepare(who, "api_key.create",
                              command::create_api_key{out.id, profile, std::move(name),
                                                      api_key_hash(out.secret)}));
    ASSAY_CHECK(give_and_wait(std::move(p)));
    return out;
}

} // namespace assay::engine
