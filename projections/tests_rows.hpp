#pragma once

#include "projections/key.hpp"
#include "projections/tests.hpp"

/// Keys and small rows of the view `tests`, shared by its two halves: what writes and what reads.
namespace assay::projections::tests_rows {

/// What lists and searches look at before they read the test itself.
struct listed_test {
    uuid test;
    instant started_at;
    uuid eval;
    std::string name;
};
BOOST_DESCRIBE_STRUCT(listed_test, (), (test, started_at, eval, name))

struct eval_name {
    std::string name;
};
BOOST_DESCRIBE_STRUCT(eval_name, (), (name))

struct test_count {
    std::uint32_t tests = 0;
};
BOOST_DESCRIBE_STRUCT(test_count, (), (tests))

struct config_entry {
    uuid test;
};
BOOST_DESCRIBE_STRUCT(config_entry, (), (test))

inline key test_key(uuid const& test)
{
    return key('t').id(test);
}

inline key count_key(uuid const& workspace)
{
    return key('w').id(workspace);
}

inline key number_key(uuid const& workspace, std::uint32_t number)
{
    return key('n').id(workspace).u32(number);
}

inline key eval_name_key(uuid const& workspace, uuid const& eval)
{
    return key('e').id(workspace).id(eval);
}

/// The newest test of a configuration sorts first.
inline key config_key(uuid const& workspace, digest const& hash, std::uint32_t number)
{
    return key('x').id(workspace).hash(hash).u32(~number);
}

inline key facet_prefix(uuid const& workspace, facet f)
{
    return key('f').id(workspace).u8(static_cast<std::uint8_t>(f));
}

/// Bitmaps are cut every 65,536 numbers, one roaring container each, so that a start rewrites 8 KiB
/// at most.
inline key facet_key(uuid const& workspace, facet f, uuid const& value, std::uint32_t number)
{
    return facet_prefix(workspace, f).id(value).u16(static_cast<std::uint16_t>(number >> 16));
}

} // namespace assay::projections::tests_rows
