#include "http/export/chunk_sink.hpp"

#include <algorithm>

namespace assay::exporting {

result<void> chunk_sink::write(std::string_view bytes)
{
    hash_.add(bytes);
    out_.file.bytes += bytes.size();
    while (!bytes.empty()) {
        auto const n = std::min<std::size_t>(bytes.size(), chunk_bytes - chunk_.size());
        chunk_.append(bytes.substr(0, n));
        bytes.remove_prefix(n);
        if (chunk_.size() == chunk_bytes)
            ASSAY_CHECK(store_chunk());
    }
    return {};
}

result<void> chunk_sink::store_chunk()
{
    if (engine_.pipeline().disk().low())
        return fail(errc::unavailable, "the disk's reserve is reached; nothing can be written now",
                    "disk_reserve");
    if (out_.file.chunks.size() == chunks_max)
        return fail(errc::too_large, "an export has at most 1.5 GB; export a part of it (mode)",
                    "export_too_large");
    ASSAY_TRY(auto sealed, engine_.seal(workspace_, chunk_, out_.blobs));
    out_.file.chunks.push_back(std::move(sealed));
    chunk_.clear();
    return engine_.blobs().write_large(out_.blobs);
}

result<chunk_sink::stored> chunk_sink::finish()
{
    if (!chunk_.empty())
        ASSAY_CHECK(store_chunk());
    ASSAY_TRY(auto const keys, engine_.keys().keys_of(workspace_));
    out_.file.chunk_bytes = chunk_bytes;
    out_.file.tag = events::keyed_hash(*keys, "file", hash_.finish().raw());
    return std::move(out_);
}

} // namespace assay::exporting
