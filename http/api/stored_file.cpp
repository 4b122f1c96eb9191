#include "http/api/stored_file.hpp"

#include <fmt/format.h>

namespace assay::api {

attachment stored_attachment(services const& s, uuid const& workspace, event::file_stored file)
{
    auto const held = std::make_shared<event::file_stored const>(std::move(file));
    return {held->name, held->media_type, fmt::format("\"{}\"", held->tag.hex()), held->bytes,
            [&e = s.engine, workspace, held](std::uint64_t first) -> result<std::string> {
                auto const number = first / held->chunk_bytes;
                if (number >= held->chunks.size())
                    return fail(errc::corrupt, "a file has fewer chunks than bytes");
                ASSAY_TRY(auto chunk, e.text(workspace, held->chunks[number]));
                auto const skipped = first - number * held->chunk_bytes;
                if (skipped >= chunk.size())
                    return fail(errc::corrupt, "a chunk of a file is cut short");
                chunk.erase(0, skipped);
                return chunk;
            }};
}

} // namespace assay::api
