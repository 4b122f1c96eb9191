#include "projections/describe.hpp"
#include "projections/tests_rows.hpp"
#include "projections/text_match.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace assay::projections {

namespace {

using namespace tests_rows;

std::unexpected<error> no_test()
{
    return fail(errc::not_found, "there is no such test", "test_not_found");
}

/// One search over the tests of a workspace: turns a filter into bitmaps, intersects and counts
/// them.
class search {
public:
    search(reader const& views, uuid const& workspace, std::uint32_t tests)
        : views_(views), workspace_(workspace), tests_(tests), base_(bitmap::range(0, tests))
    {
    }

    result<void> restrict_base(test_filter const& f)
    {
        if (f.archived) {
            ASSAY_TRY(auto archived, members(facet::archived, {uuid{}}));
            if (*f.archived)
                base_ &= archived;
            else
                base_ -= archived;
        }
        if (f.within_departments) {
            auto allowed = *f.within_departments;
            allowed.push_back(uuid{});
            ASSAY_TRY(auto visible, members(facet::department, allowed));
            base_ &= visible;
        }
        if (f.from || f.to)
            ASSAY_CHECK(restrict_to_dates(f));
        if (!f.text.empty())
            ASSAY_CHECK(restrict_to_text(f.text));
        return {};
    }

    result<void> restrict_by(facet f, std::vector<uuid> const& values)
    {
        if (values.empty())
            return {};
        ASSAY_TRY(auto numbers, members(f, values));
        chosen_.push_back({f, std::move(numbers)});
        return {};
    }

    [[nodiscard]] bitmap matches() const { return matches_without(std::nullopt); }

    /// How many matches each value of `f` would give if nothing were chosen for `f` itself.
    [[nodiscard]] result<std::vector<facet_count>> counts(facet f) const
    {
        auto const set = matches_without(f);
        std::vector<facet_count> out;
        std::optional<error> problem;
        auto const prefix = facet_prefix(workspace_, f);
        ASSAY_CHECK(views_.scan(view_id::tests, prefix, {}, [&](auto k, auto bytes) {
            key_reader parts(k.substr(std::string_view(prefix).size()));
            auto const value = parts.id();
            auto numbers = bitmap::from_bytes(bytes);
            if (!numbers) {
                problem = std::move(numbers.error());
                return false;
            }
            if (out.empty() || out.back().value != value)
                out.push_back({value, {}, 0});
            out.back().tests += set.common(*numbers);
            return true;
        }));
        if (problem)
            return std::unexpected(std::move(*problem));
        std::erase_if(out, [](auto const& c) { return c.tests == 0 || c.value.nil(); });
        std::sort(out.begin(), out.end(), [](auto const& x, auto const& y) {
            return std::pair(y.tests, x.value) < std::pair(x.tests, y.value);
        });
        return out;
    }

    [[nodiscard]] result<listed_test> listed(std::uint32_t number) const
    {
        ASSAY_TRY(auto row,
                  fetch<listed_test>(views_, view_id::tests, number_key(workspace_, number)));
        if (!row)
            return fail(errc::corrupt, "the list of tests has a gap");
        return std::move(*row);
    }

private:
    struct choice {
        facet of;
        bitmap numbers;
    };

    [[nodiscard]] bitmap matches_without(std::optional<facet> excluded) const
    {
        auto out = base_;
        for (auto const& c : chosen_) {
            if (c.of != excluded)
                out &= c.numbers;
        }
        return out;
    }

    [[nodiscard]] result<bitmap> members(facet f, std::vector<uuid> const& values) const
    {
        bitmap out;
        std::optional<error> problem;
        for (auto const& value : values) {
            ASSAY_CHECK(views_.scan(view_id::tests, facet_prefix(workspace_, f).id(value), {},
                                    [&](auto, auto bytes) {
                                        auto part = bitmap::from_bytes(bytes);
                                        if (part)
                                            out |= *part;
                                        else
                                            problem = std::move(part.error());
                                        return !problem;
                                    }));
        }
        if (problem)
            return std::unexpected(std::move(*problem));
        return out;
    }

