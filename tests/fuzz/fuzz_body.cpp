#include "core/json.hpp"
#include "http/api/body_reader.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

namespace {

using namespace assay;
using namespace assay::api;

struct part {
    std::string name;
    std::optional<std::int64_t> points;

    static constexpr auto fields = std::tuple{
        field{"name", &part::name, {.size_min = 1, .size_max = 8}},
        field{"points", &part::points, {.min = 0, .max = 10}},
    };
};

/// A field of every kind that a request can have.
struct every_kind {
    uuid id;
    std::optional<bool> flag;
    std::optional<std::uint8_t> small;
    std::optional<std::int64_t> whole;
    std::optional<double> ratio;
    std::optional<std::string> order;
    std::optional<std::vector<uuid>> ids;
    std::optional<std::vector<std::string>> words;
    std::optional<std::vector<part>> parts;
    std::optional<part> one;
    std::optional<date_from> from;
    std::optional<date_to> to;
    std::optional<json::object> parameters;
    std::optional<json::value> anything;

    static constexpr std::array<std::string_view, 2> orders{"asc", "desc"};
    static constexpr auto fields = std::tuple{
        field{"id", &every_kind::id},
        field{"flag", &every_kind::flag},
        field{"small", &every_kind::small},
        field{"whole", &every_kind::whole},
        field{"ratio", &every_kind::ratio, {.min = 0, .max = 1}},
        field{"order", &every_kind::order, {.words = orders}},
        field{"ids", &every_kind::ids, {.size_min = 1, .size_max = 3}},
        field{"words", &every_kind::words, {.words = orders}},
        field{"parts", &every_kind::parts},
        field{"one", &every_kind::one},
        field{"from", &every_kind::from},
        field{"to", &every_kind::to},
        field{"parameters", &every_kind::parameters},
        field{"anything", &every_kind::anything},
    };
};

bool is_order(std::string const& word)
{
    return std::ranges::find(every_kind::orders, word) != every_kind::orders.end();
}

bool is_good(part const& p)
{
    return !p.name.empty() && p.name.size() <= 8 &&
           (!p.points || (*p.points >= 0 && *p.points <= 10));
}

/// What the table promises of a body that was read.
bool is_good(every_kind const& b)
{
    if (b.ratio && !(*b.ratio >= 0 && *b.ratio <= 1))
        return false;
    if (b.order && !is_order(*b.order))
        return false;
    if (b.ids && (b.ids->empty() || b.ids->size() > 3))
        return false;
    if (b.words && !std::ranges::all_of(*b.words, is_order))
        return false;
    if (b.parts && !std::ranges::all_of(*b.parts, [](part const& p) { return is_good(p); }))
        return false;
    return !b.one || is_good(*b.one);
}

} // namespace

/// Any JSON object is a body within its table's bounds, or is refused with each bad field's place.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size)
{
    std::string_view const text(reinterpret_cast<char const*>(data), size);
    auto const parsed = json::parse(text);
    if (!parsed || !parsed->is_object())
        return 0;
    auto const body = read_body<every_kind>(parsed->get_object());
    if (body) {
        if (!is_good(*body))
            std::abort();
        return 0;
    }
    if (body.error().code != errc::invalid || body.error().fields.empty())
        std::abort();
    for (auto const& problem : body.error().fields)
        if (problem.loc.size() < 2 || problem.msg.empty() || problem.type.empty())
            std::abort();
    return 0;
}
