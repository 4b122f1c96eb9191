#include "events/anchor.hpp"
#include "events/catalogue.hpp"
#include "tests/events/samples.hpp"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

using namespace assay;
using namespace assay::events;

namespace {

std::filesystem::path const golden_dir = ASSAY_SOURCE_DIR "/tests/data/golden";

/// "run.started.v1.json" -> {"run.started", 1}
std::pair<std::string, std::uint16_t> type_and_version(std::filesystem::path const& file)
{
    auto const name = file.stem().string();
    auto const dot = name.rfind(".v");
    REQUIRE(dot != std::string::npos);
    return {name.substr(0, dot), static_cast<std::uint16_t>(std::stoi(name.substr(dot + 2)))};
}

std::string golden(std::filesystem::path const& file)
{
    auto text = read_file(file);
    REQUIRE(text);
    REQUIRE(text->ends_with('\n'));
    text->pop_back();
    return *text;
}

} // namespace

TEST_CASE("catalogue: every version ever written is still read", "[events][catalogue]")
{
    std::map<std::string, std::uint16_t> today;
    for (auto const& type : event_types())
        today.emplace(type.name, type.version);
    std::set<std::pair<std::string, std::uint16_t>> seen;
    for (auto const& entry : std::filesystem::directory_iterator(golden_dir)) {
        INFO(entry.path().filename().string());
        auto const [type, version] = type_and_version(entry.path());
        auto const bytes = golden(entry.path());
        auto const body = decode(type, version, bytes);
        INFO((body ? "" : body.error().detail));
        REQUIRE(body);
        CHECK(type_of(*body).name == type);
        if (version == today.at(type))
            CHECK(encode(*body) == bytes);
        seen.emplace(type, version);
    }
    for (auto const& [type, version] : today) {
        for (std::uint16_t v = 1; v <= version; ++v) {
            INFO(type << " has no golden file of version " << v);
            CHECK(seen.contains({type, v}));
        }
    }
}

TEST_CASE("catalogue: what is written today is what the golden files say", "[events][catalogue]")
{
    auto const samples = test::sample_events();
    REQUIRE(samples.size() == event_types().size());
    for (std::size_t i = 0; i < samples.size(); ++i) {
        REQUIRE(samples[i].index() == i);
        auto const type = type_of(samples[i]);
        auto const file =
            golden_dir / (std::string(type.name) + ".v" + std::to_string(type.version) + ".json");
        // A new type or version gets its file by ASSAY_WRITE_GOLDEN=1; a file that is there is
        // never rewritten.
        if (std::getenv("ASSAY_WRITE_GOLDEN") && !std::filesystem::exists(file))
            std::ofstream(file) << encode(samples[i]) << '\n';
        INFO(file.string());
        CHECK(encode(samples[i]) == golden(file));
    }
}

TEST_CASE("catalogue: names differ and have the form subject.happened", "[events][catalogue]")
{
    std::set<std::string_view> names;
    for (auto const& type : event_types()) {
        CHECK(names.insert(type.name).second);
        CHECK(type.version >= 1);
        CHECK(type.name.find('.') != std::string_view::npos);
        CHECK(type.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_.") ==
              std::string_view::npos);
    }
}

TEST_CASE("upcast: raises a payload step by step to the version of today", "[events][catalogue]")
{
    std::vector<upcaster> const steps{
        {"run.started", 2, [](boost::json::object& p) { p["started_by"] = "runner"; }},
        {"cell.failed", 1, [](boost::json::object& p) { p.clear(); }},
        {"run.started", 1,
         [](boost::json::object& p) {
             p["run"] = p.at("ordinal");
             p.erase("ordinal");
         }},
    };
    auto const raised = [&](std::uint16_t from, std::uint16_t to, char const* text) -> std::string {
        auto payload = json::parse(text).value().as_object();
        auto const done = upcast("run.started", from, to, payload, steps);
        return done ? json::canonical(payload) : done.error().reason + ": " + done.error().detail;
    };
    CHECK(raised(1, 3, R"({"ordinal":7})") == R"({"run":7,"started_by":"runner"})");
    CHECK(raised(2, 3, R"({"run":7})") == R"({"run":7,"started_by":"runner"})");
    CHECK(raised(3, 3, R"({"run":7})") == R"({"run":7})");
    CHECK(raised(1, 2, R"({"ordinal":7})") == R"({"run":7})");
    CHECK(raised(3, 4, R"({"run":7})") == ": no upcaster raises run.started from version 3");
    CHECK(raised(4, 3, R"({"run":7})") == "newer_event_version: event run.started has version 4, "
                                          "this program knows up to 3; open the directory with "
                                          "the newer program that wrote it");
}

TEST_CASE("upcast: every step that there is leads to the next version of a type that there is",
          "[events][catalogue]")
{
    for (auto const& type : event_types()) {
        for (std::uint16_t v = 1; v < type.version; ++v) {
            auto const n =
                std::count_if(upcasters().begin(), upcasters().end(), [&](upcaster const& u) {
                    return u.type == type.name && u.from == v;
                });
            INFO(type.name << " from " << v);
            CHECK(n == 1);
        }
    }
    for (auto const& u : upcasters()) {
        auto const known =
            std::find_if(event_types().begin(), event_types().end(), [&](event_type const& t) {
                return t.name == u.type && u.from < t.version;
            });
        INFO(u.type << " from " << u.from);
        CHECK(known != event_types().end());
    }
}

TEST_CASE("decode: what a newer program wrote is refused, what is damaged is corrupt",
          "[events][catalogue]")
{
    auto const [type, version, payload, code, reason] =
        GENERATE(table<std::string, std::uint16_t, std::string, errc, std::string>({
            {"run.paused", 1, "{}", errc::unavailable, "unknown_event_type"},
            {"", 1, "{}", errc::unavailable, "unknown_event_type"},
            {"run.started", 2, R"({"run":1})", errc::unavailable, "newer_event_version"},
            {"run.started", 65535, R"({"run":1})", errc::unavailable, "newer_event_version"},
            {"run.started", 0, R"({"run":1})", errc::corrupt, ""},
            {"run.started", 1, R"({"run":-1})", errc::corrupt, ""},
            {"run.started", 1, R"({})", errc::corrupt, ""},
            {"run.started", 1, R"([1])", errc::corrupt, ""},
            {"run.started", 1, R"({"run":1)", errc::corrupt, "json_invalid"},
            {"run.started", 1, "", errc::corrupt, "json_invalid"},
        }));
    INFO(type << " v" << version << " " << payload);
    auto const body = decode(type, version, payload);
    REQUIRE_FALSE(body);
    CHECK(body.error().code == code);
    CHECK(body.error().reason == reason);
}

TEST_CASE("decode: an item whose body is as deep as a request may be leads back",
          "[events][catalogue]")
{
    event::item_created item;
    auto const deepest = std::string(31, '[') + std::string(31, ']');
    item.body["deep"] = json::parse(deepest).value();
    auto const back = decode("item.created", 1, encode(item));
    REQUIRE(back);
    CHECK(encode(*back) == encode(item));
}
