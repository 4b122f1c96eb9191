#include "projections/answers.hpp"

#include "projections/describe.hpp"
#include "projections/key.hpp"
#include "projections/streams.hpp"

namespace assay::projections {

namespace {

struct pending_row {
    digest cell_hash;
};
BOOST_DESCRIBE_STRUCT(pending_row, (), (cell_hash))

key pending_key(grid_id const& id, std::uint16_t run)
{
    return key('p').id(id.test).u32(id.cell).u16(run);
}

key answer_key(uuid const& workspace, digest const& cell_hash)
{
    return key('a').id(workspace).hash(cell_hash);
}

result<void> take_grade(events::recorded const& e, grid_id const& id, std::uint16_t run, rows& out)
{
    if (run == 0)
        return {};
    auto const where = pending_key(id, run);
    ASSAY_TRY(auto const pending, load<pending_row>(out, where));
    if (!pending)
        return {};
    out.erase(where);
    save(out, answer_key(e.head->workspace, pending->cell_hash),
         answer_row{id.test, id.cell, run, e.head->at});
    return {};
}

} // namespace

result<void> answers::apply(events::recorded const& e, rows& out) const
{
    if (e.stream.kind != stream_kind::cell)
        return {};
    auto const* ended = std::get_if<event::run_ended>(&e.body);
    auto const* grade = std::get_if<event::grade_recorded>(&e.body);
    if (!ended && !grade)
        return {};
    ASSAY_TRY(auto const id, cell_of(e));
    if (grade)
        return take_grade(e, id, grade->run, out);
    if (ended->outcome == outcome::completed && !ended->cell_hash.zero())
        save_new(out, pending_key(id, ended->run), pending_row{ended->cell_hash});
    return {};
}

std::string answers::describe(std::string_view key, std::string_view value) const
{
    return key.front() == 'a' ? describe_row<answer_row>(value) : describe_row<pending_row>(value);
}

result<std::optional<answer_row>> find_answer(reader const& views, uuid const& workspace,
                                              digest const& cell_hash)
{
    return fetch<answer_row>(views, view_id::answers, answer_key(workspace, cell_hash));
}

} // namespace assay::projections
