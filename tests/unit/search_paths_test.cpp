// Several paths of one tree at a time, early stopping, choices at a temperature, options.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "search/commit.hpp"
#include "support/stub_expander.hpp"

namespace tenfold::search {
namespace {

SearchOptions many_paths(Virtual mode, std::uint32_t paths) {
  SearchOptions options;
  options.iterations = 24;
  options.virtual_mode = mode;
  options.paths_in_flight = paths;
  return options;
}

TEST(SearchPaths, OneVirtualPathIsTheSerialSearch) {
  for (std::uint64_t id = 0; id < 30; ++id) {
    StubExpander expander({});
    const SearchOptions plain = many_paths(Virtual::kNone, 1);
    const TreeSearch expected = searched(plain, expander, id);
    for (const Virtual mode : {Virtual::kLoss, Virtual::kWatch}) {
      const SearchOptions options = many_paths(mode, 1);
      const TreeSearch search = searched(options, expander, id);
      EXPECT_TRUE(search.tree() == expected.tree());
    }
  }
}

TEST(SearchPaths, EverythingVirtualIsUndone) {  // G6
  std::uint64_t different = 0;
  for (const Virtual mode : {Virtual::kLoss, Virtual::kWatch}) {
    for (const std::uint32_t paths : {2U, 5U, 100U}) {
      for (std::uint64_t id = 0; id < 30; ++id) {
        StubExpander expander({}, 3, 7);
        SearchOptions options = many_paths(mode, paths);
        options.commits = 1;
        const TreeSearch search = searched(options, expander, id);
        const Tree& tree = search.tree();
        for (const std::uint32_t count : search.under_way()) ASSERT_EQ(count, 0U);
        // As many visits as of a serial search, and every node's are its children's.
        ASSERT_EQ(tree.visits(0), 24U);
        for (NodeId node = 0; node < tree.size(); ++node) {
          if (tree.child_count(node) == 0) continue;
          std::uint32_t sum = 0;
          for (NodeId k = 0; k < tree.child_count(node); ++k) {
            sum += tree.visits(tree.first_child(node) + k);
          }
          ASSERT_EQ(sum, tree.visits(node));
        }
        SearchOptions plain = many_paths(Virtual::kNone, 1);
        plain.commits = 1;
        different += searched(plain, expander, id).tree() == tree ? 0 : 1;
      }
    }
  }
  EXPECT_GT(different, 60U);  // there was something to undo
}

// By hand: three paths wait for the root's children, p = .5 .3 .2, all Q 0. Two others are under
// way, so sqrt(N + O) = sqrt(2).
std::vector<NodeId> three_paths(Virtual mode) {
  SearchOptions options = many_paths(mode, 3);
  TreeSearch search(options, 0, Tree());
  std::vector<NodeId> wanted;
  search.advance(wanted);
  EXPECT_THAT(wanted, testing::ElementsAre(0));
  EXPECT_THAT(std::vector(search.under_way().begin(), search.under_way().end()),
              testing::ElementsAre(3));
  Expansion root;
  root.node = 0;
  for (const double prior : {.5, .3, .2}) {
    NodeFacts facts;
    facts.prior = prior;
    root.add(facts, {});
  }
  search.give(root);
  wanted.clear();
  search.advance(wanted);
  const auto counts = search.under_way();
  return {counts.begin(), counts.end()};
}

TEST(SearchPaths, VirtualVisitsByHand) {
  // WU: .71 .42 .28 -> 0; .35 .42 .28 -> 1; .35 .21 .28 -> 0.
  EXPECT_THAT(three_paths(Virtual::kWatch), testing::ElementsAre(3, 2, 1, 0));
  // Virtual loss: 0; then 0 has Q -.5: -.15 .42 .28 -> 1; then 1 has -.29: 2.
  EXPECT_THAT(three_paths(Virtual::kLoss), testing::ElementsAre(3, 1, 1, 1));
}

TEST(SearchEarlyStop, TheFirstStepIsTheSameAndCheaper) {
  std::uint64_t settled = 0, all = 0, done = 0;
  for (std::uint64_t id = 0; id < 300; ++id) {
    StubWorld world;
    world.levels = id % 2 == 0 ? 4 : 1024;
    SearchOptions options;
    options.iterations = 30;
    options.commits = 1;
    StubExpander expander(world);
    const TreeSearch whole = searched(options, expander, id);
    options.early_stop = true;
    const TreeSearch early = searched(options, expander, id);
    ASSERT_EQ(early.root(), whole.root());
    settled += early.counts().roots_settled;
    all += whole.counts().iterations;
    done += early.counts().iterations;
  }
  EXPECT_GT(settled, 30U);
  EXPECT_LT(done, all);
}

TEST(SearchEarlyStop, BoundsByHand) {
  Tree tree;
  Expansion root;
  for (int k = 0; k < 2; ++k) root.add({}, {});
  tree.expand(0, root, EdgeReward::kDifference);
  const SearchOptions options;
  EXPECT_FALSE(choice_is_settled(tree, 0, options, 0));  // never visited
  tree.set_statistics(0, 10, 0, 0);
  tree.set_statistics(1, 8, 0, 0);
  tree.set_statistics(2, 2, 0, 0);
  EXPECT_TRUE(choice_is_settled(tree, 0, options, 0));
  // 1 visit more: 3 (1 + 1) = 6 < 8; 2 more: 4 (1 + 2) = 12.
  EXPECT_TRUE(choice_is_settled(tree, 0, options, 1));
  EXPECT_FALSE(choice_is_settled(tree, 0, options, 2));
  EXPECT_EQ(choose_child(tree, 0, options, 0), 1U);
}

TEST(SearchChoice, SpreadThenQThenV) {
  Tree tree;
  Expansion root, two;
  for (int k = 0; k < 3; ++k) root.add({}, {});
  for (int k = 0; k < 2; ++k) two.add({}, {});
  tree.expand(0, root, EdgeReward::kDifference);
  tree.expand(2, two, EdgeReward::kDifference);
  tree.set_statistics(0, 11, 0, 0);
  tree.set_statistics(1, 6, .9, 0);
  tree.set_statistics(2, 4, .1, 0);
  tree.set_statistics(3, 1, 0, 0);
  tree.set_statistics(4, 3, 0, 0);
  tree.set_statistics(5, 1, 0, 0);
  const SearchOptions options;
  EXPECT_EQ(choose_child(tree, 0, options, 0), 2U);  // 4 (1 + 2) = 12 > 6
  tree.set_statistics(5, 3, 0, 0);
  EXPECT_EQ(choose_child(tree, 0, options, 0), 1U);
  tree.set_statistics(3, 6, .9, .1);
  EXPECT_EQ(choose_child(tree, 0, options, 0), 3U);
  tree.set_statistics(3, 6, .9, 0);
  EXPECT_EQ(choose_child(tree, 0, options, 0), 1U);
}

TEST(SearchChoice, FrequenciesAtATemperature) {
  Tree tree;
  Expansion root, three;
  for (int k = 0; k < 4; ++k) root.add({}, {});
  for (int k = 0; k < 3; ++k) three.add({}, {});
  tree.expand(0, root, EdgeReward::kDifference);
  tree.expand(2, three, EdgeReward::kDifference);
  const std::vector<double> q = {.5, -.5, 1, 5};
  for (NodeId k = 0; k < 4; ++k) tree.set_statistics(1 + k, k < 3 ? 2 : 0, q[k], 0);
  tree.set_statistics(0, 6, 0, 0);
  for (const double tau : {1.0, .5, 2.0}) {
    SearchOptions options;
    options.temperature = tau;
    // (exp(Q) (1 + children))^(1 / tau); the last was never visited.
    std::vector<double> expected = {std::pow(std::exp(.5), 1 / tau),
                                    std::pow(std::exp(-.5) * 4, 1 / tau),
                                    std::pow(std::exp(1.0), 1 / tau), 0};
    const double total = std::accumulate(expected.begin(), expected.end(), 0.0);
    std::vector<double> seen(4, 0);
    constexpr int kDraws = 20000;
    for (std::uint64_t id = 0; id < kDraws; ++id) {
      const NodeId chosen = choose_child(tree, 0, options, id << 20);
      ASSERT_EQ(chosen, choose_child(tree, 0, options, id << 20));
      ++seen[chosen - 1];
    }
    EXPECT_EQ(seen[3], 0);
    double chi_squared = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const double mean = kDraws * expected[k] / total;
      chi_squared += (seen[k] - mean) * (seen[k] - mean) / mean;
    }
    EXPECT_LT(chi_squared, 13.8);  // p = 0.001 with 2 degrees of freedom
  }
  // Far too cold for powers, and colder still: the best by exp(Q) (1 + children).
  for (const double tau : {1e-3, 1e-300}) {
    SearchOptions options;
    options.temperature = tau;
    EXPECT_EQ(choose_child(tree, 0, options, 1), 3U);
  }
}

TEST(SearchOptions, WhatCannotBeIsRefused) {
  const std::vector<std::pair<const char*, std::function<void(SearchOptions&)>>> cases = {
      {"0 iterations", [](SearchOptions& o) { o.iterations = 0; }},
      {"multiplied by 0", [](SearchOptions& o) { o.first_root_multiplier = 0; }},
      {"2^30", [](SearchOptions& o) { o.iterations = 1U << 31; }},
      {"depth limit is 0", [](SearchOptions& o) { o.depth_limit = 0; }},
      {"largest depth is 0", [](SearchOptions& o) { o.max_depth = 0; }},
      {"65536", [](SearchOptions& o) { o.depth_limit = 1000000; }},
      {"c_puct", [](SearchOptions& o) { o.c_puct = -1; }},
      {"c_puct", [](SearchOptions& o) { o.c_puct = std::nan(""); }},
      {"gamma", [](SearchOptions& o) { o.gamma = 1.5; }},
      {"temperature", [](SearchOptions& o) { o.temperature = -.1; }},
      {"decay", [](SearchOptions& o) { o.temperature_decay = std::nan(""); }},
      {"early stopping",
       [](SearchOptions& o) {
         o.early_stop = true;
         o.temperature = 1;
       }},
      {"0 paths", [](SearchOptions& o) { o.paths_in_flight = 0; }},
      {"without virtual visits", [](SearchOptions& o) { o.paths_in_flight = 2; }},
      {"virtual loss", [](SearchOptions& o) { o.virtual_loss = INFINITY; }},
      {"0 visits", [](SearchOptions& o) { o.virtual_visits = 0; }},
  };
  EXPECT_NO_THROW(SearchOptions().validate());
  for (const auto& [text, change] : cases) {
    SearchOptions options;
    change(options);
    try {
      options.validate();
      ADD_FAILURE() << text << " was accepted";
    } catch (const base::Error& error) {
      EXPECT_EQ(error.code(), base::Code::kUsage);
      EXPECT_THAT(error.what(), testing::HasSubstr(text));
    }
  }
}

}  // namespace
}  // namespace tenfold::search
