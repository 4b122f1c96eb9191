#include "core/grading/text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace assay::grading {

namespace {

/// Code points from U+0080 up that are no part of a word: punctuation, signs, emoji, and scripts
/// without spaces.
struct code_range {
    char32_t first;
    char32_t last;
};

constexpr std::array outside_words = std::to_array<code_range>({
    {0x80, 0xA9},       {0xAB, 0xB1},        {0xB4, 0xB4},     {0xB6, 0xB8},     {0xBB, 0xBB},
    {0xBF, 0xBF},       {0xD7, 0xD7},        {0xF7, 0xF7},     {0xE00, 0xEFF},   {0x1000, 0x109F},
    {0x1780, 0x17FF},   {0x2000, 0x206F},    {0x20A0, 0x20CF}, {0x2190, 0x2BFF}, {0x2E00, 0x2E7F},
    {0x3000, 0x30FF},   {0x31F0, 0x31FF},    {0x3400, 0x9FFF}, {0xE000, 0xFAFF}, {0xFE00, 0xFE6F},
    {0xFEFF, 0xFF0F},   {0xFF1A, 0xFF20},    {0xFF3B, 0xFF40}, {0xFF5B, 0xFF9F}, {0xFFE0, 0xFFFF},
    {0x1F000, 0x1FAFF}, {0x20000, 0x10FFFF},
});

bool in_words(char32_t c)
{
    if (c < 0x80)
        return is_letter(static_cast<char>(c)) || is_digit(static_cast<char>(c)) || c == '_';
    auto const range = std::lower_bound(outside_words.begin(), outside_words.end(), c,
                                        [](code_range r, char32_t code) { return r.last < code; });
    return range == outside_words.end() || c < range->first;
}

bool is_continuation(char c)
{
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// The code point that starts at `at`; U+FFFD where the bytes are not UTF-8.
char32_t code_point(std::string_view text, std::size_t at)
{
    auto const lead = static_cast<unsigned char>(text[at]);
    if (lead < 0x80)
        return lead;
    std::size_t const more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || at + more >= text.size())
        return 0xFFFD;
    char32_t code = lead & (0x3FU >> more);
    for (std::size_t i = 1; i <= more; ++i) {
        if (!is_continuation(text[at + i]))
            return 0xFFFD;
        code = code << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    }
    return code;
}

} // namespace

bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string_view trimmed(std::string_view text)
{
    while (!text.empty() && is_space(text.front()))
        text.remove_prefix(1);
    while (!text.empty() && is_space(text.back()))
        text.remove_suffix(1);
    return text;
}

std::string space_folded(std::string_view text)
{
    std::string folded;
    for (char const c : trimmed(text)) {
        if (!is_space(c))
            folded.push_back(c);
        else if (folded.back() != ' ')
            folded.push_back(' ');
    }
    return folded;
}

std::string lower(std::string_view text)
{
    std::string lowered(text);
    for (char& c : lowered) {
        if (c >= 'A' && c <= 'Z')
            c = static_cast<char>(c - 'A' + 'a');
    }
    return lowered;
}

std::string quoted(std::string_view text, std::size_t bytes_max)
{
    std::size_t end = std::min(text.size(), bytes_max);
    while (end < text.size() && end > 0 && is_continuation(text[end]))
        --end;
    std::string out = "\"";
    for (char const c : text.substr(0, end))
        out.push_back(static_cast<unsigned char>(c) < 0x20 ? ' ' : c);
    out.append(end < text.size() ? "...\"" : "\"");
    return out;
}

bool border_before(std::string_view text, std::size_t at)
{
    if (at == 0)
        return true;
    std::size_t start = at - 1;
    while (start > 0 && at - start < 4 && is_continuation(text[start]))
        --start;
    return !in_words(code_point(text, start));
}

bool border_after(std::string_view text, std::size_t at)
{
    return at >= text.size() || !in_words(code_point(text, at));
}

} // namespace assay::grading
