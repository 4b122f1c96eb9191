#pragma once

#include "projections/benchmark.hpp"
#include "projections/key.hpp"

/// Keys and inner rows of the view `benchmark`.
namespace assay::projections::benchmark_rows {

/// What every event of a cell needs to know of its test.
struct dimensions {
    uuid workspace;
    uuid eval;
    grid_size size;
};
BOOST_DESCRIBE_STRUCT(dimensions, (), (workspace, eval, size))

/// Place of a cell made by hand.
struct added_place {
    std::uint16_t model = 0;
    std::uint16_t agent = 0;
    std::uint32_t scenario = 0;
};
BOOST_DESCRIBE_STRUCT(added_place, (), (model, agent, scenario))

struct bucket_count {
    std::uint64_t calls = 0;
};
BOOST_DESCRIBE_STRUCT(bucket_count, (), (calls))

constexpr std::uint32_t chunk_scenarios = 1024;

/// 1024 neighbouring scenarios: a bit each.
struct grade_bits {
    std::string graded = std::string(chunk_scenarios / 8, '\0');
    std::string passed = std::string(chunk_scenarios / 8, '\0');
};
BOOST_DESCRIBE_STRUCT(grade_bits, (), (graded, passed))

/// Where a cell's aggregates are kept.
struct spot {
    uuid test;
    std::uint16_t model = 0;
    std::uint16_t agent = 0;
    std::uint32_t scenario = 0;
    std::uint32_t repeat = 0; ///< of a cell made by hand its number
};

inline key dimensions_key(uuid const& test)
{
    return key('d').id(test);
}

inline key added_key(uuid const& test, std::uint32_t cell)
{
    return key('a').id(test).u32(cell);
}

inline key group_key(char table, uuid const& test, std::uint32_t model, std::uint32_t agent)
{
    return key(table)
        .id(test)
        .u16(static_cast<std::uint16_t>(model))
        .u16(static_cast<std::uint16_t>(agent));
}

constexpr std::size_t group_key_bytes = 1 + 16 + 2 + 2;

inline key score_key(spot const& s)
{
    return group_key('c', s.test, s.model, s.agent).u32(s.scenario).u32(s.repeat);
}

inline key standard_key(spot const& s, uuid const& group)
{
    return group_key('s', s.test, s.model, s.agent).id(group);
}

inline key bucket_key(spot const& s, std::uint16_t bucket)
{
    return group_key('h', s.test, s.model, s.agent).u16(bucket);
}

inline key bits_key(uuid const& test, std::uint32_t model, std::uint32_t agent,
                    std::uint32_t repeat, std::uint32_t scenario)
{
    return group_key('p', test, model, agent).u32(repeat).u32(scenario / chunk_scenarios);
}

inline key eval_key(uuid const& workspace, uuid const& eval, uuid const& test)
{
    return key('e').id(workspace).id(eval).id(test);
}

} // namespace assay::projections::benchmark_rows