    /// The first number that was started at or after `when`: numbers are in the order of time.
    [[nodiscard]] result<std::uint32_t> first_since(instant when) const
    {
        std::uint32_t low = 0;
        std::uint32_t high = tests_;
        while (low < high) {
            auto const middle = low + (high - low) / 2;
            ASSAY_TRY(auto row, listed(middle));
            if (row.started_at < when)
                low = middle + 1;
            else
                high = middle;
        }
        return low;
    }

    result<void> restrict_to_dates(test_filter const& f)
    {
        std::uint32_t first = 0;
        std::uint32_t last = tests_;
        if (f.from) {
            ASSAY_TRY(first, first_since(*f.from));
        }
        if (f.to) {
            ASSAY_TRY(last, first_since({f.to->us + 1}));
        }
        base_ &= bitmap::range(first, last);
        return {};
    }

    result<void> restrict_to_text(std::string_view text)
    {
        text_match const wanted(text);
        std::unordered_set<uuid> evals;
        ASSAY_CHECK(fetch_range<eval_name>(views_, view_id::tests, key('e').id(workspace_), {},
                                           [&](std::string_view k, eval_name const& row) {
                                               if (wanted.in(row.name))
                                                   evals.insert(uuid::from_raw(k.substr(17)));
                                               return true;
                                           }));
        bitmap found;
        ASSAY_CHECK(fetch_range<listed_test>(views_, view_id::tests, key('n').id(workspace_), {},
                                             [&](std::string_view k, listed_test const& row) {
                                                 if (wanted.in(row.name) ||
                                                     evals.contains(row.eval))
                                                     found.add(key_reader(k.substr(17)).u32());
                                                 return true;
                                             }));
        base_ &= found;
        return {};
    }

    reader const& views_;
    uuid const workspace_;
    std::uint32_t const tests_;
    bitmap base_;
    std::vector<choice> chosen_;
};

/// Numbers of a page in the order of starts.
std::vector<std::uint32_t> page_by_start(bitmap const& matches, test_filter const& f,
                                         page const& page)
{
    if (!f.ascending)
        return matches.newest(page.offset, page.limit);
    auto const total = matches.size();
    if (page.offset >= total)
        return {};
    auto const take = std::min(page.limit, total - page.offset);
    auto out = matches.newest(total - page.offset - take, take);
    std::ranges::reverse(out);
    return out;
}

/// The name that a test is sorted by, without regard to case (ASCII).
class sort_names {
public:
    sort_names(reader const& views, uuid const& workspace, test_order order)
        : views_(views), workspace_(workspace), order_(order)
    {
    }

    result<std::string> of(listed_test const& t)
    {
        if (order_ == test_order::test_name)
            return lower(t.name);
        auto const [at, fresh] = evals_.try_emplace(t.eval);
        if (fresh) {
            ASSAY_TRY(auto row,
                      fetch<eval_name>(views_, view_id::tests, eval_name_key(workspace_, t.eval)));
            at->second = row ? lower(row->name) : std::string();
        }
        return at->second;
    }

private:
    static std::string lower(std::string text)
    {
        for (auto& c : text)
            if (c >= 'A' && c <= 'Z')
                c = static_cast<char>(c - 'A' + 'a');
        return text;
    }

