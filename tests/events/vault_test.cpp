#include "core/hash.hpp"
#include "events/anchor.hpp"
#include "events/vault.hpp"
#include "tests/events/fixture.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <fstream>
#include <sys/stat.h>
#include <thread>

using namespace assay;
using namespace assay::events;
using test::temporary_directory;

namespace {

uuid const one = derive_uuid("workspace one");
uuid const two = derive_uuid("workspace two");

/// ASSAY_MASTER_KEY for the length of a test.
class master_key_variable {
public:
    explicit master_key_variable(std::string const& value)
    {
        ::setenv("ASSAY_MASTER_KEY", value.c_str(), 1);
    }

    ~master_key_variable() { ::unsetenv("ASSAY_MASTER_KEY"); }

    master_key_variable(master_key_variable const&) = delete;
    master_key_variable& operator=(master_key_variable const&) = delete;
};

unsigned mode_of(std::filesystem::path const& file)
{
    struct stat s{};
    REQUIRE(::stat(file.c_str(), &s) == 0);
    return s.st_mode & 0777;
}

bool is_corrupt(auto const& outcome)
{
    return !outcome && outcome.error().code == errc::corrupt;
}

std::string text_of(result<secret_bytes> const& secret)
{
    return secret ? std::string(secret->view()) : "none: " + secret.error().detail;
}

} // namespace

TEST_CASE("vault: keys are the same after reopening, and differ between workspaces",
          "[events][vault]")
{
    temporary_directory dir;
    std::string data_key;
    std::string address_key;
    uuid id;
    {
        auto v = vault::open(dir.path()).value();
        auto const keys = v->create_keys(one).value();
        auto const others = v->create_keys(two).value();
        data_key = keys->data_key.view();
        address_key = keys->address_key.view();
        id = keys->data_key_id;
        CHECK(data_key.size() == 32);
        CHECK(address_key.size() == 32);
        CHECK(data_key != address_key);
        CHECK(others->data_key.view() != data_key);
        CHECK(others->address_key.view() != address_key);
        CHECK(others->data_key_id != id);
        CHECK(v->create_keys(one).value() == keys);
    }
    auto v = vault::open(dir.path(), false).value();
    auto const keys = v->keys_of(one).value();
    CHECK(keys->data_key.view() == data_key);
    CHECK(keys->address_key.view() == address_key);
    CHECK(keys->data_key_id == id);
    CHECK(v->keys_by_id(one, id).value() == keys);
    CHECK(v->keys_by_id(one, uuid{}).error().code == errc::gone);
    CHECK(v->keys_of(derive_uuid("unknown")).error().code == errc::not_found);
}

TEST_CASE("vault: a workspace's keys are made once, however many ask at a time", "[events][vault]")
{
    temporary_directory dir;
    for (int round = 0; round < 20; ++round) {
        auto const workspace = derive_uuid("round " + std::to_string(round));
        std::string in_use;
        {
            auto v = vault::open(dir.path()).value();
            std::vector<std::jthread> threads;
            for (int i = 0; i < 8; ++i)
                threads.emplace_back([&] { (void)v->create_keys(workspace); });
            threads.clear();
            in_use = v->keys_of(workspace).value()->data_key.view();
        }
        auto v = vault::open(dir.path()).value();
        REQUIRE(v->keys_of(workspace).value()->data_key.view() == in_use);
    }
}

TEST_CASE("vault: nobody but the owner may read its files", "[events][vault]")
{
    temporary_directory dir;
    auto const before = ::umask(0);
    auto v = vault::open(dir.path()).value();
    (void)v->create_keys(one).value();
    REQUIRE(v->put_secret(one, two, "sk-secret"));
    ::umask(before);
    CHECK(mode_of(dir.path() / "vault") == 0700);
    int files = 0;
    for (auto const& entry : std::filesystem::recursive_directory_iterator(dir.path() / "vault")) {
        if (!entry.is_regular_file())
            continue;
        INFO(entry.path().string());
        CHECK(mode_of(entry.path()) == 0600);
        auto const text = read_file(entry.path()).value();
        CHECK(text.find("sk-secret") == std::string::npos);
        ++files;
    }
    CHECK(files == 4); // master key, its check, one workspace, one secret
}

