#include "projections/tests.hpp"

#include "projections/describe.hpp"
#include "projections/tests_rows.hpp"

namespace assay::projections {

namespace {

using namespace tests_rows;

result<void> set_facet(rows& out, std::string_view key, std::uint32_t number, bool member)
{
    ASSAY_TRY(auto stored, out.get(key));
    bitmap numbers;
    if (stored) {
        ASSAY_TRY(numbers, bitmap::from_bytes(*stored));
    }
    if (member)
        numbers.add(number);
    else
        numbers.remove(number);
    if (numbers.empty())
        out.erase(key);
    else
        out.put(key, numbers.bytes());
    return {};
}

struct applier {
    events::recorded const& e;
    rows& out;
    uuid const& workspace = e.head->workspace;
    uuid const& test = e.stream.id;

    result<void> add_facet(facet f, uuid const& value, std::uint32_t number) const
    {
        return set_facet(out, facet_key(workspace, f, value, number), number, true);
    }

    result<void> add_facets(event::test_started const& s, std::uint32_t number) const
    {
        ASSAY_CHECK(add_facet(facet::eval, s.eval, number));
        ASSAY_CHECK(add_facet(facet::profile, e.head->profile, number));
        if (s.rubric)
            ASSAY_CHECK(add_facet(facet::rubric, s.rubric->id, number));
        for (auto const& m : s.models)
            ASSAY_CHECK(add_facet(facet::model, m.id, number));
        for (auto const& a : s.agents)
            ASSAY_CHECK(add_facet(facet::agent, a.id, number));
        for (auto const& d : s.departments)
            ASSAY_CHECK(add_facet(facet::department, d, number));
        if (s.departments.empty())
            ASSAY_CHECK(add_facet(facet::department, uuid{}, number));
        return {};
    }

    result<void> operator()(event::test_started const& s) const
    {
        ASSAY_TRY(auto counted, load<test_count>(out, count_key(workspace)));
        auto count = counted.value_or(test_count{});
        auto const number = count.tests++;
        save(out, count_key(workspace), count);

        test_row row;
        row.workspace = workspace;
        row.profile = e.head->profile;
        row.number = number;
        row.started = s;
        row.started_at = e.head->at;
        save_new(out, test_key(test), row);
        save_new(out, number_key(workspace, number), listed_test{test, e.head->at, s.eval, s.name});
        save(out, eval_name_key(workspace, s.eval), eval_name{s.eval_name});
        save_new(out, config_key(workspace, s.config_hash, number), config_entry{test});
        return add_facets(s, number);
    }

    template <class Change>
    result<void> change(Change const& f) const
    {
        ASSAY_TRY(auto row, load_existing<test_row>(out, test_key(test), "the test"));
        f(row);
        save(out, test_key(test), row);
        return {};
    }

    result<void> operator()(event::test_stopped const&) const
    {
        return change([&](test_row& row) {
            row.phase = test_phase::stopped;
            row.stopped_at = e.head->at;
        });
    }

    result<void> operator()(event::test_reopened const&) const
    {
        return change([](test_row& row) { row.phase = test_phase::running; });
    }

    result<void> operator()(event::test_completed const&) const
    {
        return change([&](test_row& row) {
            row.phase = test_phase::completed;
            row.completed_at = e.head->at;
        });
    }

    result<void> operator()(event::test_extended const& x) const
    {
        return change([&](test_row& row) { row.started.repeats = x.repeats; });
    }

    result<void> operator()(event::test_archived const& a) const
    {
        std::uint32_t number = 0;
        ASSAY_CHECK(change([&](test_row& row) {
            row.archived = a.archived;
            number = row.number;
        }));
        return set_facet(out, facet_key(workspace, facet::archived, {}, number), number,
                         a.archived);
    }

    template <class Other>
    result<void> operator()(Other const&) const
    {
        return {};
    }
};

} // namespace

result<void> tests::apply(events::recorded const& e, rows& out) const
{
    if (e.stream.kind != stream_kind::test)
        return {};
    return std::visit(applier{e, out}, e.body);
}

std::string tests::describe(std::string_view key, std::string_view value) const
{
    switch (key.front()) {
    case 't': return describe_row<test_row>(value);
    case 'w': return describe_row<test_count>(value);
    case 'n': return describe_row<listed_test>(value);
    case 'e': return describe_row<eval_name>(value);
    case 'x': return describe_row<config_entry>(value);
    case 'f': {
        auto const numbers = bitmap::from_bytes(value);
        return numbers ? codec::to_json(numbers->numbers()) : "\"" + to_hex(value) + "\"";
    }
    }
    return "\"" + to_hex(value) + "\"";
}

} // namespace assay::projections
