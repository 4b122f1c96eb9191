#include "http/tokens/key_source.hpp"
#include "tests/events/fixture.hpp"
#include "tests/http/loopback.hpp"
#include "tests/http/tokens/vectors.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <fstream>
#include <mutex>

using namespace assay;
using namespace assay::test;
using namespace std::chrono_literals;
using tokens::key_source;

namespace {

std::string document(std::vector<std::pair<std::string, json::object>> const& keys)
{
    json::array list;
    for (auto [id, jwk] : keys) {
        jwk.erase("d");
        jwk["kid"] = id;
        list.push_back(std::move(jwk));
    }
    return json::canonical(json::object{{"keys", std::move(list)}});
}

void write(std::filesystem::path const& file, std::string_view text)
{
    std::ofstream(file, std::ios::binary) << text;
}

/// A host of key sets whose answer can be changed.
struct issuer {
    std::mutex mutex;
    unsigned status = 200;
    std::string body;
    std::atomic<int> asked{0};
    std::unique_ptr<test_server> served;

    explicit issuer(std::string first) : body(std::move(first))
    {
        http::router routes;
        routes.add({.method = http::method::get,
                    .pattern = "/keys",
                    .name = "keys",
                    .serve = http::on_io_thread([this](auto const&) {
                        ++asked;
                        std::lock_guard const lock(mutex);
                        return http::text(status, body, "application/jwk-set+json");
                    })});
        served = std::make_unique<test_server>(std::move(routes));
    }

    void answer(unsigned code, std::string text)
    {
        std::lock_guard const lock(mutex);
        status = code;
        body = std::move(text);
    }

    [[nodiscard]] std::string url() const { return served->server->url() + "/keys"; }
};

bool has(key_source const& source, std::string_view id)
{
    auto const now = source.keys().keys;
    return now->find(tokens::algorithm::eddsa, id) || now->find(tokens::algorithm::es256, id);
}

} // namespace

TEST_CASE("key source: a file is read at the start and when it is asked to", "[http][tokens]")
{
    temporary_directory const dir;
    auto const file = dir.path() / "keys.json";
    http::metrics numbers;
    CHECK(key_source::open({.key_set = file.string()}, numbers).error().code != errc::internal);
    write(file, "{}");
    CHECK(key_source::open({.key_set = file.string()}, numbers).error().code == errc::invalid);
    write(file, R"({"keys":[]})");
    CHECK(key_source::open({.key_set = file.string()}, numbers).error().code == errc::invalid);

    write(file, document({{"a", vectors::eddsa_key}}));
    auto const source = key_source::open({.key_set = file.string()}, numbers).value();
    CHECK(has(*source, "a"));
    write(file, document({{"b", vectors::es256_key}}));
    source->reload();
    CHECK(eventually([&] { return has(*source, "b"); }));
    CHECK_FALSE(has(*source, "a"));
    write(file, "half a docum");
    source->reload();
    CHECK(eventually([&] {
        return numbers.text().find(R"(assay_token_key_reads_total{outcome="failed"} 4)") !=
               std::string::npos;
    }));
    CHECK(has(*source, "b"));
}

TEST_CASE("key source: a secret is its file without the line's end", "[http][tokens]")
{
    temporary_directory const dir;
    auto const file = dir.path() / "secret";
    http::metrics numbers;
    std::string const secret(32, 's');
    write(file, "short\n");
    CHECK(key_source::open({.secret_file = file.string()}, numbers).error().code == errc::invalid);
    write(file, secret + "\n");
    auto const source = key_source::open({.secret_file = file.string()}, numbers).value();
    auto const signature = tokens::key::from_secret(secret).value().sign("x").value();
    CHECK(source->keys().keys->find(tokens::algorithm::hs256, {})->verify("x", signature));
}

TEST_CASE("key source: a key set must not come unprotected over a network", "[http][tokens]")
{
    http::metrics numbers;
    auto const refused = key_source::open({.key_set = "http://issuer.example/keys"}, numbers);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == errc::invalid);
}

TEST_CASE("key source: a rotated key is fetched once an interval", "[http][tokens]")
{
    issuer host(document({{"a", vectors::eddsa_key}}));
    http::metrics numbers;
    auto const source =
        key_source::open({.key_set = host.url(), .refresh = 1h, .refetch_min = 300ms}, numbers)
            .value();
    CHECK(has(*source, "a"));
    CHECK(host.asked == 1);
    auto const version = source->keys().version;

    host.answer(200, document({{"a", vectors::eddsa_key}, {"b", vectors::es256_key}}));
    auto const began = std::chrono::steady_clock::now();
    for (int i = 0; i < 1000; ++i)
        source->want_newer(); // a flood of tokens of unknown keys
    CHECK(eventually([&] { return has(*source, "b"); }));
    CHECK(std::chrono::steady_clock::now() - began >= 200ms);
    CHECK(host.asked == 2);
    CHECK(source->keys().version > version);
}

TEST_CASE("key source: an issuer that is down changes nothing, and is asked again",
          "[http][tokens]")
{
    issuer host(document({{"a", vectors::eddsa_key}}));
    http::metrics numbers;
    host.answer(503, "");
    auto const source =
        key_source::open({.key_set = host.url(), .refresh = 50ms, .refetch_min = 20ms}, numbers)
            .value();
    CHECK(source->keys().keys->size() == 0);
    host.answer(200, document({{"a", vectors::eddsa_key}}));
    CHECK(eventually([&] { return has(*source, "a"); }));

    auto const [status, body] = GENERATE(table<unsigned, std::string>(
        {{500, ""}, {302, ""}, {200, "{}"}, {200, std::string(300 * 1024, ' ')}}));
    host.answer(status, body);
    auto const before = host.asked.load();
    CHECK(eventually([&] { return host.asked >= before + 2; }));
    CHECK(has(*source, "a"));
    host.answer(200, document({{"b", vectors::es256_key}}));
    CHECK(eventually([&] { return has(*source, "b") && !has(*source, "a"); }));
}