TEST_CASE("vault: the master key of the environment comes first", "[events][vault]")
{
    temporary_directory dir;
    auto const hex = std::string(64, 'a');
    {
        master_key_variable const given(hex);
        auto v = vault::open(dir.path()).value();
        (void)v->create_keys(one).value();
    }
    CHECK_FALSE(std::filesystem::exists(dir.path() / "vault" / "master.key"));

    auto const missing = vault::open(dir.path());
    REQUIRE_FALSE(missing);
    CHECK(missing.error().code == errc::not_found);
    CHECK_FALSE(std::filesystem::exists(dir.path() / "vault" / "master.key"));

    std::ofstream(dir.path() / "vault" / "master.key") << hex << "\n";
    auto v = vault::open(dir.path());
    REQUIRE(v);
    CHECK((*v)->keys_of(one));
}

TEST_CASE("vault: a wrong master key does not open it", "[events][vault]")
{
    temporary_directory dir;
    (void)vault::open(dir.path()).value();
    master_key_variable const given(std::string(64, 'b'));
    auto const opened = vault::open(dir.path());
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == errc::corrupt);
}

TEST_CASE("vault: what is no master key is invalid", "[events][vault]")
{
    temporary_directory dir;
    auto const text = GENERATE(as<std::string>{}, "", "abc", std::string(63, 'a'),
                               std::string(66, 'a'), std::string(64, 'x'));
    master_key_variable const given(text);
    auto const opened = vault::open(dir.path());
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == errc::invalid);
    CHECK(opened.error().detail.find("64 hexadecimal digits") != std::string::npos);
    CHECK(opened.error().detail.find("xxx") == std::string::npos);
}

TEST_CASE("vault: a provider's key is put, replaced, read back and erased", "[events][vault]")
{
    temporary_directory dir;
    auto v = vault::open(dir.path()).value();
    auto const id = derive_uuid("key");
    CHECK(v->get_secret(one, id).error().code == errc::not_found);
    REQUIRE(v->put_secret(one, id, "sk-1"));
    CHECK(text_of(v->get_secret(one, id)) == "sk-1");
    REQUIRE(v->put_secret(one, id, "sk-2"));
    CHECK(text_of(v->get_secret(one, id)) == "sk-2");
    CHECK(text_of(vault::open(dir.path()).value()->get_secret(one, id)) == "sk-2");
    REQUIRE(v->erase_secret(one, id));
    CHECK(v->get_secret(one, id).error().code == errc::not_found);
    CHECK(v->erase_secret(one, id));
}

TEST_CASE("vault: the same id in two workspaces stands for two secrets", "[events][vault]")
{
    temporary_directory dir;
    auto v = vault::open(dir.path()).value();
    auto const id = derive_uuid("key");
    REQUIRE(v->put_secret(one, id, "sk-1"));
    CHECK(v->get_secret(two, id).error().code == errc::not_found);
    REQUIRE(v->put_secret(two, id, "sk-2"));
    CHECK(text_of(v->get_secret(one, id)) == "sk-1");
    REQUIRE(v->erase_secret(two, id));
    CHECK(text_of(v->get_secret(one, id)) == "sk-1");
    // Bound to its workspace by what it is sealed with, too.
    auto const secrets = dir.path() / "vault" / "secrets";
    std::filesystem::copy_file(secrets / (one.text() + "." + id.text() + ".key"),
                               secrets / (two.text() + "." + id.text() + ".key"));
    CHECK(v->get_secret(two, id).error().code == errc::corrupt);
}

TEST_CASE("vault: an erased key's bytes are overwritten, not only unlinked", "[events][vault]")
{
    temporary_directory dir;
    auto v = vault::open(dir.path()).value();
    auto const id = derive_uuid("key");
    REQUIRE(v->put_secret(one, id, "sk-1"));
    auto const file = dir.path() / "vault" / "secrets" / (one.text() + "." + id.text() + ".key");
    auto const link = dir.path() / "same-inode";
    std::filesystem::create_hard_link(file, link);
    auto const wrapped = read_file(link).value();
    REQUIRE(v->erase_secret(one, id));
    CHECK_FALSE(std::filesystem::exists(file));
    auto const left = read_file(link).value();
    CHECK(left.find_first_not_of('\0') == std::string::npos);
    CHECK(left.size() == wrapped.size());
}