    reader const& views_;
    uuid const workspace_;
    test_order const order_;
    std::unordered_map<uuid, std::string> evals_;
};

result<std::vector<std::uint32_t>> page_by_name(search const& found, bitmap const& matches,
                                                sort_names names, test_filter const& f,
                                                page const& page)
{
    using entry = std::pair<std::string, std::uint32_t>;
    std::vector<entry> all;
    for (auto const number : matches.numbers()) {
        ASSAY_TRY(auto const listed, found.listed(number));
        ASSAY_TRY(auto name, names.of(listed));
        all.emplace_back(std::move(name), number);
    }
    auto const from = std::min<std::uint64_t>(page.offset, all.size());
    auto const to = from + std::min<std::uint64_t>(page.limit, all.size() - from);
    std::ranges::partial_sort(all, all.begin() + static_cast<std::ptrdiff_t>(to),
                              [&](entry const& a, entry const& b) {
                                  if (a.first != b.first)
                                      return (a.first < b.first) == f.ascending;
                                  return a.second > b.second;
                              });
    std::vector<std::uint32_t> out;
    for (auto i = from; i < to; ++i)
        out.push_back(all[i].second);
    return out;
}

result<std::uint32_t> count_tests(reader const& views, uuid const& workspace)
{
    ASSAY_TRY(auto row, fetch<test_count>(views, view_id::tests, count_key(workspace)));
    return row ? row->tests : 0;
}

result<void> add_eval_names(reader const& views, uuid const& workspace,
                            std::vector<facet_count>& evals)
{
    for (auto& e : evals) {
        ASSAY_TRY(auto row,
                  fetch<eval_name>(views, view_id::tests, eval_name_key(workspace, e.value)));
        if (row)
            e.name = std::move(row->name);
    }
    return {};
}

} // namespace

result<test_row> get_test(reader const& views, uuid const& test)
{
    ASSAY_TRY(auto row, fetch<test_row>(views, view_id::tests, test_key(test)));
    if (!row)
        return no_test();
    row->id = test;
    return std::move(*row);
}

result<test_row> get_test(reader const& views, uuid const& workspace, uuid const& test)
{
    ASSAY_TRY(auto row, get_test(views, test));
    if (row.workspace != workspace)
        return no_test();
    return row;
}

result<test_page> list_tests(reader const& views, uuid const& workspace, test_filter const& filter,
                             page const& page, bool facets)
{
    test_page out;
    ASSAY_TRY(auto const tests, count_tests(views, workspace));
    if (tests == 0)
        return out;

    search found(views, workspace, tests);
    ASSAY_CHECK(found.restrict_base(filter));
    ASSAY_CHECK(found.restrict_by(facet::eval, filter.evals));
    ASSAY_CHECK(found.restrict_by(facet::department, filter.departments));
    ASSAY_CHECK(found.restrict_by(facet::profile, filter.profiles));
    ASSAY_CHECK(found.restrict_by(facet::model, filter.models));

    auto const matches = found.matches();
    out.total = matches.size();
    auto numbers =
        filter.order == test_order::started
            ? result<std::vector<std::uint32_t>>(page_by_start(matches, filter, page))
            : page_by_name(found, matches, {views, workspace, filter.order}, filter, page);
    if (!numbers)
        return std::unexpected(std::move(numbers.error()));
    for (auto const number : *numbers) {
        ASSAY_TRY(auto listed, found.listed(number));
        ASSAY_TRY(auto row, get_test(views, listed.test));
        out.tests.push_back(std::move(row));
    }
    ASSAY_TRY(auto first, found.listed(0));
    ASSAY_TRY(auto last, found.listed(tests - 1));
    out.earliest = first.started_at;
    out.latest = last.started_at;
    if (!facets)
        return out;
    ASSAY_TRY(out.evals, found.counts(facet::eval));
    ASSAY_TRY(out.departments, found.counts(facet::department));
    ASSAY_TRY(out.profiles, found.counts(facet::profile));
    ASSAY_TRY(out.models, found.counts(facet::model));
    ASSAY_TRY(out.rubrics, found.counts(facet::rubric));
    ASSAY_CHECK(add_eval_names(views, workspace, out.evals));
    return out;
}

result<std::vector<uuid>> find_tests_by_config(reader const& views, uuid const& workspace,
                                               digest const& config_hash, std::size_t limit)
{
    std::vector<uuid> out;
    ASSAY_CHECK(fetch_range<config_entry>(views, view_id::tests,
                                          key('x').id(workspace).hash(config_hash), {},
                                          [&](std::string_view, config_entry const& row) {
                                              if (out.size() < limit)
                                                  out.push_back(row.test);
                                              return out.size() < limit;
                                          }));
    return out;
}

} // namespace assay::projections
