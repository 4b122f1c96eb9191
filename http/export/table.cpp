#include "http/export/table.hpp"

#include <cassert>

namespace assay::exporting {

namespace {

constexpr std::size_t piece_bytes = 64 * 1024;

/// Rows are put together before they go to the archive.
class pieces {
public:
    explicit pieces(zip_writer& to) : to_(to) {}

    std::string& text() { return text_; }

    result<void> flush(std::size_t beyond)
    {
        if (text_.size() <= beyond)
            return {};
        auto done = to_.write(text_);
        text_.clear();
        return done;
    }

private:
    zip_writer& to_;
    std::string text_;
};

void append_field(std::string_view text, std::string& out)
{
    if (text.find_first_of("\",\r\n") == std::string_view::npos) {
        out.append(text);
        return;
    }
    out.push_back('"');
    for (auto const c : text) {
        if (c == '"')
            out.push_back('"');
        out.push_back(c);
    }
    out.push_back('"');
}

void append_csv(json::value const& v, std::string& out)
{
    if (v.is_null())
        return;
    if (auto const* const text = v.if_string())
        append_field(*text, out);
    else
        append_field(json::canonical(v), out);
}

void append_csv(row const& values, std::string& out)
{
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (i > 0)
            out.push_back(',');
        append_csv(values[i], out);
    }
    out.append("\r\n");
}

void append_json(std::vector<std::string_view> const& columns, row const& values, std::string& out)
{
    for (std::size_t i = 0; i < values.size(); ++i) {
        out.push_back(i == 0 ? '{' : ',');
        json::append_string(columns[i], out);
        out.push_back(':');
        json::append_canonical(values[i], out);
    }
    out.append("}\n");
}

} // namespace

result<std::uint64_t> write_table(zip_writer& to, table const& from)
{
    std::uint64_t count = 0;
    pieces out(to);
    ASSAY_CHECK(to.begin(std::string(from.name).append(".csv")));
    append_csv(row(from.columns.begin(), from.columns.end()), out.text());
    ASSAY_CHECK(from.rows([&](row const& values) {
        assert(values.size() == from.columns.size());
        ++count;
        append_csv(values, out.text());
        return out.flush(piece_bytes);
    }));
    ASSAY_CHECK(out.flush(0));
    ASSAY_CHECK(to.begin(std::string(from.name).append(".jsonl")));
    ASSAY_CHECK(from.rows([&](row const& values) {
        append_json(from.columns, values, out.text());
        return out.flush(piece_bytes);
    }));
    ASSAY_CHECK(out.flush(0));
    return count;
}

} // namespace assay::exporting
