// Many trees in flight: the same trees in any order and batch, stopped and taken up again.
#include "search/search_pool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "support/stub_expander.hpp"

namespace tenfold::search {
namespace {

struct Ended {
  Tree tree;
  std::vector<NodeId> committed;
  SearchCounts counts;
  bool operator==(const Ended&) const = default;
};
using Trees = std::map<std::uint64_t, Ended>;

Ended ended(TreeSearch search) {
  const auto committed = search.committed();
  return {search.tree(), {committed.begin(), committed.end()}, search.counts()};
}

std::vector<std::uint64_t> ids(std::size_t count) {
  std::vector<std::uint64_t> all(count);
  std::iota(all.begin(), all.end(), std::uint64_t{100});
  return all;
}

Trees serial(const SearchOptions& options, const StubWorld& world, std::size_t count) {
  Trees trees;
  for (const std::uint64_t id : ids(count)) {
    StubExpander expander(world);
    trees.emplace(id, ended(searched(options, expander, id)));
  }
  return trees;
}

SearchPool::Finished into(Trees& trees) {
  return [&trees](TreeSearch&& search) {
    const std::uint64_t id = search.id();
    EXPECT_TRUE(trees.emplace(id, ended(std::move(search))).second) << "tree twice";
  };
}

SearchOptions parallel_options(Virtual mode, std::uint32_t paths) {
  SearchOptions options;
  options.iterations = 12;
  options.virtual_mode = mode;
  options.paths_in_flight = paths;
  return options;
}

TEST(SearchPool, SameTreesWhateverIsInFlight) {  // G8
  constexpr std::size_t kTrees = 70;
  const StubWorld world;
  for (const auto& options :
       {parallel_options(Virtual::kNone, 1), parallel_options(Virtual::kLoss, 4),
        parallel_options(Virtual::kWatch, 4)}) {
    const Trees expected = serial(options, world, kTrees);
    for (const std::size_t in_flight : {1, 3, 64}) {
      for (const std::size_t batch : {1, 7}) {
        for (const std::uint32_t shuffle : {0U, 5U}) {
          Trees found;
          StubExpander expander(world, batch, shuffle);
          ListWork work(ids(kTrees));
          SearchPool pool(options, in_flight, expander, work, into(found));
          EXPECT_TRUE(pool.run());
          ASSERT_TRUE(found == expected);
          EXPECT_EQ(expander.pending(), 0U);
        }
      }
    }
  }
}

TEST(SearchPool, StoppedAnywhereAndTakenUpAgain) {
  constexpr std::size_t kTrees = 12;
  const StubWorld world;
  for (const auto& options :
       {parallel_options(Virtual::kNone, 1), parallel_options(Virtual::kWatch, 3)}) {
    const Trees expected = serial(options, world, kTrees);
    Trees found;
    std::vector<std::byte> state;
    std::size_t taken = 0;
    SearchCounts counts;
    int parts = 0;
    bool all = false;
    while (!all) {
      StubExpander expander(world, 2, static_cast<std::uint32_t>(1 + parts));
      ListWork work(ids(kTrees), taken);
      SearchPool pool(options, 5, expander, work, into(found));
      if (parts++ > 0) pool.restore(state);
      int turns = 0;
      all = pool.run([&] { return turns++ == 11; });
      state = pool.state();
      EXPECT_TRUE(pool.state() == state);
      taken = work.taken();
      const PoolStatistics facts = pool.statistics();
      EXPECT_EQ(facts.trees_done, found.size());
      EXPECT_EQ(facts.awaited, expander.pending());
      EXPECT_LE(facts.trees_in_flight, 5U);
      counts = facts.counts;
    }
    EXPECT_GT(parts, 3);
    EXPECT_TRUE(found == expected);
    SearchCounts whole;
    for (const auto& [id, tree] : expected) whole += tree.counts;
    EXPECT_TRUE(counts == whole);
  }
}

TEST(SearchPool, TreesMoveToOtherPools) {
  constexpr std::size_t kTrees = 9;
  const StubWorld world;
  const SearchOptions options = parallel_options(Virtual::kLoss, 2);
  Trees found;
  StubExpander expander(world, 3);
  ListWork work(ids(kTrees));
  SearchPool pool(options, kTrees, expander, work, into(found));
  int turns = 0;
  EXPECT_FALSE(pool.run([&] { return turns++ == 9; }));
  const auto moving = pool.trees();
  ASSERT_GT(moving.size(), 4U);
  ListWork none({});
  StubExpander first_expander(world), second_expander(world, 2, 9);
  SearchPool first(options, 1, first_expander, none, into(found));
  SearchPool second(options, 64, second_expander, none, into(found));
  for (std::size_t k = 0; k < moving.size(); ++k) (k % 3 == 0 ? second : first).adopt(moving[k]);
  EXPECT_THROW(first.adopt(moving[1]), base::Error);
  EXPECT_TRUE(first.run());
  EXPECT_TRUE(second.run());
  EXPECT_TRUE(found == serial(options, world, kTrees));
}

TEST(SearchPool, RefusesDamagedState) {
  StubExpander expander({});
  ListWork work(ids(4));
  Trees found;
  SearchPool pool({}, 4, expander, work, into(found));
  int turns = 0;
  pool.run([&] { return turns++ == 10; });
  std::vector<std::byte> state = pool.state();
  const auto refused = [&](std::span<const std::byte> bytes) {
    ListWork none({});
    StubExpander other({});
    SearchPool second({}, 4, other, none, into(found));
    try {
      second.restore(bytes);
    } catch (const base::Error& error) {
      return error.code() == base::Code::kCheckpoint;
    }
    return false;
  };
  base::Stream draws(3, base::Purpose::kTest, 0, 0);
  for (int k = 0; k < 500; ++k) {
    const std::size_t at = draws.below(state.size());
    const auto flip = static_cast<std::byte>(1U << draws.below(8));
    state[at] ^= flip;
    ASSERT_TRUE(refused(state)) << at;
    state[at] ^= flip;
    ASSERT_TRUE(refused(std::span(state).first(at))) << at;
  }
  // An id that two trees claim to be.
  ListWork none({});
  SearchPool second({}, 4, expander, none, into(found));
  second.adopt(pool.trees()[0]);
  EXPECT_THROW(second.adopt(pool.trees()[0]), base::Error);
}

TEST(SearchPool, AnotherNumberOfPathsIsRefused) {
  StubExpander expander({});
  ListWork work(ids(1)), none({});
  Trees found;
  SearchPool pool(parallel_options(Virtual::kLoss, 3), 1, expander, work, into(found));
  int turns = 0;
  pool.run([&] { return turns++ == 3; });
  SearchPool other(parallel_options(Virtual::kLoss, 2), 1, expander, none, into(found));
  EXPECT_THROW(other.restore(pool.state()), base::Error);
}

/// Gives one expansion of the caller's making for every node.
class OddExpander : public Expander {
 public:
  Expansion answer;
  NodeId other = 0;  ///< added to the node's number
  void submit(std::uint64_t id, const Tree& /*tree*/, NodeId node) override {
    answer.tree = id;
    answer.node = node + other;
  }
  void advance(std::vector<Expansion>& finished) override { finished.push_back(answer); }
};

std::string error_of(OddExpander& expander, base::Code code, SearchOptions options = {}) {
  ListWork work({42});
  SearchPool pool(options, 1, expander, work, [](TreeSearch&&) {});
  try {
    pool.run();
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), code);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(SearchPool, NumbersThatCannotBeNameTreeAndNode) {
  const double bad = std::nan("");
  for (int which = 0; which < 6; ++which) {
    OddExpander expander;
    NodeFacts facts;
    double* const fields[] = {&facts.prior,           &facts.log_prob, &facts.reward,
                              &facts.self_evaluation, &facts.outcome,  &facts.prior};
    *fields[which] = which == 5 ? -0.5 : bad;
    expander.answer.add({}, {});
    expander.answer.add(facts, {});
    EXPECT_THAT(error_of(expander, base::Code::kNumeric),
                testing::HasSubstr("tree 42, node 0: child 1 has"));
  }
}

TEST(SearchPool, ANodeWithoutChildren) {
  OddExpander expander;
  EXPECT_THAT(error_of(expander, base::Code::kData),
              testing::HasSubstr("tree 42: node 0 at depth 0 is no terminal"));
  SearchOptions options;
  options.empty_is_terminal = true;
  StubWorld world;
  world.empty = 0.3;
  std::uint64_t dead_ends = 0;
  for (std::uint64_t id = 0; id < 60; ++id) {
    StubExpander stub(world);
    const TreeSearch search = searched(options, stub, id);
    const Tree& tree = search.tree();
    std::uint64_t seen = 0;
    for (NodeId node = 0; node < tree.size(); ++node) {
      if (!tree.has(node, kDeadEnd)) continue;
      ++seen;
      EXPECT_EQ(tree.child_count(node), 0U);
      EXPECT_GT(tree.visits(node), 0U);
    }
    EXPECT_EQ(search.counts().dead_ends, seen);
    dead_ends += seen;
  }
  EXPECT_GT(dead_ends, 20U);
}

TEST(SearchPool, ChildrenThatNoOneAskedFor) {
  OddExpander expander;
  expander.answer.add({}, {});
  expander.other = 7;
  EXPECT_THAT(error_of(expander, base::Code::kBug),
              testing::HasSubstr("tree 42: children of node 7, which were not asked for"));
}

TEST(SearchPool, SameIdTwiceAtATime) {
  StubExpander expander({});
  ListWork work({5, 5});
  SearchPool pool({}, 2, expander, work, [](TreeSearch&&) {});
  EXPECT_THROW(pool.run(), base::Error);
}

TEST(SearchPool, TellsItsExpanderWhereItStands) {
  /// Checks that nothing outside of what it was told is asked for.
  class Watching : public StubExpander {
   public:
    using StubExpander::StubExpander;
    void submit(std::uint64_t id, const Tree& tree, NodeId node) override {
      const auto path = tree.path(node);
      EXPECT_THAT(path, testing::Contains(roots.at(id)));
      StubExpander::submit(id, tree, node);
    }
    void moved(std::uint64_t id, const Tree& /*tree*/, NodeId root) override {
      EXPECT_TRUE(!roots.contains(id) || root > roots.at(id));
      roots[id] = root;
    }
    void ended(std::uint64_t id) override { EXPECT_EQ(roots.erase(id), 1U); }
    std::map<std::uint64_t, NodeId> roots;
  };
  Watching expander({}, 2, 3);
  ListWork work(ids(20));
  Trees found;
  SearchPool pool({}, 6, expander, work, into(found));
  EXPECT_TRUE(pool.run());
  EXPECT_TRUE(expander.roots.empty());
  EXPECT_EQ(found.size(), 20U);
}

TEST(WorkSource, LongestFirstKeepsTheOrderOfEquals) {
  const std::vector<std::uint64_t> items = {9, 8, 7, 6, 5};
  const std::vector<double> costs = {1, 3, 1, 7, 3};
  EXPECT_THAT(longest_first(items, costs), testing::ElementsAre(6, 8, 5, 9, 7));
  EXPECT_THROW(longest_first(items, std::vector<double>{1}), base::Error);
}

}  // namespace
}  // namespace tenfold::search
