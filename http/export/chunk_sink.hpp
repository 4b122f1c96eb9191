#pragma once

#include "core/domain/event.hpp"
#include "core/result.hpp"
#include "core/sha256_stream.hpp"
#include "http/engine/engine.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace assay::exporting {

/// Takes a file's bytes as they are made and stores them, sealed, in chunks: no more than one chunk
/// is ever in memory. What an export that broke off has left is swept at the next start, since no
/// commit refers to it.
///
/// Not thread-safe.
class chunk_sink {
public:
    static constexpr std::uint32_t chunk_bytes = 1 << 20;
    /// As many as one commit may name.
    static constexpr std::size_t chunks_max = 1500;

    chunk_sink(engine::engine const& e, uuid const& workspace) : engine_(e), workspace_(workspace)
    {
    }

    /// @returns errc::too_large beyond `chunks_max`, errc::unavailable while the disk's reserve is
    ///          reached; what was written then serves nobody.
    [[nodiscard]] result<void> write(std::string_view bytes);

    /// What a file of these bytes is: bytes, chunks, tag; and the last chunk if it goes with the
    /// commit.
    struct stored {
        event::file_stored file;
        events::blob_list blobs;
    };

    [[nodiscard]] result<stored> finish();

private:
    [[nodiscard]] result<void> store_chunk();

    engine::engine const& engine_;
    uuid const workspace_;
    std::string chunk_;
    sha256_stream hash_;
    stored out_;
};

} // namespace assay::exporting
