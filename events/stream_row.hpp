#pragma once

#include "core/domain/state.hpp"
#include "core/pack.hpp"
#include "core/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// Rows of the family `streams`: where each stream stands, and what its events fold to.
namespace assay::events {

/// A stream's row without the state behind it.
struct stream_head {
    std::uint64_t version = 0; ///< number of its events
    std::uint64_t head = 0;    ///< position of the newest commit that wrote to it
};
BOOST_DESCRIBE_STRUCT(stream_head, (), (version, head))

/// One byte of kind (from 1), then the id.
[[nodiscard]] inline std::string stream_key(stream_id const& s)
{
    std::string key(1, static_cast<char>(static_cast<int>(s.kind) + 1));
    return key.append(s.id.raw());
}

/// The row that holds a partition's newest position as eight bytes, big-endian.
[[nodiscard]] inline std::string partition_key(uuid const& partition)
{
    std::string key(1, '\0');
    return key.append(partition.raw());
}

/// Reads the head; `bytes` then begins with the packed state.
[[nodiscard]] inline result<stream_head> take_stream_head(std::string_view& bytes)
{
    stream_head h;
    if (!pack::detail::read_into(bytes, h))
        return fail(errc::corrupt, "a stream's row is cut short");
    return h;
}

[[nodiscard]] inline result<stream_head> read_stream_row(std::string_view bytes)
{
    return take_stream_head(bytes);
}

} // namespace assay::events
