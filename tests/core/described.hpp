#pragma once

#include "core/codec.hpp"
#include "tests/core/random.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// A struct with a member of every sort that codec and pack write.
namespace assay::test {

BOOST_DEFINE_ENUM_CLASS(fruit, apple, quince)

struct inner {
    std::string text;
    std::uint8_t small = 0;
    friend bool operator==(inner const&, inner const&) = default;
};
BOOST_DESCRIBE_STRUCT(inner, (), (text, small))

struct outer {
    std::uint64_t wide = 0;
    std::int64_t balance = 0;
    bool flag = false;
    fruit kind{};
    uuid id;
    digest hash;
    instant at;
    std::string B; ///< sorts before `a`: upper case comes first
    std::optional<std::uint16_t> a;
    std::optional<inner> one;
    std::vector<inner> many;
    std::vector<std::optional<std::int32_t>> holes;
    friend bool operator==(outer const&, outer const&) = default;
};
BOOST_DESCRIBE_STRUCT(outer, (), (wide, balance, flag, kind, id, hash, at, B, a, one, many, holes))

inline outer random_outer(dice& dice)
{
    auto const some_inner = [&] {
        return inner{dice.text(dice.below(9)), static_cast<std::uint8_t>(dice.bits())};
    };
    outer o;
    o.wide = dice.magnitude();
    o.balance = static_cast<std::int64_t>(dice.magnitude());
    if (dice.chance(50))
        o.balance = ~o.balance;
    o.flag = dice.chance(50);
    o.kind = dice.chance(50) ? fruit::apple : fruit::quince;
    o.id = uuid::from_raw(dice.bytes(16));
    o.hash = digest::from_raw(dice.bytes(32));
    o.at.us = static_cast<std::int64_t>(dice.below(253402300800'000000));
    o.B = dice.text(dice.below(40));
    if (dice.chance(50))
        o.a = static_cast<std::uint16_t>(dice.magnitude());
    if (dice.chance(50))
        o.one = some_inner();
    for (auto n = dice.below(4); n > 0; --n)
        o.many.push_back(some_inner());
    for (auto n = dice.below(4); n > 0; --n)
        o.holes.push_back(dice.chance(50) ? std::optional(static_cast<std::int32_t>(dice.bits()))
                                          : std::nullopt);
    return o;
}

} // namespace assay::test
