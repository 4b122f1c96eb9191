#include "core/json.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <vector>

namespace assay::json {

namespace {

/// Orders member names by UTF-16 code units (RFC 8785 §3.2.3). Bytes of UTF-8 sort the same way except
/// that code points above the BMP (lead byte >= 0xF0) come before U+E000..U+FFFF (lead bytes 0xEE, 0xEF).
bool utf16_less(std::string_view a, std::string_view b)
{
    auto const n = std::min(a.size(), b.size());
    for (std::size_t i = 0; i < n; ++i) {
        auto const x = static_cast<unsigned char>(a[i]);
        auto const y = static_cast<unsigned char>(b[i]);
        if (x == y)
            continue;
        bool const x_high = x >= 0xF0;
        bool const y_high = y >= 0xF0;
        if (x_high != y_high && (x >= 0xEE && y >= 0xEE))
            return x_high;
        return x < y;
    }
    return a.size() < b.size();
}

/// Keeps the names of the objects that are open, to refuse the second use of one.
class name_guard {
public:
    void open() { starts_.push_back(names_.size()); }

    /// @returns whether all names of the object just closed differ.
    bool close()
    {
        auto const first = names_.begin() + static_cast<std::ptrdiff_t>(starts_.back());
        std::sort(first, names_.end());
        bool const unique = std::adjacent_find(first, names_.end()) == names_.end();
        names_.erase(first, names_.end());
        starts_.pop_back();
        return unique;
    }

    void part(std::string_view text) { partial_.append(text); }

    void name(std::string_view tail)
    {
        partial_.append(tail);
        names_.push_back(std::move(partial_));
        partial_.clear();
    }

private:
    std::vector<std::string> names_;
    std::vector<std::size_t> starts_;
    std::string partial_;
};

/// Handler of Boost.JSON's push parser: builds the value and, for a stranger's text, watches the names.
/// Doubles are read again by from_chars, as Boost 1.81's own conversion is off by one unit at times.
template <bool Strict>
struct handler {
    static constexpr std::size_t max_object_size = boost::json::object::max_size();
    static constexpr std::size_t max_array_size = boost::json::array::max_size();
    static constexpr std::size_t max_key_size = boost::json::string::max_size();
    static constexpr std::size_t max_string_size = boost::json::string::max_size();

    using code = boost::json::error_code;
    using text = boost::json::string_view;

    boost::json::value_stack stack;
    name_guard names;
    bool duplicate = false;

    bool on_document_begin(code&) { return true; }

    bool on_document_end(code&) { return true; }

    bool on_array_begin(code&) { return true; }

    bool on_array_end(std::size_t n, code&)
    {
        stack.push_array(n);
        return true;
    }

    bool on_object_begin(code&)
    {
        if constexpr (Strict)
            names.open();
        return true;
    }

    bool on_object_end(std::size_t n, code& ec)
    {
        if constexpr (Strict) {
            if (!names.close()) {
                duplicate = true;
                ec = boost::json::error::exception;
                return false;
            }
        }
        stack.push_object(n);
        return true;
    }

    bool on_key_part(text s, std::size_t, code&)
    {
        if constexpr (Strict)
            names.part(s);
        stack.push_chars(s);
        return true;
    }

    bool on_key(text s, std::size_t, code&)
    {
        if constexpr (Strict)
            names.name(s);
        stack.push_key(s);
        return true;
    }

    bool on_string_part(text s, std::size_t, code&)
    {
        stack.push_chars(s);
        return true;
    }

    bool on_string(text s, std::size_t, code&)
    {
        stack.push_string(s);
        return true;
    }

    bool on_number_part(text, code&) { return true; }

    bool on_int64(std::int64_t i, text, code&)
    {
        stack.push_int64(i);
        return true;
    }

    bool on_uint64(std::uint64_t u, text, code&)
    {
        stack.push_uint64(u);
        return true;
    }

