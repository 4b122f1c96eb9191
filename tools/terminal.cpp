#include "tools/terminal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <sys/ioctl.h>
#include <unistd.h>

namespace assay::tools {

namespace {

constexpr std::size_t columns_default = 80;
constexpr std::size_t columns_min = 40;

struct range {
    char32_t first;
    char32_t last;
};

// The blocks of Unicode's EastAsianWidth.txt that are wide as a whole.
constexpr std::array wide{range{0x1100, 0x115F},   range{0x2E80, 0x303E},  range{0x3041, 0x33FF},
                          range{0x3400, 0x4DBF},   range{0x4E00, 0x9FFF},  range{0xA000, 0xA4CF},
                          range{0xAC00, 0xD7A3},   range{0xF900, 0xFAFF},  range{0xFE30, 0xFE6F},
                          range{0xFF00, 0xFF60},   range{0xFFE0, 0xFFE6},  range{0x1F300, 0x1F64F},
                          range{0x1F900, 0x1F9FF}, range{0x20000, 0x3FFFD}};
constexpr std::array no_width{range{0x0300, 0x036F}, range{0x200B, 0x200F}, range{0x20D0, 0x20FF},
                              range{0xFE00, 0xFE0F}};

template <std::size_t n>
bool within(char32_t c, std::array<range, n> const& ranges)
{
    return std::ranges::any_of(ranges, [c](range r) { return c >= r.first && c <= r.last; });
}

std::size_t width_of(char32_t c)
{
    if (within(c, no_width))
        return 0;
    return within(c, wide) ? 2 : 1;
}

/// Takes one character off `text`; a byte that is not UTF-8 counts as one character.
std::string_view next_character(std::string_view& text, char32_t& c)
{
    auto const lead = static_cast<unsigned char>(text.front());
    std::size_t size = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    size = std::min(size, text.size());
    c = size == 1 ? lead : static_cast<char32_t>(lead & (0xFF >> (size + 1)));
    for (std::size_t i = 1; i < size; ++i)
        c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
    auto const out = text.substr(0, size);
    text.remove_prefix(size);
    return out;
}

} // namespace

bool is_terminal(std::FILE* stream)
{
    return ::isatty(::fileno(stream)) == 1;
}

std::size_t terminal_width(std::FILE* stream)
{
    std::size_t columns = columns_default;
    winsize size{};
    auto const* const set = std::getenv("COLUMNS");
    if (is_terminal(stream) && ::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        columns = size.ws_col;
    else if (set)
        std::from_chars(set, set + std::strlen(set), columns);
    return std::max(columns, columns_min);
}

std::size_t display_width(std::string_view text)
{
    std::size_t width = 0;
    char32_t c = 0;
    while (!text.empty()) {
        next_character(text, c);
        width += width_of(c);
    }
    return width;
}

std::string shorten(std::string_view text, std::size_t columns)
{
    if (display_width(text) <= columns)
        return std::string(text);
    std::string out;
    std::size_t width = 1; // of the ellipsis
    char32_t c = 0;
    while (!text.empty()) {
        auto const character = next_character(text, c);
        if (width + width_of(c) > columns)
            break;
        width += width_of(c);
        out.append(character);
    }
    return out + "…";
}

std::string printable(std::string_view text)
{
    std::string out;
    char32_t c = 0;
    while (!text.empty()) {
        auto const character = next_character(text, c);
        // C1 controls, and the marks that turn the direction of writing around.
        bool const hidden =
            (c >= 0x7F && c < 0xA0) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
        if (c == '\n' || c == '\t' || c == '\r')
            out.push_back(' ');
        else if (c < 0x20 || hidden)
            out.push_back('?');
        else
            out.append(character);
    }
    return out;
}

} // namespace assay::tools
