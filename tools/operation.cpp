#include "tools/operation.hpp"

#include "core/json.hpp"
#include "tools/json_fields.hpp"
#include "tools/session.hpp"
#include "tools/table.hpp"
#include "tools/terminal.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>

namespace assay::tools {

namespace {

using boost::json::object;
using boost::json::value;

constexpr std::size_t columns_max = 8;

std::unexpected<error> usage(std::string detail)
{
    return fail(errc::invalid, std::move(detail), "usage");
}

bool is_plain(value const& v)
{
    return !v.is_array() && !v.is_object();
}

/// The plain members that some row has, in order of appearance.
std::vector<std::string> columns_of(boost::json::array const& rows)
{
    std::vector<std::string> out;
    for (auto const& row : rows) {
        auto const* const o = row.if_object();
        if (!o)
            continue;
        for (auto const& [name, v] : *o) {
            if (is_plain(v) && !v.is_null() && out.size() < columns_max &&
                std::ranges::find(out, name) == out.end())
                out.emplace_back(name);
        }
    }
    return out;
}

std::string list_text(boost::json::array const& rows, std::vector<std::string> columns,
                      std::size_t width)
{
    if (columns.empty())
        columns = columns_of(rows);
    std::vector<text_table::column> titles;
    for (auto const& c : columns) {
        bool const numbers = std::ranges::all_of(rows, [&](value const& row) {
            auto const* const v = row.is_object() ? row.get_object().if_contains(c) : nullptr;
            return !v || v->is_null() || v->is_number();
        });
        titles.push_back({c, numbers ? align::right : align::left});
    }
    if (titles.empty())
        return {};
    text_table table(std::move(titles));
    for (auto const& row : rows) {
        auto const* const o = row.if_object();
        std::vector<std::string> cells;
        for (auto const& c : columns)
            cells.push_back(o ? shown(o->if_contains(c)) : std::string());
        table.add(std::move(cells));
    }
    return table.text(width);
}

void append_member(std::string const& name, value const& v, std::size_t width, std::string& out)
{
    auto const* const rows = v.if_array();
    bool const tabular = rows && !rows->empty() &&
                         std::ranges::all_of(*rows, [](auto const& r) { return r.is_object(); });
    if (tabular)
        out += fmt::format("\n{}\n{}", name, list_text(*rows, {}, width));
    else if (!v.is_null() && !(rows && rows->empty()))
        out += fmt::format("{}  {}\n", name, printable(shown(&v)));
}

/// What a verb's flags hold until it runs.
struct given_flags {
    std::string body;
    std::map<std::string, std::vector<std::string>> texts; ///< by flag
    std::map<std::string, bool> flags;
};

result<object> body_of(operation const& what, given_flags const& given, bool for_people)
{
    auto body = for_people ? what.for_people : object();
    if (!given.body.empty()) {
        ASSAY_TRY(auto const read, read_body_argument(given.body));
        for (auto const& [name, v] : read)
            body.insert_or_assign(name, v);
    }
    for (auto const& flag : what.flags) {
        if (auto const on = given.flags.find(flag.flag); on != given.flags.end() && on->second)
            body[flag.member] = true;
        auto const texts = given.texts.find(flag.flag);
        if (texts == given.texts.end() || texts->second.empty())
            continue;
        ASSAY_TRY(body[flag.member], flag_value(flag, texts->second));
    }
    for (auto const& flag : what.flags) {
        if (!flag.flag.starts_with('-') && !body.contains(flag.member))
            return usage(fmt::format("{} is missing: give it, or --body with \"{}\"", flag.flag,
                                     flag.member));
    }
    return body;
}

result<void> perform(operation const& what, given_flags const& given, settings const& s)
{
    ASSAY_TRY(auto const body, body_of(what, given, !s.json));
    ASSAY_TRY(auto const opened, session::open(s));
    ASSAY_TRY(auto const answer, opened->api().call("POST", what.path, body));
    if (s.json) {
        fmt::print("{}\n", json::canonical(answer));
        return {};
    }
    if (what.show)
        return what.show(opened->api(), body, answer);
    fmt::print("{}", answer_text(answer, what.list, what.columns, terminal_width(stdout)));
    return {};
}

void add_flag(CLI::App& verb, member_flag const& flag, std::shared_ptr<given_flags> const& given)
{
    if (flag.kind == member_kind::flag) {
        verb.add_flag(flag.flag, given->flags[flag.flag], flag.description);
        return;
    }
    auto* const option = verb.add_option(flag.flag, given->texts[flag.flag], flag.description);
    if (flag.kind == member_kind::texts)
        option->take_all();
    else
        option->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

} // namespace

result<object> read_body_argument(std::string const& text)
{
    std::string read = text;
    if (text == "-") {
        read.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else if (text.starts_with('@')) {
        std::ifstream in(text.substr(1), std::ios::binary);
        if (!in)
            return usage(fmt::format("--body: cannot read {}", text.substr(1)));
        read.assign(std::istreambuf_iterator<char>(in), {});
    }
    auto parsed = json::parse(read);
    if (!parsed)
        return usage("--body: " + parsed.error().detail);
    if (!parsed->is_object())
        return usage("--body: expected a JSON object");
    return std::move(parsed->get_object());
}

result<value> flag_value(member_flag const& flag, std::vector<std::string> const& texts)
{
    auto const& text = texts.back();
    auto const* const end = text.data() + text.size();
    switch (flag.kind) {
    case member_kind::text: return value(text);
    case member_kind::texts: return value(boost::json::array(texts.begin(), texts.end()));
    case member_kind::flag: return value(true);
    case member_kind::count: {
        std::uint64_t n = 0;
        if (auto const [at, ec] = std::from_chars(text.data(), end, n);
            ec == std::errc{} && at == end && !text.empty())
            return value(n);
        return usage(fmt::format("{}: '{}' is not a whole number", flag.flag, text));
    }
    case member_kind::number: {
        double n = 0;
        if (auto const [at, ec] = std::from_chars(text.data(), end, n);
            ec == std::errc{} && at == end && !text.empty())
            return value(n);
        return usage(fmt::format("{}: '{}' is not a number", flag.flag, text));
    }
    case member_kind::items: {
        auto parsed = json::parse(text);
        if (!parsed)
            return usage(fmt::format("{}: {}", flag.flag, parsed.error().detail));
        return parsed->is_array() ? std::move(*parsed)
                                  : value(boost::json::array{std::move(*parsed)});
    }
    }
    return value(nullptr);
}

std::string answer_text(value const& answer, std::string_view list,
                        std::vector<std::string> const& columns, std::size_t width)
{
    auto const* const o = answer.if_object();
    if (!o)
        return answer.is_null() ? std::string() : shown(&answer) + "\n";
    if (!list.empty()) {
        auto const& rows = array_at(*o, list);
        auto out = rows.empty() ? std::string("none\n") : list_text(rows, columns, width);
        if (auto const total = count_at(*o, "total_count"); total > rows.size())
            out += fmt::format("\n{} of {} shown; --limit and --offset show others\n", rows.size(),
                               total);
        return out;
    }
    std::string out;
    for (auto const& [name, v] : *o)
        if (is_plain(v))
            append_member(std::string(name), v, width, out);
    for (auto const& [name, v] : *o)
        if (!is_plain(v))
            append_member(std::string(name), v, width, out);
    return out.empty() ? "done\n" : out;
}

void add_operation(CLI::App& parent, operation const& what, settings const& s, int& exit_code)
{
    auto* const verb = parent.add_subcommand(what.name, what.description);
    verb->footer("Examples:\n  " + what.example);
    auto const given = std::make_shared<given_flags>();
    verb->add_option("--body", given->body,
                     "The request: JSON, @FILE, or - for stdin; other flags win over it")
        ->type_name("JSON");
    for (auto const& flag : what.flags)
        add_flag(*verb, flag, given);
    verb->callback([what, given, &s, &exit_code] {
        auto const done = perform(what, *given, s);
        exit_code = done ? exit_ok : complain(done.error());
    });
}

} // namespace assay::tools
