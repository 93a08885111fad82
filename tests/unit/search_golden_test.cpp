// Traces and invariants with numbers that do not come from the search itself: the specification's
// oracles G1 to G6 and G9.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "search/puct.hpp"
#include "support/stub_expander.hpp"

namespace tenfold::search {
namespace {

NodeFacts facts(double prior, double reward, bool terminal = false) {
  NodeFacts made;
  made.prior = prior;
  made.reward = reward;
  if (terminal) made.flags = kTerminal;
  return made;
}

/// Children by the path's items, which are one a step here.
class TableExpander : public Expander {
 public:
  std::map<std::vector<std::int32_t>, std::vector<NodeFacts>> table;

  void submit(std::uint64_t id, const Tree& tree, NodeId node) override {
    Expansion made = spare(id, node);
    std::int32_t name = 0;
    for (const NodeFacts& each : table.at(tree.state_items(node))) {
      made.add(each, std::vector<std::int32_t>{name++});
    }
    pending_.push_back(std::move(made));
  }
  void advance(std::vector<Expansion>& finished) override {
    for (Expansion& each : pending_) finished.push_back(std::move(each));
    pending_.clear();
  }

 private:
  std::vector<Expansion> pending_;
};

TableExpander golden() {
  TableExpander expander;
  expander.table[{}] = {facts(.6, .7), facts(.4, .6)};
  expander.table[{0}] = {facts(.5, -.1, true), facts(.3, 1.5, true)};
  expander.table[{1}] = {facts(.7, 1.8, true), facts(.2, -.6, true)};
  return expander;
}

// One search a number of iterations: each is the one before and one more.
TreeSearch after(std::uint32_t iterations) {
  static SearchOptions options;  // the search points to it
  options.iterations = iterations;
  options.commits = 1;
  TableExpander expander = golden();
  return searched(options, expander, 0);
}

TEST(SearchGolden, TraceOfSixIterations) {  // G1, G2
  constexpr NodeId a = 1, b = 2, a0 = 3, a1 = 4;
  const std::vector<double> v_a = {0, .266667, .4, .48, .533333},
                            q_a = {.7, .966667, 1.1, 1.18, 1.233333},
                            v_root = {.65, .844444, .975, 1.064, 1.127778};
  for (std::uint32_t k = 1; k <= 5; ++k) {
    const TreeSearch search = after(k);
    const Tree& tree = search.tree();
    ASSERT_EQ(tree.size(), 5U);
    EXPECT_NEAR(tree.q(a1), .8, 1e-15);
    EXPECT_NEAR(tree.q(a0), -.8, 1e-15);
    EXPECT_NEAR(tree.v(a), v_a[k - 1], 5e-7);
    EXPECT_NEAR(tree.q(a), q_a[k - 1], 5e-7);
    EXPECT_NEAR(tree.v(0), v_root[k - 1], 5e-7);
    EXPECT_EQ(tree.visits(0), k);
    EXPECT_EQ(tree.visits(a1), k);
    EXPECT_EQ(search.root(), a);
  }
  const TreeSearch search = after(6);
  const Tree& tree = search.tree();
  constexpr NodeId b0 = 5;
  EXPECT_EQ(tree.visits(0), 6U);
  EXPECT_EQ(tree.visits(a), 5U);
  EXPECT_EQ(tree.visits(b), 1U);
  EXPECT_EQ(tree.visits(b0), 1U);
  EXPECT_NEAR(tree.v(b), 0, 1e-15);
  EXPECT_NEAR(tree.q(b), .6, 1e-15);
  EXPECT_NEAR(tree.q(a), 1.233333, 5e-7);
  EXPECT_NEAR(tree.v(0), 1.127778, 5e-7);
}

TEST(SearchGolden, RewardsTelescope) {  // G2
  for (std::uint64_t id = 0; id < 30; ++id) {
    SearchOptions options;
    options.iterations = 30;
    StubExpander expander({});
    const TreeSearch search = searched(options, expander, id);
    const Tree& tree = search.tree();
    for (NodeId node = 1; node < tree.size(); ++node) {
      double sum = 0, weight = 0;
      bool leaves = tree.child_count(node) > 0;
      for (NodeId k = 0; leaves && k < tree.child_count(node); ++k) {
        const NodeId child = tree.first_child(node) + k;
        leaves = tree.child_count(child) == 0;
        const double counts = std::max(1U, tree.visits(child));
        sum += counts * tree.reward(child);
        weight += counts;
      }
      if (!leaves) continue;
      EXPECT_NEAR(tree.q(node) + tree.reward(tree.parent(node)), sum / weight, 1e-12);
    }
  }
}

TEST(SearchGolden, VisitsAddUp) {  // G3
  for (std::uint64_t id = 0; id < 30; ++id) {
    SearchOptions options;
    options.iterations = 25;
    options.commits = 1;
    StubExpander expander({});
    const TreeSearch search = searched(options, expander, id);
    const Tree& tree = search.tree();
    EXPECT_EQ(tree.visits(0), 25U);
    for (NodeId node = 0; node < tree.size(); ++node) {
      if (tree.child_count(node) == 0) {
        EXPECT_EQ(tree.q(node), node == 0 ? 0 : tree.edge_reward(node, EdgeReward::kDifference));
        continue;
      }
      std::uint32_t sum = 0;
      for (NodeId k = 0; k < tree.child_count(node); ++k) {
        sum += tree.visits(tree.first_child(node) + k);
      }
      EXPECT_EQ(sum, tree.visits(node));
    }
  }
}

// A root whose children are all terminal: arms.
Tree arms_after(std::uint32_t iterations, double c_puct, const std::vector<NodeFacts>& arms) {
  SearchOptions options;
  options.iterations = iterations;
  options.c_puct = c_puct;
  TableExpander expander;
  expander.table[{}] = arms;
  return searched(options, expander, 0).take_tree();
}

TEST(SearchGolden, EqualArmsAreVisitedInOrder) {  // G4
  const std::vector<NodeFacts> arms(5, facts(.2, .5, true));
  for (std::uint32_t k = 1; k <= 10; ++k) {
    const Tree tree = arms_after(k, 1, arms);
    for (std::uint32_t arm = 0; arm < 5; ++arm) {
      EXPECT_EQ(tree.visits(1 + arm), k / 5 + (arm < k % 5 ? 1 : 0));
    }
  }
}

TEST(SearchGolden, LimitsOfTheExplorationConstant) {  // G5
  const std::vector<NodeFacts> arms = {facts(.5, .1, true), facts(.3, .3, true),
                                       facts(.2, .2, true)};
  const Tree greedy = arms_after(100, 0, arms);
  EXPECT_EQ(greedy.visits(2), 100U);
  const Tree exploring = arms_after(100, 1e9, arms);
  EXPECT_NEAR(exploring.visits(1), 50, 1);
  EXPECT_NEAR(exploring.visits(2), 30, 1);
  EXPECT_NEAR(exploring.visits(3), 20, 1);
}

TEST(SearchGolden, VisitsOfABanditBalanceTheScore) {
  // In the limit all scores are equal: Q_i + c p_i sqrt(N) / (1 + n_i) = L, so that 1 + n_i =
  // c p_i sqrt(N) / (L - Q_i), and L follows from sum n_i = N; solved here by bisection.
  const std::vector<double> prior = {.5, .3, .2}, q = {.1, .4, .35};
  std::vector<NodeFacts> arms;
  for (std::size_t k = 0; k < 3; ++k) arms.push_back(facts(prior[k], q[k], true));
  constexpr std::uint32_t kIterations = 20000;
  const double c = 2;
  const auto visits = [&](double level, std::size_t k) {
    return c * prior[k] * std::sqrt(double{kIterations}) / (level - q[k]) - 1;
  };
  double low = .4, high = 100;
  for (int step = 0; step < 200; ++step) {
    const double middle = (low + high) / 2;
    const double sum = visits(middle, 0) + visits(middle, 1) + visits(middle, 2);
    (sum > kIterations ? low : high) = middle;
  }
  const Tree tree = arms_after(kIterations, c, arms);
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(tree.visits(static_cast<NodeId>(1 + k)), visits(low, k), 2) << k;
  }
}

TEST(SearchGolden, TiesGoToThePriorThenToTheFirst) {
  Tree tree;
  Expansion made;
  // All score Q + p = 1 at the first visit.
  for (const double prior : {.25, .5, .5, .125}) made.add(facts(prior, 1 - prior), {});
  tree.expand(0, made, EdgeReward::kDifference);
  SearchOptions options;
  EXPECT_EQ(select_child(tree, 0, options), 2U);
  options.official = true;  // sqrt(0): the Q alone
  EXPECT_EQ(select_child(tree, 0, options), 4U);
  tree.add_visit(0);
  EXPECT_EQ(select_child(tree, 0, options), 1U);
}

TEST(SearchGolden, ReRootingKeepsTheSubtree) {  // G9
  std::uint64_t kept_nodes = 0;
  for (std::uint64_t id = 0; id < 30; ++id) {
    SearchOptions options;
    options.iterations = 20;
    StubExpander expander({});
    SearchOptions first = options, second = options;
    first.commits = 1;
    second.commits = 2;
    const TreeSearch one = searched(first, expander, id), two = searched(second, expander, id);
    const Tree &before = one.tree(), &after = two.tree();
    const NodeId root = one.root();
    ASSERT_EQ(two.committed()[1], root);
    if (two.committed().size() == 2) continue;
    // 20 iterations on top of what it had, and as many more over its children together.
    EXPECT_EQ(after.visits(root), before.visits(root) + 20);
    std::uint32_t came = 0;
    for (NodeId node = 0; node < before.size(); ++node) {
      const auto path = before.path(node);
      const bool inside = path.size() > 1 && path[1] == root;
      if (path.size() == 3 && inside) came += after.visits(node) - before.visits(node);
      // What no later iteration touched has the same bits, whatever happened beside it.
      if (inside && after.visits(node) != before.visits(node)) continue;
      EXPECT_EQ(before.visits(node), after.visits(node));
      EXPECT_EQ(before.q(node), after.q(node));
      EXPECT_EQ(before.v(node), after.v(node));
      kept_nodes += inside ? 1 : 0;
    }
    EXPECT_EQ(came, 20U);
  }
  EXPECT_GT(kept_nodes, 30U);
}

}  // namespace
}  // namespace tenfold::search