    bool on_double(double d, text digits, code& ec)
    {
        std::from_chars(digits.data(), digits.data() + digits.size(), d);
        if (!std::isfinite(d)) {
            ec = boost::json::error::exponent_overflow;
            return false;
        }
        stack.push_double(d);
        return true;
    }

    bool on_bool(bool b, code&)
    {
        stack.push_bool(b);
        return true;
    }

    bool on_null(code&)
    {
        stack.push_null();
        return true;
    }

    bool on_comment_part(text, code&) { return true; }

    bool on_comment(text, code&) { return true; }
};

template <bool Strict>
result<value> parse_with(std::string_view text, std::size_t depth_max,
                         boost::json::storage_ptr storage)
{
    boost::json::parse_options options;
    options.max_depth = depth_max;
    boost::json::basic_parser<handler<Strict>> parser(options);
    parser.handler().stack.reset(std::move(storage));
    boost::json::error_code ec;
    auto const read = parser.write_some(false, text.data(), text.size(), ec);
    if (parser.handler().duplicate)
        return fail(errc::malformed, fmt::format("duplicate member name before byte {}", read),
                    "duplicate_member");
    if (!ec && read < text.size())
        ec = boost::json::error::extra_data;
    if (!ec && !parser.done())
        ec = boost::json::error::incomplete;
    if (ec)
        return fail(errc::malformed,
                    fmt::format("not valid JSON at byte {}: {}", read, ec.message()),
                    "json_invalid");
    return parser.handler().stack.release();
}

/// Bytes of the well-formed UTF-8 sequence that begins at `i` (Unicode, table 3-7); 0 if none does.
std::size_t utf8_length(std::string_view text, std::size_t i)
{
    auto const byte = [&](std::size_t k) {
        return k < text.size() ? static_cast<unsigned char>(text[k]) : 0U;
    };
    auto const tail = [&](std::size_t k) { return byte(k) >= 0x80 && byte(k) <= 0xBF; };
    auto const lead = byte(i);
    auto const next = byte(i + 1);
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return tail(i + 1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        bool const ok =
            next >= (lead == 0xE0 ? 0xA0U : 0x80U) && next <= (lead == 0xED ? 0x9FU : 0xBFU);
        return ok && tail(i + 2) ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        bool const ok =
            next >= (lead == 0xF0 ? 0x90U : 0x80U) && next <= (lead == 0xF4 ? 0x8FU : 0xBFU);
        return ok && tail(i + 2) && tail(i + 3) ? 4 : 0;
    }
    return 0;
}

} // namespace

void append_string(std::string_view text, std::string& out)
{
    static constexpr char hex[] = "0123456789abcdef";
    out.push_back('"');
    std::size_t from = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        auto const c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c < 0x80 && c != '"' && c != '\\') [[likely]]
            continue;
        if (c >= 0x80) {
            if (auto const length = utf8_length(text, i); length > 0) {
                i += length - 1;
                continue;
            }
            // Such bytes come with provider headers and files; a record that holds them could never be read again.
            out.append(text, from, i - from).append("\xEF\xBF\xBD");
            from = i + 1;
            continue;
        }
        out.append(text, from, i - from);
        from = i + 1;
        out.push_back('\\');
        switch (c) {
        case '"': out.push_back('"'); break;
        case '\\': out.push_back('\\'); break;
        case '\b': out.push_back('b'); break;
        case '\f': out.push_back('f'); break;
        case '\n': out.push_back('n'); break;
        case '\r': out.push_back('r'); break;
        case '\t': out.push_back('t'); break;
        default:
            out.append("u00");
            out.push_back(hex[c >> 4]);
            out.push_back(hex[c & 15]);
        }
    }
    out.append(text, from, text.size() - from);
    out.push_back('"');
}

