// Trees and searches as bytes: back to the same, and never anything but an error from damage.
#include <gtest/gtest.h>

#include "search/tree_search.hpp"
#include "support/stub_expander.hpp"

namespace tenfold::search {
namespace {

SearchOptions three_paths() {
  SearchOptions options;
  options.iterations = 10;
  options.virtual_mode = Virtual::kWatch;
  options.paths_in_flight = 3;
  return options;
}

// A search that was stopped with paths on their way.
TreeSearch half_searched(const SearchOptions& options, std::uint64_t id, int turns) {
  StubExpander expander({}, 1, 3);
  TreeSearch search(options, id, Tree(std::vector<std::int32_t>{1, 2, 3}));
  std::vector<NodeId> wanted;
  std::vector<Expansion> finished;
  for (int k = 0; k < turns && !search.done(); ++k) {
    wanted.clear();
    search.advance(wanted);
    for (const NodeId node : wanted) expander.submit(id, search.tree(), node);
    finished.clear();
    expander.advance(finished);
    for (Expansion& each : finished) search.give(each);
  }
  return search;
}

std::vector<std::byte> bytes_of(const TreeSearch& search) {
  ByteWriter out;
  search.put(out);
  return out.bytes();
}

TEST(SearchBytes, TreesComeBackWhole) {
  const SearchOptions options = three_paths();
  for (std::uint64_t id = 0; id < 20; ++id) {
    const TreeSearch search = half_searched(options, id, 15);
    ByteWriter out;
    search.tree().put(out);
    ByteReader in(out.bytes());
    const Tree back = Tree::get(in);
    EXPECT_TRUE(in.ended());
    EXPECT_TRUE(back == search.tree());
    EXPECT_EQ(back.path_key(back.size() - 1), search.tree().path_key(back.size() - 1));
  }
}

TEST(SearchBytes, SearchesComeBackAndGoOn) {
  const SearchOptions options = three_paths();
  for (std::uint64_t id = 0; id < 20; ++id) {
    for (const int turns : {0, 1, 9, 30}) {
      const TreeSearch search = half_searched(options, id, turns);
      const auto bytes = bytes_of(search);
      ByteReader in(bytes);
      TreeSearch back = TreeSearch::get(in, options);
      EXPECT_TRUE(in.ended());
      EXPECT_TRUE(back.tree() == search.tree());
      EXPECT_TRUE(bytes_of(back) == bytes);
      EXPECT_EQ(std::vector(back.under_way().begin(), back.under_way().end()),
                std::vector(search.under_way().begin(), search.under_way().end()));
    }
  }
}

// Whatever is let through must be a search that can be run.
void run_to_the_end(TreeSearch search) {
  StubWorld world;
  StubExpander expander(world, 2);
  std::vector<NodeId> wanted;
  std::vector<Expansion> finished;
  search.awaited(wanted);
  for (int k = 0; k < 3000; ++k) {
    search.advance(wanted);
    if (search.done()) return;
    for (const NodeId node : wanted) expander.submit(search.id(), search.tree(), node);
    wanted.clear();
    finished.clear();
    expander.advance(finished);
    ASSERT_FALSE(finished.empty());
    for (Expansion& each : finished) search.give(each);
  }
  FAIL() << "it does not end";
}

TEST(SearchBytes, DamageIsRefusedOrHarmless) {
  const SearchOptions options = three_paths();
  base::Stream draws(1, base::Purpose::kTest, 0, 0);
  std::uint64_t refused = 0, let_through = 0;
  for (std::uint64_t id = 0; id < 8; ++id) {
    const auto whole = bytes_of(half_searched(options, id, 12));
    for (int k = 0; k < 1500; ++k) {
      std::vector<std::byte> bytes = whole;
      const std::uint64_t flips = 1 + draws.below(3);
      for (std::uint64_t flip = 0; flip < flips; ++flip) {
        bytes[draws.below(bytes.size())] ^= static_cast<std::byte>(1U << draws.below(8));
      }
      if (k % 4 == 0) bytes.resize(draws.below(bytes.size()));
      ByteReader in(bytes);
      try {
        TreeSearch search = TreeSearch::get(in, options);
        ++let_through;
        ASSERT_NO_FATAL_FAILURE(run_to_the_end(std::move(search)));
      } catch (const base::Error& error) {
        ASSERT_EQ(error.code(), base::Code::kCheckpoint) << error.what();
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 4000U);
  EXPECT_GT(let_through, 100U);
}

TEST(SearchBytes, HugeCountsAllocateNothing) {
  ByteWriter out;
  out.number(std::uint64_t{1} << 60);
  ByteReader in(out.bytes());
  EXPECT_THROW(in.array<double>(), base::Error);
}

TEST(SearchTree, FactsItemsAndPlaces) {
  Tree tree(std::vector<std::int32_t>{7, 8});
  Expansion made;
  NodeFacts facts;
  facts.prior = .25;
  facts.log_prob = -2;
  facts.reward = 1.5;
  facts.self_evaluation = .5;
  facts.outcome = 1;
  facts.flags = kTruncated | kFirstFreeFlag;
  made.add(facts, std::vector<std::int32_t>{1, 2, 3});
  made.add({}, {});
  EXPECT_EQ(tree.expand(0, made, EdgeReward::kDifference), 1U);
  EXPECT_EQ(tree.q(1), 1.5);
  EXPECT_EQ(tree.log_prob(1), -2);
  EXPECT_EQ(tree.self_evaluation(1), .5);
  EXPECT_TRUE(tree.has(1, kFirstFreeFlag));
  made.clear();
  made.add({}, std::vector<std::int32_t>{9});
  EXPECT_EQ(tree.expand(1, made, EdgeReward::kDifference), 3U);
  EXPECT_EQ(tree.q(3), -1.5);
  EXPECT_EQ(tree.state_items(3), (std::vector<std::int32_t>{7, 8, 1, 2, 3, 9}));
  EXPECT_TRUE(tree.items(2).empty());
  EXPECT_EQ(tree.path(3), (std::vector<NodeId>{0, 1, 3}));
  EXPECT_EQ(tree.depth(3), 2U);
  EXPECT_THROW(tree.expand(1, made, EdgeReward::kDifference), base::Error);  // has children
  EXPECT_THROW(tree.expand(9, made, EdgeReward::kDifference), base::Error);
  made.clear();
  EXPECT_THROW(tree.expand(2, made, EdgeReward::kDifference), base::Error);
  EXPECT_EQ(tree.size(), 4U);
  // A place's key does not depend on what else the tree holds.
  Tree other(std::vector<std::int32_t>{1});
  made.add({}, {});
  made.add({}, {});
  other.expand(0, made, EdgeReward::kState);
  other.expand(2, made, EdgeReward::kState);
  other.expand(1, made, EdgeReward::kState);
  EXPECT_EQ(other.path_key(5), tree.path_key(3));
  EXPECT_NE(other.path_key(5), other.path_key(3));
  EXPECT_NE(other.path_key(1), other.path_key(0));
}

}  // namespace
}  // namespace tenfold::search
