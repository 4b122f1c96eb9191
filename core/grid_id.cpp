#include "core/grid_id.hpp"

namespace assay {

uuid grid_id::test_id(uuid const& seed)
{
    return make(seed, grid_kind::test);
}

uuid grid_id::make(uuid const& test, grid_kind kind, std::uint32_t cell, std::uint16_t ordinal)
{
    auto id = test;
    id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0F) | 0x80);
    id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3F) | 0x80);
    id.bytes[9] = static_cast<std::uint8_t>(kind);
    for (std::size_t i = 0; i < 4; ++i)
        id.bytes[10 + i] = static_cast<std::uint8_t>(cell >> (24 - 8 * i));
    id.bytes[14] = static_cast<std::uint8_t>(ordinal >> 8);
    id.bytes[15] = static_cast<std::uint8_t>(ordinal);
    return id;
}

std::optional<grid_id> grid_id::read(uuid const& id)
{
    auto const kind = id.bytes[9];
    if (id.bytes[6] >> 4 != 8 || id.bytes[8] >> 6 != 2 ||
        kind < static_cast<std::uint8_t>(grid_kind::test) ||
        kind > static_cast<std::uint8_t>(grid_kind::completion))
        return std::nullopt;

    grid_id out;
    out.test = test_id(id);
    out.kind = static_cast<grid_kind>(kind);
    for (std::size_t i = 0; i < 4; ++i)
        out.cell = out.cell << 8 | id.bytes[10 + i];
    out.ordinal = static_cast<std::uint16_t>(id.bytes[14] << 8 | id.bytes[15]);
    bool const whole_test = out.kind == grid_kind::test || out.kind == grid_kind::group ||
                            out.kind == grid_kind::benchmark;
    if (whole_test && (out.cell != 0 || out.ordinal != 0))
        return std::nullopt;
    return out;
}

std::optional<grid_id> grid_id::read(uuid const& id, grid_kind kind)
{
    auto out = read(id);
    if (out && out->kind != kind)
        return std::nullopt;
    return out;
}

} // namespace assay
