// The search against a second one that is written down plainly, bit for bit over made-up worlds.
#include <gtest/gtest.h>

#include "support/naive_search.hpp"
#include "support/stub_expander.hpp"

namespace tenfold::search {
namespace {

void expect_same(const NaiveNode& naive, const Tree& tree, NodeId node) {
  ASSERT_EQ(naive.visits, tree.visits(node));
  ASSERT_EQ(naive.q, tree.q(node));
  ASSERT_EQ(naive.v, tree.v(node));
  ASSERT_EQ(naive.facts.prior, tree.prior(node));
  ASSERT_EQ(naive.facts.log_prob, tree.log_prob(node));
  ASSERT_EQ(naive.facts.reward, tree.reward(node));
  ASSERT_EQ(naive.facts.self_evaluation, tree.self_evaluation(node));
  ASSERT_EQ(naive.facts.outcome, tree.outcome(node));
  const auto items = tree.items(node);
  ASSERT_EQ(naive.items, std::vector<std::int32_t>(items.begin(), items.end()));
  ASSERT_EQ(naive.indices.size(), tree.depth(node));
  ASSERT_EQ(naive.expanded, tree.has(node, kExpanded));
  ASSERT_EQ(naive.children.size(), tree.child_count(node));
  for (std::uint32_t k = 0; k < tree.child_count(node); ++k) {
    ASSERT_EQ(tree.parent(tree.first_child(node) + k), node);
    ASSERT_NO_FATAL_FAILURE(expect_same(*naive.children[k], tree, tree.first_child(node) + k));
  }
}

void expect_same_search(const NaiveSettings& settings, const SearchOptions& options,
                        const StubWorld& world, std::uint64_t id) {
  NaiveSearch naive(settings, [&](const std::vector<std::uint32_t>& indices) {
    return world.children(id, indices);
  });
  naive.run();
  StubExpander expander(world);
  const TreeSearch search = searched(options, expander, id);
  ASSERT_NO_FATAL_FAILURE(expect_same(naive.root, search.tree(), 0));
  ASSERT_EQ(naive.committed.size(), search.committed().size());
  for (std::size_t k = 0; k < naive.committed.size(); ++k) {
    ASSERT_EQ(naive.committed[k]->indices, indices_of(search.tree(), search.committed()[k]));
  }
}

TEST(SearchAgainstNaive, SameBitsOverWorldsAndSettings) {
  int compared = 0;
  for (const bool official : {false, true}) {
    for (const bool from_root : {false, true}) {
      for (const int iterations : {1, 5, 40}) {
        for (std::uint64_t id = 0; id < 40; ++id) {
          StubWorld world;
          world.seed = static_cast<std::uint32_t>(7 + iterations);
          world.terminal = from_root ? 0.4 : 0.2;
          world.levels = id % 3 == 0 ? 2 : 1024;  // 2: ties everywhere
          const double c_puct = id % 4 == 0 ? 0 : 0.5 * static_cast<double>(id % 5);
          const double gamma = id % 7 == 0 ? 0.9 : 1;
          const int depth = 1 + static_cast<int>(id % 5);
          NaiveSettings settings{iterations, official ? 4 : 1, depth, from_root,
                                 official,   c_puct,           gamma};
          SearchOptions options;
          options.iterations = static_cast<std::uint32_t>(iterations);
          options.first_root_multiplier = official ? 4 : 1;
          options.depth_limit = static_cast<std::uint32_t>(depth);
          options.depth_from = from_root ? DepthFrom::kSearchRoot : DepthFrom::kTreeRoot;
          options.official = official;
          options.c_puct = c_puct;
          options.gamma = gamma;
          ASSERT_NO_FATAL_FAILURE(expect_same_search(settings, options, world, id));
          ++compared;
        }
      }
    }
  }
  EXPECT_EQ(compared, 480);
}

}  // namespace
}  // namespace tenfold::search
