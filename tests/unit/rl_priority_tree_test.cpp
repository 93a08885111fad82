#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "base/error.hpp"
#include "rl/priority_tree.hpp"

namespace tenfold::rl {
namespace {

base::Stream stream(std::uint64_t step) {
  return {4, base::Purpose::kTest, 0, step};
}

TEST(PriorityTree, DrawsInProportion) {
  constexpr std::size_t kSlots = 11;  // not a power of two
  constexpr int kDraws = 200'000;
  PriorityTree tree(kSlots);
  double total = 0;
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    tree.set(slot, static_cast<double>(slot + 1));
    total += static_cast<double>(slot + 1);
  }
  EXPECT_EQ(tree.total(), total);
  std::vector<double> count(kSlots);
  base::Stream draws = stream(0);
  for (int i = 0; i < kDraws; ++i) count.at(tree.draw(draws)) += 1;
  double chi_square = 0;
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    const double expected = kDraws * static_cast<double>(slot + 1) / total;
    chi_square += (count[slot] - expected) * (count[slot] - expected) / expected;
  }
  EXPECT_LT(chi_square, 29.59);  // 10 degrees of freedom, 99.9th percentile
  EXPECT_GT(chi_square, 1.48);   // 0.1th
}

TEST(PriorityTree, NeverDrawsASlotWithoutPriority) {
  PriorityTree tree(7);
  tree.set(2, 1e-300);
  tree.set(5, 1e300);
  tree.set(3, 0.25);
  base::Stream draws = stream(1);
  for (int i = 0; i < 1000; ++i) {
    const std::size_t slot = tree.draw(draws);
    EXPECT_TRUE(slot == 2 || slot == 3 || slot == 5) << slot;
  }
}

TEST(PriorityTree, OfOneSlot) {
  PriorityTree tree(1);
  tree.set(0, 3);
  base::Stream draws = stream(2);
  EXPECT_EQ(tree.draw(draws), 0U);
}

// Running sums would drift: after a million changes they would not be those of the leaves.
TEST(PriorityTree, RebuiltFromItsLeavesItIsTheSameToTheBit) {
  constexpr std::size_t kSlots = 100;
  PriorityTree grown(kSlots);
  base::Stream values = stream(3);
  for (int i = 0; i < 20'000; ++i) {
    grown.set(values.below(kSlots), std::pow(10.0, values.uniform(-8, 8)));
  }
  PriorityTree built(kSlots);
  std::copy_n(grown.priorities(), kSlots, built.priorities());
  built.rebuild();
  EXPECT_EQ(built.total(), grown.total());
  base::Stream one = stream(4), other = stream(4);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(grown.draw(one), built.draw(other));
}

TEST(PriorityTree, WhatCannotBeIsRefused) {
  PriorityTree tree(4);
  base::Stream draws = stream(5);
  EXPECT_THROW(tree.draw(draws), base::Error);
  EXPECT_THROW(tree.set(4, 1), base::Error);
  EXPECT_THROW(tree.set(0, 0), base::Error);
  EXPECT_THROW(tree.set(0, -1), base::Error);
  EXPECT_THROW(tree.set(0, std::numeric_limits<double>::infinity()), base::Error);
  EXPECT_THROW(tree.set(0, std::numeric_limits<double>::quiet_NaN()), base::Error);
}

}  // namespace
}  // namespace tenfold::rl