TEST_CASE("vault: a changed byte in any of its files is noticed", "[events][vault]")
{
    temporary_directory dir;
    auto const id = derive_uuid("key");
    {
        auto v = vault::open(dir.path()).value();
        (void)v->create_keys(one).value();
        REQUIRE(v->put_secret(one, id, "sk-1"));
    }
    auto const damaged = [&](std::filesystem::path const& file) {
        auto const text = read_file(file).value();
        auto changed = text;
        auto const at =
            changed.find("wrapped") == std::string::npos ? 5 : changed.find("wrapped") + 15;
        changed[at] = changed[at] == 'A' ? 'B' : 'A';
        std::ofstream(file) << changed;
        auto v = vault::open(dir.path());
        bool const noticed =
            !v || is_corrupt((*v)->keys_of(one)) || is_corrupt((*v)->get_secret(one, id));
        std::ofstream(file) << text;
        return noticed;
    };
    CHECK(damaged(dir.path() / "vault" / "keys" / (one.text() + ".json")));
    CHECK(damaged(dir.path() / "vault" / "secrets" / (one.text() + "." + id.text() + ".key")));
    CHECK(damaged(dir.path() / "vault" / "check"));
}

TEST_CASE("vault: destroyed keys are gone", "[events][vault]")
{
    temporary_directory dir;
    auto const made = vault::open(dir.path()).value()->create_keys(one).value();
    std::ofstream(dir.path() / "vault" / "keys" / (one.text() + ".json"))
        << R"({"data_key":")" << made->data_key_id.text() << R"(","workspace":")" << one.text()
        << R"(","wrapped":""})";
    auto v = vault::open(dir.path()).value();
    CHECK(v->keys_of(one).error().code == errc::gone);
    CHECK(v->keys_of(one).error().reason == "erased");
    CHECK(v->create_keys(one).error().code ==
          errc::gone); // never made anew: old texts would look damaged
}

TEST_CASE("gcm: opens with the same key, nonce and associated data only", "[events][vault]")
{
    std::string const key(32, 'k');
    auto const wrapped = gcm_wrap(key, "plaintext", "context");
    CHECK(wrapped.size() == 12 + 9 + 16);
    CHECK(gcm_wrap(key, "plaintext", "context") != wrapped);
    CHECK(gcm_unwrap(key, wrapped, "context").value() == "plaintext");
    CHECK(gcm_unwrap(key, gcm_wrap(key, "", ""), "").value().empty());
    CHECK_FALSE(gcm_unwrap(std::string(32, 'x'), wrapped, "context"));
    CHECK_FALSE(gcm_unwrap(key, wrapped, "contexT"));
    for (std::size_t i = 0; i < wrapped.size(); ++i) {
        auto changed = wrapped;
        changed[i] = static_cast<char>(changed[i] ^ 1);
        REQUIRE(gcm_unwrap(key, changed, "context").error().code == errc::corrupt);
        REQUIRE_FALSE(gcm_unwrap(key, std::string_view(wrapped).substr(0, i), "context"));
    }
}

TEST_CASE("gcm: gives the values of NIST's AES-256 test case 16", "[events][vault]")
{
    auto const hex = [](std::string_view text) { return from_hex(text).value(); };
    auto const key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
    auto const nonce = hex("cafebabefacedbaddecaf888");
    auto const text = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95"
                          "956809532fcf0e2449a6"
                          "b525b16aedf5aa0de657ba637b39");
    auto const associated = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
    auto const sealed = gcm_seal(key, nonce, text, associated);
    CHECK(to_hex(sealed) == "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e"
                            "48590dbb3da7b08b1056828838c5f61e6393ba7a"
                            "0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b");
    CHECK(gcm_open(key, nonce, sealed, associated).value() == text);
}
