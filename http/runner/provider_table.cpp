#include "http/runner/provider_table.hpp"

#include "http/client/client.hpp"
#include "http/providers/openai.hpp"
#include "http/providers/recorded.hpp"

#include <boost/url.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace assay::http {

namespace {

result<std::unique_ptr<model_client>> make_openai()
{
    ASSAY_TRY(auto transport, client::make());
    return std::make_unique<openai_client>(std::move(transport));
}

bool inside(std::filesystem::path const& file, std::filesystem::path const& root)
{
    auto const [end, at] = std::mismatch(root.begin(), root.end(), file.begin(), file.end());
    return end == root.end();
}

} // namespace

provider_table::provider_table(std::vector<std::filesystem::path> recording_roots)
    : roots_([&] {
          for (auto& root : recording_roots)
              root = std::filesystem::weakly_canonical(root);
          return std::move(recording_roots);
      }())
{
}

std::vector<std::string> provider_table::kinds()
{
    return {"openai", "recorded"};
}

result<model_client*> provider_table::client_for(engine::frozen_provider const& provider)
{
    // Hosts of one wire format share a client and its pool; a recording is a client of its own.
    auto const key =
        provider.kind == "recorded" ? provider.kind + " " + provider.endpoint : provider.kind;
    std::lock_guard const lock(mutex_);
    if (auto const found = clients_.find(key); found != clients_.end())
        return found->second.get();
    ASSAY_TRY(auto made, make(provider));
    return clients_.emplace(key, std::move(made)).first->second.get();
}

void provider_table::cancel_all()
{
    std::lock_guard const lock(mutex_);
    for (auto const& [key, c] : clients_)
        c->cancel_all();
}

result<std::unique_ptr<model_client>>
provider_table::make(engine::frozen_provider const& provider) const
{
    if (provider.kind == "openai")
        return make_openai();
    if (provider.kind == "recorded")
        return make_recorded(provider.endpoint);
    return fail(errc::invalid,
                fmt::format("provider {} is of kind '{}'; there are: openai, recorded",
                            provider.name, provider.kind),
                "provider_kind_unknown");
}

result<std::unique_ptr<model_client>>
provider_table::make_recorded(std::string const& endpoint) const
{
    auto const url = boost::urls::parse_uri(endpoint);
    if (!url || url->scheme() != "file")
        return fail(
            errc::invalid,
            "a recorded provider's endpoint is a file URL: file:///path?question=...&answer=...",
            "recording_url");
    recording_fields fields;
    for (auto const& p : url->params()) {
        if (p.key == "question")
            fields.question = p.value;
        else if (p.key == "answer")
            fields.answer = p.value;
    }
    std::error_code ec;
    auto const file = std::filesystem::weakly_canonical(std::filesystem::path(url->path()), ec);
    if (ec || std::none_of(roots_.begin(), roots_.end(),
                           [&](auto const& root) { return inside(file, root); }))
        return fail(
            errc::forbidden,
            "the recording is outside the folders that this server may read (--recordings DIR)",
            "recording_not_allowed");
    ASSAY_TRY(auto loaded, recordings::load(file, fields));
    return std::make_unique<recorded_client>(std::make_shared<recordings const>(std::move(loaded)));
}

} // namespace assay::http
