#include "projections/grades.hpp"

#include "projections/describe.hpp"
#include "projections/key.hpp"
#include "projections/streams.hpp"

namespace assay::projections {

namespace {

key cell_key(char table, uuid const& test, std::uint32_t cell)
{
    return key(table).id(test).u32(cell);
}

template <class Row>
result<std::vector<Row>> list(reader const& views, std::string_view prefix)
{
    std::vector<Row> out;
    ASSAY_CHECK(
        fetch_range<Row>(views, view_id::grades, prefix, {}, [&](std::string_view, Row row) {
            out.push_back(std::move(row));
            return true;
        }));
    return out;
}

} // namespace

result<void> grades::apply(events::recorded const& e, rows& out) const
{
    if (e.stream.kind != stream_kind::cell)
        return {};
    auto const* grade = std::get_if<event::grade_recorded>(&e.body);
    auto const* feedback = std::get_if<event::feedback_recorded>(&e.body);
    if (!grade && !feedback)
        return {};
    ASSAY_TRY(auto const id, cell_of(e));
    auto const& head = *e.head;
    if (grade)
        save_new(out, cell_key('g', id.test, id.cell).u16(grade->grade),
                 grade_row{*grade, head.profile, head.channel, head.at});
    else
        save_new(out, cell_key('f', id.test, id.cell).u16(feedback->feedback),
                 feedback_row{*feedback, head.profile, head.channel, head.at});
    return {};
}

std::string grades::describe(std::string_view key, std::string_view value) const
{
    return key.front() == 'g' ? describe_row<grade_row>(value) : describe_row<feedback_row>(value);
}

result<std::vector<grade_row>> list_grades(reader const& views, uuid const& test,
                                           std::uint32_t cell)
{
    return list<grade_row>(views, cell_key('g', test, cell));
}

result<std::optional<grade_row>> get_grade(reader const& views, uuid const& test,
                                           std::uint32_t cell, std::uint16_t grade)
{
    return fetch<grade_row>(views, view_id::grades, cell_key('g', test, cell).u16(grade));
}

result<std::vector<feedback_row>> list_feedback(reader const& views, uuid const& test,
                                                std::uint32_t cell,
                                                std::optional<std::uint16_t> grade)
{
    ASSAY_TRY(auto out, list<feedback_row>(views, cell_key('f', test, cell)));
    if (grade)
        std::erase_if(out, [&](auto const& f) { return f.feedback.grade != *grade; });
    return out;
}

result<void> visit_grades(reader const& views, uuid const& test, std::uint32_t from,
                          std::function<bool(std::uint32_t, grade_row const&)> const& visit)
{
    return fetch_range<grade_row>(views, view_id::grades, key('g').id(test),
                                  cell_key('g', test, from),
                                  [&](std::string_view k, grade_row const& row) {
                                      return visit(key_reader(k.substr(17)).u32(), row);
                                  });
}

} // namespace assay::projections
