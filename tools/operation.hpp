#pragma once

#include "http/api/client.hpp"
#include "tools/settings.hpp"

#include <boost/json.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

/// Verbs that are one operation of the API: a body from flags, a call, an answer shown.
namespace assay::tools {

/// How a flag's text becomes a member of the body.
enum class member_kind {
    text,
    count, ///< a whole number, 0 or more
    number,
    flag,  ///< true when it is given
    texts, ///< an array; the flag may be repeated
    items, ///< an array of objects, given as JSON; one object counts as one
};

struct member_flag {
    std::string
        flag; ///< "--eval"; without dashes: a word without a flag, needed unless --body is given
    std::string member; ///< of the body
    member_kind kind = member_kind::text;
    std::string description;
};

struct operation {
    std::string name; ///< the verb
    std::string path; ///< "/test/get"
    std::string description;
    std::vector<member_flag> flags;
    std::string example;
    std::string list{}; ///< member of the answer that is a list to be shown as a table
    std::vector<std::string> columns{}; ///< of that table; empty: all plain members
    boost::json::object for_people{};   ///< members of the body unless --json is given
    /// Shows the answer to people instead of the general way. @returns errors of further calls.
    result<void> (*show)(api::api_client&, boost::json::object const& body,
                         boost::json::value const& answer) = nullptr;
};

/// Adds the verb to `parent`.
void add_operation(CLI::App& parent, operation const& what, settings const& s, int& exit_code);

/// The body that `--body` stands for: JSON, @FILE, or - for stdin.
/// @returns errc::invalid with reason "usage" if it is no JSON object.
[[nodiscard]] result<boost::json::object> read_body_argument(std::string const& text);

/// The value that a flag's texts make. @returns errc::invalid with reason "usage" for what does not
/// fit the kind.
[[nodiscard]] result<boost::json::value> flag_value(member_flag const& flag,
                                                    std::vector<std::string> const& texts);

/// An answer for people: plain members a line each, lists as tables.
[[nodiscard]] std::string answer_text(boost::json::value const& answer, std::string_view list,
                                      std::vector<std::string> const& columns, std::size_t width);

} // namespace assay::tools
