// Several searches of one question with one path: against sums over trees that were searched anew
// up to each commitment.
#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "search/root_parallel.hpp"
#include "support/stub_expander.hpp"

namespace tenfold::search {
namespace {

using Step = std::vector<std::int32_t>;
using Path = std::vector<Step>;

constexpr std::uint64_t kQuestions = 1000;  // id % this names the question, id / this the search

// Steps 1 to 4 everywhere, of which a search samples some: what is behind a step depends on the
// question and the steps on the way alone.
class SharedWorld : public Expander {
 public:
  void submit(std::uint64_t id, const Tree& tree, NodeId node) override {
    Expansion made = spare(id, node);
    const Step path = tree.state_items(node);
    for (std::int32_t step = 1; step <= 4; ++step) {
      Step longer = path;
      longer.push_back(step);
      const std::uint64_t place =
          base::xxh64(std::as_bytes(std::span<const std::int32_t>(longer)), id % kQuestions);
      base::Stream facts_of(7, base::Purpose::kTest, 0, place);
      base::Stream sampled(8, base::Purpose::kTest, static_cast<std::uint32_t>(id), place);
      NodeFacts facts;
      facts.prior = facts_of.uniform();
      facts.self_evaluation = facts.reward = facts_of.uniform();
      if (facts_of.uniform() < 0.25) facts.flags = kTerminal;
      const bool last = step == 4 && made.children.empty();
      if (last || sampled.uniform() < 0.6) made.add(facts, Step{step});
    }
    ready_.push_back(std::move(made));
  }
  void advance(std::vector<Expansion>& finished) override {
    for (Expansion& each : ready_) finished.push_back(std::move(each));
    ready_.clear();
  }

