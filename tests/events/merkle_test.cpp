#include "events/merkle.hpp"
#include "tests/core/random.hpp"

#include <catch2/catch.hpp>

#include <map>

using namespace assay;
using namespace assay::events;

namespace {

/// RFC 6962 §2.1 as it stands there: the definition, not the frontier.
digest naive_root(std::span<digest const> leaves)
{
    if (leaves.empty())
        return sha256({});
    if (leaves.size() == 1)
        return leaves[0];
    std::size_t k = 1;
    while (k * 2 < leaves.size())
        k *= 2;
    return merkle::node_hash(naive_root(leaves.first(k)), naive_root(leaves.subspan(k)));
}

std::vector<digest> some_leaves(std::size_t n)
{
    std::vector<digest> out;
    for (std::size_t i = 0; i < n; ++i)
        out.push_back(merkle::leaf_hash(std::to_string(i)));
    return out;
}

/// A tree with the nodes that it handed out.
struct kept_tree {
    merkle::frontier frontier;
    std::map<std::pair<int, std::uint64_t>, digest> nodes;

    void append(digest const& leaf)
    {
        frontier.append(leaf, [this](std::uint8_t level, std::uint64_t index, digest const& hash) {
            REQUIRE(nodes.emplace(std::pair{int{level}, index}, hash).second);
        });
    }

    result<digest> root_at(std::uint64_t size) const
    {
        return merkle::root_at(size,
                               [this](std::uint8_t level, std::uint64_t index) -> result<digest> {
                                   auto const found = nodes.find({level, index});
                                   if (found == nodes.end())
                                       return fail(errc::corrupt, "no node");
                                   return found->second;
                               });
    }
};

} // namespace

TEST_CASE("merkle: the known roots over the known leaves", "[events][merkle]")
{
    std::vector<std::string> const entries{"",
                                           "00",
                                           "10",
                                           "2021",
                                           "3031",
                                           "40414243",
                                           "5051525354555657",
                                           "606162636465666768696a6b6c6d6e6f"};
    std::map<std::size_t, std::string> const roots{
        {0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
        {2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
        {3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
        {5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
        {8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
    };
    std::vector<digest> leaves;
    merkle::frontier tree;
    for (std::size_t n = 0;; ++n) {
        if (auto const known = roots.find(n); known != roots.end()) {
            INFO(n << " leaves");
            CHECK(tree.root().hex() == known->second);
            CHECK(merkle::root_of(leaves).hex() == known->second);
        }
        if (n == entries.size())
            break;
        leaves.push_back(merkle::leaf_hash(from_hex(entries[n]).value()));
        tree.append(leaves.back());
    }
}

TEST_CASE("merkle: the frontier agrees with the definition at every size", "[events][merkle]")
{
    auto const leaves = some_leaves(600);
    kept_tree tree;
    for (std::size_t n = 0;; ++n) {
        auto const expected = naive_root(std::span(leaves).first(n));
        REQUIRE(tree.frontier.size() == n);
        REQUIRE(tree.frontier.root() == expected);
        REQUIRE(merkle::root_of(std::span(leaves).first(n)) == expected);
        if (n == leaves.size())
            break;
        tree.append(leaves[n]);
    }
    for (std::size_t n = 0; n <= leaves.size(); ++n) {
        auto const root = tree.root_at(n);
        REQUIRE(root);
        REQUIRE(*root == naive_root(std::span(leaves).first(n)));
    }
    CHECK_FALSE(tree.root_at(601));
}

TEST_CASE("merkle: stored are the levels 0, 8 and 16, each node once", "[events][merkle]")
{
    auto const leaves = some_leaves(66'000);
    kept_tree tree;
    std::map<std::uint64_t, digest> roots;
    for (std::size_t n = 0; n < leaves.size(); ++n) {
        tree.append(leaves[n]);
        if (n % 4093 == 0 || n + 3 > 65'536)
            roots.emplace(n + 1, tree.frontier.root());
    }
    std::map<int, std::uint64_t> per_level;
    for (auto const& [at, hash] : tree.nodes)
        ++per_level[at.first];
    CHECK(per_level == std::map<int, std::uint64_t>{{0, 66'000}, {8, 257}, {16, 1}});
    for (auto const& [size, root] : roots) {
        INFO(size << " leaves");
        REQUIRE(tree.root_at(size).value() == root);
    }
    CHECK(tree.nodes.at({8, 3}) == naive_root(std::span(leaves).subspan(3 * 256, 256)));
}

TEST_CASE("merkle: a frontier goes on from its bytes", "[events][merkle]")
{
    auto const leaves = some_leaves(130);
    merkle::frontier tree;
    for (auto const& leaf : leaves) {
        auto const back = merkle::frontier::from_bytes(tree.bytes());
        REQUIRE(back);
        REQUIRE(back->bytes() == tree.bytes());
        tree = *back;
        tree.append(leaf);
    }
    CHECK(tree.root() == naive_root(leaves));
}

TEST_CASE("merkle: bytes that are no frontier are corrupt", "[events][merkle]")
{
    merkle::frontier tree;
    for (auto const& leaf : some_leaves(11))
        tree.append(leaf);
    auto const bytes = tree.bytes();
    for (std::size_t n = 0; n < bytes.size(); ++n)
        REQUIRE_FALSE(merkle::frontier::from_bytes(std::string_view(bytes).substr(0, n)));
    CHECK_FALSE(merkle::frontier::from_bytes(bytes + "x"));
    auto other_size = bytes;
    other_size[0] = 12; // two subtrees, the bytes hold three
    CHECK_FALSE(merkle::frontier::from_bytes(other_size));
}