void append_number(double number, std::string& out)
{
    if (!std::isfinite(number)) {
        out.append("null");
        return;
    }
    if (number == 0) {
        out.push_back('0');
        return;
    }
    if (number < 0) {
        out.push_back('-');
        number = -number;
    }

    // Shortest digits and exponent from to_chars, laid out as ECMA-262 Number::toString has it.
    char buffer[32];
    auto const end =
        std::to_chars(buffer, buffer + sizeof buffer, number, std::chars_format::scientific).ptr;
    std::string_view const text(buffer, static_cast<std::size_t>(end - buffer));
    auto const e = text.find('e');
    std::string digits(text.substr(0, 1));
    if (e > 2)
        digits.append(text.substr(2, e - 2));
    int exponent = 0;
    auto const exponent_text = text.substr(text[e + 1] == '+' ? e + 2 : e + 1);
    std::from_chars(exponent_text.data(), exponent_text.data() + exponent_text.size(), exponent);

    int const k = static_cast<int>(digits.size());
    int const n = exponent + 1; // position of the decimal point, counted from the first digit
    if (k <= n && n <= 21) {
        out.append(digits).append(static_cast<std::size_t>(n - k), '0');
    } else if (0 < n && n <= 21) {
        out.append(digits, 0, static_cast<std::size_t>(n)).push_back('.');
        out.append(digits, static_cast<std::size_t>(n));
    } else if (-6 < n && n <= 0) {
        out.append("0.").append(static_cast<std::size_t>(-n), '0').append(digits);
    } else {
        out.push_back(digits[0]);
        if (k > 1)
            out.append(".").append(digits, 1);
        out.append(exponent < 0 ? "e-" : "e+").append(std::to_string(std::abs(exponent)));
    }
}

void append_canonical(value const& v, std::string& out)
{
    char digits[24];
    switch (v.kind()) {
    case boost::json::kind::null: out.append("null"); return;
    case boost::json::kind::bool_: out.append(v.get_bool() ? "true" : "false"); return;
    case boost::json::kind::int64:
        out.append(digits, std::to_chars(digits, digits + sizeof digits, v.get_int64()).ptr);
        return;
    case boost::json::kind::uint64:
        out.append(digits, std::to_chars(digits, digits + sizeof digits, v.get_uint64()).ptr);
        return;
    case boost::json::kind::double_: append_number(v.get_double(), out); return;
    case boost::json::kind::string: append_string(v.get_string(), out); return;
    case boost::json::kind::array: {
        char separator = '[';
        if (v.get_array().empty())
            out.push_back('[');
        for (auto const& item : v.get_array()) {
            out.push_back(separator);
            append_canonical(item, out);
            separator = ',';
        }
        out.push_back(']');
        return;
    }
    case boost::json::kind::object: {
        auto const& o = v.get_object();
        std::vector<boost::json::key_value_pair const*> members;
        members.reserve(o.size());
        for (auto const& member : o)
            members.push_back(&member);
        std::sort(members.begin(), members.end(),
                  [](auto const* a, auto const* b) { return utf16_less(a->key(), b->key()); });
        out.push_back('{');
        bool first = true;
        for (auto const* member : members) {
            if (!first)
                out.push_back(',');
            first = false;
            append_string(member->key(), out);
            out.push_back(':');
            append_canonical(member->value(), out);
        }
        out.push_back('}');
        return;
    }
    }
}

std::string canonical(value const& v)
{
    std::string out;
    append_canonical(v, out);
    return out;
}

result<value> parse(std::string_view text, parse_limits limits)
{
    return parse_with<true>(text, limits.depth_max, {});
}

result<value> parse_stored(std::string_view text, boost::json::storage_ptr storage)
{
    // A payload wraps what a stranger sent at the limit.
    auto parsed = parse_with<false>(text, 2 * parse_limits{}.depth_max, std::move(storage));
    if (!parsed)
        parsed.error().code = errc::corrupt;
    return parsed;
}

} // namespace assay::json
