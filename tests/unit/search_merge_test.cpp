// Root-parallel search: trees of one state put together (G7).
#include <gtest/gtest.h>

#include "search/commit.hpp"
#include "search/root_merge.hpp"
#include "support/stub_expander.hpp"

namespace tenfold::search {
namespace {

// Trees of one question, searched with other draws: they share some nodes, by their items.
std::vector<Tree> some_trees(std::size_t count) {
  std::vector<Tree> trees;
  for (std::uint64_t id = 0; id < count; ++id) {
    StubWorld world;
    world.most_children = 6;
    SearchOptions options;
    options.iterations = 20;
    StubExpander expander(world);
    trees.push_back(searched(options, expander, id, Tree(std::vector<std::int32_t>{4, 2})).tree());
  }
  return trees;
}

RootMerge merged(const std::vector<Tree>& trees) {
  RootMerge merge;
  for (const Tree& tree : trees) merge.add(tree);
  return merge;
}

// By the items on the way to them; a naive sum in long double.
struct Sum {
  std::uint64_t visits = 0;
  long double q = 0, v = 0;
};

std::map<std::vector<std::vector<std::int32_t>>, Sum> sums(const std::vector<Tree>& trees) {
  std::map<std::vector<std::vector<std::int32_t>>, Sum> all;
  for (const Tree& tree : trees) {
    for (NodeId node = 0; node < tree.size(); ++node) {
      std::vector<std::vector<std::int32_t>> key;
      for (const NodeId each : tree.path(node)) {
        key.emplace_back(tree.items(each).begin(), tree.items(each).end());
      }
      Sum& sum = all[key];
      sum.visits += tree.visits(node);
      sum.q += static_cast<long double>(tree.visits(node)) * tree.q(node);
      sum.v += static_cast<long double>(tree.visits(node)) * tree.v(node);
    }
  }
  return all;
}

TEST(RootMerge, AddsVisitsAndWeighsQ) {
  const std::vector<Tree> trees = some_trees(6);
  const Tree tree = merged(trees).tree();
  const auto expected = sums(trees);
  EXPECT_EQ(tree.size(), expected.size());
  std::size_t nodes = 0;
  for (const Tree& each : trees) nodes += each.size();
  EXPECT_LT(expected.size(), nodes - 6);  // more than the roots were shared
  for (const auto& [key, sum] : sums({tree})) {
    const Sum& other = expected.at(key);
    EXPECT_EQ(sum.visits, other.visits);
    EXPECT_NEAR(static_cast<double>(sum.q), static_cast<double>(other.q), 1e-12);
    EXPECT_NEAR(static_cast<double>(sum.v), static_cast<double>(other.v), 1e-12);
  }
}

TEST(RootMerge, OrderAndGroupingChangeNoBit) {
  const std::vector<Tree> trees = some_trees(7);
  const Tree forwards = merged(trees).tree();
  const std::vector<Tree> reversed(trees.rbegin(), trees.rend());
  EXPECT_TRUE(forwards == merged(reversed).tree());
  const RootMerge left = merged({trees[0], trees[1], trees[2]});
  const RootMerge right = merged({trees[3], trees[4], trees[5], trees[6]});
  RootMerge one = left, other = right;
  one.add(right);
  other.add(left);
  EXPECT_EQ(one.trees(), 7U);
  EXPECT_TRUE(one.tree() == forwards);
  EXPECT_TRUE(other.tree() == forwards);
  RootMerge from_none;
  from_none.add(RootMerge());
  from_none.add(one);
  EXPECT_TRUE(from_none.tree() == forwards);
}

TEST(RootMerge, EqualTreesKeepTheirQ) {
  for (const Tree& tree : some_trees(5)) {
    const Tree single = merged({tree}).tree();
    const Tree triple = merged({tree, tree, tree}).tree();
    ASSERT_EQ(single.size(), triple.size());
    for (NodeId node = 0; node < single.size(); ++node) {
      EXPECT_EQ(triple.visits(node), 3 * single.visits(node));
      EXPECT_EQ(triple.q(node), single.q(node));
      EXPECT_EQ(triple.v(node), single.v(node));
      EXPECT_EQ(triple.reward(node), single.reward(node));
    }
    const SearchOptions options;
    EXPECT_EQ(choose_child(triple, 0, options, 0), choose_child(single, 0, options, 0));
  }
}

TEST(RootMerge, OfASubtree) {
  const Tree tree = some_trees(1)[0];
  NodeId inner = 1;
  while (tree.child_count(inner) == 0) ++inner;
  RootMerge merge;
  merge.add(tree, inner);
  const Tree part = merge.tree();
  EXPECT_EQ(part.visits(0), tree.visits(inner));
  EXPECT_EQ(part.q(0), tree.q(inner));
  EXPECT_EQ(part.state_items(0), tree.state_items(inner));
  EXPECT_LT(part.size(), tree.size());
  EXPECT_THROW(merge.add(tree, 0), base::Error);  // another state
}

TEST(RootMerge, WhatCannotBeSummedIsRefused) {
  Tree tree;
  tree.set_statistics(0, 4000000000U, 1, 0);
  RootMerge merge;
  merge.add(tree);
  EXPECT_THROW(merge.add(tree), base::Error);
  tree.set_statistics(0, 1, 1e12, 0);
  RootMerge other;
  EXPECT_THROW(other.add(tree), base::Error);
  EXPECT_THROW(RootMerge().tree(), base::Error);
}

TEST(RootMerge, BytesAndDamage) {
  const RootMerge merge = merged(some_trees(3));
  ByteWriter out;
  merge.put(out);
  ByteReader in(out.bytes());
  const RootMerge back = RootMerge::get(in);
  EXPECT_TRUE(in.ended());
  EXPECT_TRUE(back.tree() == merge.tree());
  EXPECT_EQ(back.trees(), 3U);
  base::Stream draws(1, base::Purpose::kTest, 0, 0);
  std::uint64_t refused = 0;
  for (int k = 0; k < 3000; ++k) {
    std::vector<std::byte> bytes = out.bytes();
    bytes[draws.below(bytes.size())] ^= static_cast<std::byte>(1U << draws.below(8));
    if (k % 3 == 0) bytes.resize(draws.below(bytes.size()));
    ByteReader damaged(bytes);
    try {
      const RootMerge other = RootMerge::get(damaged);
      EXPECT_LE(other.tree().size(), bytes.size());
    } catch (const base::Error& error) {
      ASSERT_EQ(error.code(), base::Code::kCheckpoint);
      ++refused;
    }
  }
  EXPECT_GT(refused, 1000U);
}

}  // namespace
}  // namespace tenfold::search
