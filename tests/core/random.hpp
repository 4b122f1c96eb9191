#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace assay::test {

/// The seed of this run's random tests: ASSAY_TEST_SEED when it is set, else another one each time.
/// Print it
/// (`INFO("seed " << seed)`) wherever it is used.
inline std::uint64_t random_seed()
{
    if (auto const* const given = std::getenv("ASSAY_TEST_SEED"))
        return std::strtoull(given, nullptr, 10);
    return std::random_device{}();
}

/// Random values that tests need; the same ones for the same seed.
class dice {
public:
    explicit dice(std::uint64_t seed) : engine_(seed) {}

    /// Any 64 bits.
    std::uint64_t bits() { return engine_(); }

    /// From 0 to `n` - 1.
    std::uint64_t below(std::uint64_t n) { return engine_() % n; }

    bool chance(unsigned percent) { return below(100) < percent; }

    /// A number of random magnitude, so that small, large and boundary values all come.
    std::uint64_t magnitude()
    {
        auto const width = below(65);
        auto const value = width == 0 ? 0 : engine_() >> (64 - width);
        return chance(10) ? value + 1 : value;
    }

    /// Any bytes.
    std::string bytes(std::size_t n)
    {
        std::string out(n, '\0');
        for (auto& c : out)
            c = static_cast<char>(engine_());
        return out;
    }

    /// Text of one, two, three and four byte characters, with quotes, back-slashes and controls.
    std::string text(std::size_t characters)
    {
        static constexpr char const* alphabet[] = {
            "a",    "Z", "0",    " ",        "\"",           "\\",           "\n",
            "\x01", "/", "\x7F", "\xC3\xA9", "\xE2\x82\xAC", "\xEF\xBF\xBF", "\xF0\x9F\x98\x80"};
        std::string out;
        for (std::size_t i = 0; i < characters; ++i)
            out.append(alphabet[below(std::size(alphabet))]);
        return out;
    }

private:
    std::mt19937_64 engine_;
};

} // namespace assay::test
