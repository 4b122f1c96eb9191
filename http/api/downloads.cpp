#include "http/api/invocation_ids.hpp"
#include "http/api/routes.hpp"
#include "http/api/run_rows.hpp"
#include "http/api/stored_file.hpp"
#include "http/api/test_rows.hpp"

#include <fmt/format.h>

namespace assay::api {

namespace {

struct file_body {
    uuid file_id;

    static constexpr auto fields = std::tuple{field{"file_id", &file_body::file_id}};
};

struct text_body {
    uuid text_id;

    static constexpr auto fields = std::tuple{field{"text_id", &text_body::text_id}};
};

struct call_body {
    uuid call_id;

    static constexpr auto fields = std::tuple{field{"call_id", &call_body::call_id}};
};

std::string quoted(digest const& tag)
{
    return fmt::format("\"{}\"", tag.hex());
}

result<http::response> send_file(services const& s, incoming const& in, uuid const& file)
{
    ASSAY_TRY(auto row, projections::get_file(*s.engine.read(), in.who.workspace, file));
    ASSAY_CHECK(check_departments(in, row.file.departments));
    // What is about no single test was made of what its maker may see.
    if (in.scope().departments && !row.file.test && row.profile != in.request.caller->profile)
        return fail(errc::forbidden, "this belongs to another department", "other_department");
    return send_attachment(in.request, stored_attachment(s, in.who.workspace, std::move(row.file)));
}

/// POST /test/file/download   200 · 206 · 304 · 404 · 416
result<http::response> download_file(services const& s, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<file_body>(in.body));
    return send_file(s, in, asked.file_id);
}

/// GET /api/test/download/{file_id}   the same; an id that is none is unknown
result<http::response> get_file(services const& s, http::request const& req)
{
    incoming in;
    in.request = req;
    in.who.workspace = req.caller->workspace;
    auto const id = uuid::parse(req.path_param("file_id"));
    if (!id)
        return fail(errc::not_found, "there is no such file", "file_not_found");
    return send_file(s, in, *id);
}

/// A cell with what lies below it, and the test that it is of.
struct found_cell {
    std::shared_ptr<test_data> data;
    cell_data cell;
};

/// @returns `absent` for what is not there or another workspace's.
result<found_cell> find_cell(services const& s, incoming const& in, std::optional<grid_id> place,
                             std::unexpected<error> const& absent)
{
    if (!place)
        return absent;
    auto data = test_data::open(s, in, s.engine.read(), place->test);
    auto cell = data ? (*data)->cell(place->cell)
                     : result<cell_data>(std::unexpected(std::move(data.error())));
    if (!cell && cell.error().code == errc::not_found)
        return absent;
    if (!cell)
        return std::unexpected(std::move(cell.error()));
    return found_cell{std::move(*data), std::move(*cell)};
}

/// POST /test/text/download   200 · 206 · 304 · 404 · 410 erased · 416
result<http::response> download_text(services const& s, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<text_body>(in.body));
    auto const absent = fail(errc::not_found, "there is no such text", "text_not_found");
    ASSAY_TRY(auto const found,
              find_cell(s, in, grid_id::read(asked.text_id, grid_kind::message), absent));
    auto const messages = messages_of(*found.data, found.cell);
    auto const message = std::ranges::find(messages, asked.text_id, &message_place::id);
    if (message == messages.end())
        return absent;
    ASSAY_TRY(auto text, s.engine.text(in.who.workspace, *message->text));
    return send_attachment(
        in.request, attachment_of(fmt::format("{}-{}.txt", message->role, message->id.text()),
                                  "text/plain; charset=utf-8", quoted(message->text->address),
                                  std::move(text)));
}

/// POST /test/call/download   200 · 206 · 304 · 404 · 416
result<http::response> download_call(services const& s, incoming const& in)
{
    ASSAY_TRY(auto const asked, read_body<call_body>(in.body));
    auto const absent = fail(errc::not_found, "there is no such call", "call_not_found");
    auto const place = grid_id::read(asked.call_id, grid_kind::call);
    ASSAY_TRY(auto const found, find_cell(s, in, place, absent));
    for (auto const& run : found.cell.runs)
        for (auto const& call : run.calls) {
            if (call.call.call != place->ordinal)
                continue;
            std::string body;
            json_writer w(body);
            ASSAY_CHECK(write_whole_call(w, s, *found.data, found.cell, run, call));
            auto const tag = quoted(sha256(body));
            return send_attachment(in.request,
                                   attachment_of(fmt::format("call-{}.json", asked.call_id.text()),
                                                 "application/json", tag, std::move(body)));
        }
    return absent;
}

} // namespace

void add_downloads(http::router& to, services const& s)
{
    using serve = result<http::response> (*)(services const&, incoming const&);
    auto const add = [&](operation op, serve with) {
        add_response_query(to, s, std::move(op),
                           [s, with](incoming const& in) { return with(s, in); });
    };
    add({.name = "test.file_download",
         .path = "/test/file/download",
         .permission = {"test", "file_download"},
         .also = {{"test.file_download.alias", "/test/file_download"}},
         .summary = "The bytes of a file.",
         .params = params_of<file_body>()},
        download_file);
    add({.name = "test.text_download",
         .path = "/test/text/download",
         .permission = {"test", "text_download"},
         .also = {{"test.text_download.alias", "/test/text_download"}},
         .summary = "The text of a message.",
         .params = params_of<text_body>()},
        download_text);
    add({.name = "test.call_download",
         .path = "/test/call/download",
         .permission = {"test", "call_download"},
         .also = {{"test.call_download.alias", "/test/call_download"}},
         .summary = "A model call with all that was said.",
         .params = params_of<call_body>()},
        download_call);
    to.add({.method = http::method::get,
            .pattern = "/api/test/download/{file_id}",
            .name = "test.file_download.get",
            .permission = http::permission{"test", "file_download"},
            .documented_errors = true,
            .serve =
                http::on_pool(s.pool, [s](http::request const& req) { return get_file(s, req); })});
}

} // namespace assay::api