 private:
  std::vector<Expansion> ready_;
};

TreeSearch shared_search(const SearchOptions& options, std::uint64_t question, std::uint64_t r,
                         std::uint32_t commits = 0) {
  static std::vector<std::unique_ptr<SearchOptions>> kept;  // a search points to its options
  kept.push_back(std::make_unique<SearchOptions>(options));
  kept.back()->commits = commits;
  SharedWorld world;
  return searched(*kept.back(), world, question + kQuestions * r);
}

std::vector<TreeSearch> searches_of(const SearchOptions& options, std::uint64_t question,
                                    std::size_t count) {
  std::vector<TreeSearch> all;
  for (std::uint64_t r = 0; r < count; ++r) all.push_back(shared_search(options, question, r));
  return all;
}

Path path_of(const Tree& tree, std::span<const NodeId> nodes) {
  Path path;
  for (const NodeId node : nodes.subspan(1)) {
    path.emplace_back(tree.items(node).begin(), tree.items(node).end());
  }
  return path;
}

struct Sum {
  std::uint64_t visits = 0;
  long double q = 0;
};

// Nodes of all trees by the steps on the way to them.
std::map<Path, Sum> sums_of(const std::vector<Tree>& trees) {
  std::map<Path, Sum> all;
  for (const Tree& tree : trees) {
    for (NodeId node = 0; node < tree.size(); ++node) {
      Sum& sum = all[path_of(tree, tree.path(node))];
      sum.visits += tree.visits(node);
      sum.q += static_cast<long double>(tree.visits(node)) * tree.q(node);
    }
  }
  return all;
}

// The most (N (1 + g), Q), of means over the searches that came here (so N (their number + g)),
// among the steps behind path; nothing where there are none.
Path longer_by_the_best(const std::map<Path, Sum>& sums, const Path& path, double searches) {
  Path best;
  std::tuple<double, long double> most{0, 0};
  for (std::int32_t step = 1; step <= 4; ++step) {
    Path longer = path;
    longer.push_back({step});
    const auto found = sums.find(longer);
    if (found == sums.end() || found->second.visits == 0) continue;
    std::uint64_t least = UINT64_MAX, largest = 0;
    for (std::int32_t next = 1; next <= 4; ++next) {
      Path below = longer;
      below.push_back({next});
      const auto child = sums.find(below);
      if (child == sums.end()) continue;
      least = std::min(least, child->second.visits);
      largest = std::max(largest, child->second.visits);
    }
    const std::uint64_t spread = largest > 0 ? largest - least : 0;
    const std::tuple key(
        static_cast<double>(found->second.visits) * (searches + static_cast<double>(spread)),
        found->second.q / static_cast<long double>(found->second.visits));
    if (best.empty() || key > most) {
      best = longer;
      most = key;
    }
  }
  return best;
}

Path naive_path(const SearchOptions& options, std::uint64_t question,
                const std::vector<TreeSearch>& searches) {
  Path path;
  while (true) {
    std::vector<Tree> trees;
    double beside = 0;
    for (std::uint64_t r = 0; r < searches.size(); ++r) {
      const Path own = path_of(searches[r].tree(), searches[r].committed());
      std::uint32_t common = 0;
      while (common < path.size() && common < own.size() && path[common] == own[common]) ++common;
      beside += common == path.size() ? 1 : 0;
      trees.push_back(shared_search(options, question, r, common + 1).tree());
    }
    const Path longer = longer_by_the_best(sums_of(trees), path, std::max(beside, 1.0));
    if (longer.empty()) return path;
    path = longer;
  }
}

SearchOptions small_options() {
  SearchOptions options;
  options.iterations = 8;
  options.depth_limit = 5;
  return options;
}

TEST(RootParallel, ATreeAtACommitmentIsTheSearchThatEndsThere) {
  for (const Virtual mode : {Virtual::kNone, Virtual::kLoss, Virtual::kWatch}) {
    SearchOptions options = small_options();
    options.virtual_mode = mode;
    options.paths_in_flight = mode == Virtual::kNone ? 1 : 3;
    options.early_stop = true;
    std::size_t kinds = 0;
    for (std::uint64_t question = 0; question < 50; ++question) {
      const TreeSearch whole = shared_search(options, question, 0);
      const auto steps = static_cast<std::uint32_t>(whole.committed().size() - 1);
      for (std::uint32_t commits = 1; commits <= steps; ++commits) {
        const TreeSearch shorter = shared_search(options, question, 0, commits);
        ASSERT_TRUE(tree_at_commit(whole, options, commits) == shorter.tree());
        kinds += shorter.tree() == whole.tree() ? 0 : 1;
      }
      EXPECT_TRUE(tree_at_commit(whole, options, steps + 3) == whole.tree());
    }
    EXPECT_GT(kinds, 20U);
  }
}

TEST(RootParallel, OneSearchKeepsItsPath) {
  const SearchOptions options = small_options();
  for (std::uint64_t question = 0; question < 30; ++question) {
    const auto one = searches_of(options, question, 1);
    const MergedSearch merged = merged_search(one, options, question);
    EXPECT_TRUE(merged.tree == one[0].tree());
    EXPECT_TRUE(std::ranges::equal(merged.committed, one[0].committed()));
    // What goes through the merge comes to the same where there are no ties.
    const std::vector<TreeSearch> thrice(3, one[0]);
    const MergedSearch same = merged_search(thrice, options, question);
    EXPECT_EQ(path_of(same.tree, same.committed), path_of(one[0].tree(), one[0].committed()));
    EXPECT_EQ(same.tree.visits(0), 3 * one[0].tree().visits(0));
  }
}

TEST(RootParallel, CommitsToWhatSumsOverTheSearchesSay) {
  const SearchOptions options = small_options();
  std::size_t apart = 0;
  for (std::uint64_t question = 0; question < 60; ++question) {
    const auto searches = searches_of(options, question, 4);
    const MergedSearch merged = merged_search(searches, options, question);
    const Path path = path_of(merged.tree, merged.committed);
    EXPECT_EQ(path, naive_path(options, question, searches));
    std::uint32_t visits = 0;
    for (const TreeSearch& each : searches) {
      visits += each.tree().visits(0);
      apart += path_of(each.tree(), each.committed()) == path ? 0 : 1;
    }
    EXPECT_EQ(merged.tree.visits(0), visits);
    const NodeId end = merged.committed.back();
    EXPECT_TRUE(merged.tree.has(end, kTerminal) || merged.tree.depth(end) == 5);
  }
  EXPECT_GT(apart, 60U);  // searches that would have gone elsewhere alone
}

TEST(RootParallel, TheOrderOfSearchesIsNothing) {
  SearchOptions options = small_options();
  options.temperature = 0.5;
  for (std::uint64_t question = 0; question < 20; ++question) {
    auto searches = searches_of(options, question, 5);
    const MergedSearch forwards = merged_search(searches, options, question);
    std::reverse(searches.begin(), searches.end());
    std::swap(searches[0], searches[3]);
    const MergedSearch shuffled = merged_search(searches, options, question);
    EXPECT_TRUE(forwards.tree == shuffled.tree);
    EXPECT_EQ(forwards.committed, shuffled.committed);
  }
}

TEST(RootParallel, ARecordSaysWhoseItIs) {
  const SearchOptions options = small_options();
  const TreeSearch search = shared_search(options, 17, 3);
  ByteWriter out;
  search.put(out);
  EXPECT_EQ(TreeSearch::id_of(ByteReader(out.bytes())), 17 + 3 * kQuestions);
  out.bytes()[0] ^= std::byte{1};
  EXPECT_THROW(TreeSearch::id_of(ByteReader(out.bytes())), base::Error);
}

}  // namespace
}  // namespace tenfold::search
