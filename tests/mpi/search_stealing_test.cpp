// Ranks that share a list of questions: the same trees on any number of ranks, whoever is slow,
// stopped together and taken up again.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "comm/communicator.hpp"
#include "search/root_merge.hpp"
#include "search/search_pool.hpp"
#include "support/stub_expander.hpp"

namespace tenfold::search {
namespace {

using comm::Communicator;
using comm::Op;
using comm::SharedCounters;

constexpr std::size_t kTrees = 60;
constexpr std::size_t kTaken = 0, kFinished = 1, kCounters = 2;

SearchOptions options() {
  SearchOptions made;
  made.iterations = 12;
  made.virtual_mode = Virtual::kWatch;
  made.paths_in_flight = 2;
  return made;
}

std::vector<std::uint64_t> ids() {
  std::vector<std::uint64_t> all(kTrees);
  std::iota(all.begin(), all.end(), std::uint64_t{1000});
  return all;
}

std::uint64_t digest(const TreeSearch& search) {
  ByteWriter out;
  search.put(out);
  return base::xxh64(out.bytes());
}

/// Digests by id, of what this rank finished.
using Found = std::map<std::uint64_t, std::uint64_t>;

SearchPool::Finished into(Found& found) {
  return [&found](TreeSearch&& search) {
    EXPECT_TRUE(found.emplace(search.id(), digest(search)).second) << "searched twice";
  };
}

Found serial() {
  Found found;
  const SearchOptions plain = options();
  for (const std::uint64_t id : ids()) {
    StubExpander expander({});
    found.emplace(id, digest(searched(plain, expander, id)));
  }
  return found;
}

// Every id is on one rank: sums over ranks of digests and of counts say so.
void expect_serial(const Communicator& world, const Found& found) {
  std::vector<std::uint64_t> digests(kTrees, 0), counts(kTrees, 0);
  for (const auto& [id, each] : found) {
    digests[id - 1000] = each;
    counts[id - 1000] = 1;
  }
  world.all_reduce(std::span<std::uint64_t>(digests), Op::kSum);
  world.all_reduce(std::span<std::uint64_t>(counts), Op::kSum);
  EXPECT_EQ(counts, std::vector<std::uint64_t>(kTrees, 1));
  for (const auto& [id, each] : serial()) EXPECT_EQ(digests[id - 1000], each) << id;
}

TEST(SearchStealing, SameTreesWhoeverSearchesThem) {
  const Communicator world = Communicator::world();
  for (const bool longest : {false, true}) {
    SharedCounters counters(world, kCounters);
    std::vector<double> costs(kTrees);
    for (std::size_t k = 0; k < kTrees; ++k) costs[k] = static_cast<double>(k * 7 % 10);
    SharedWork work(longest ? longest_first(ids(), costs) : ids(), counters, kTaken);
    StubExpander expander({}, 1 + static_cast<std::size_t>(world.rank()),
                          static_cast<std::uint32_t>(world.rank()));
    Found found;
    SearchPool pool(options(), 3, expander, work, into(found));
    EXPECT_TRUE(pool.run());
    EXPECT_FALSE(work.next().has_value());
    expect_serial(world, found);
  }
}

/// Does nothing until the list has been given out: as slow as can be.
class Slow : public StubExpander {
 public:
  Slow(const SharedCounters& counters, std::int64_t end)
      : StubExpander(StubWorld{}), counters_(&counters), end_(end) {}
  void advance(std::vector<Expansion>& finished) override {
    if (counters_->read(kTaken) >= end_) StubExpander::advance(finished);
  }

 private:
  const SharedCounters* counters_;
  std::int64_t end_;
};

TEST(SearchStealing, AnIdleRankTakesWhatASlowOneLeaves) {
  const Communicator world = Communicator::world();
  if (world.size() == 1) return;
  SharedCounters counters(world, kCounters);
  SharedWork work(ids(), counters, kTaken);
  const bool slow = world.rank() == world.size() - 1;
  Slow held(counters, kTrees);
  StubExpander quick({});
  Found found;
  Expander& expander = slow ? static_cast<Expander&>(held) : quick;
  SearchPool pool(options(), 3, expander, work, into(found));
  EXPECT_TRUE(pool.run());
  // Only what it held when it stood still: the others did all the rest.
  if (slow) {
    EXPECT_LE(found.size(), 3U);
  }
  expect_serial(world, found);
}

// What a rank would have in a checkpoint: one text a tree, for whoever takes it up.
std::vector<std::string> shared_trees(const Communicator& world, const SearchPool& pool) {
  ByteWriter mine;
  const auto trees = pool.trees();
  mine.number(static_cast<std::uint64_t>(trees.size()));
  for (const auto& tree : trees) mine.array(tree);
  const auto* text = reinterpret_cast<const char*>(mine.bytes().data());
  const auto parts = world.gather_texts(std::string(text, mine.bytes().size()));
  std::vector<std::string> all;
  std::uint64_t count = 0;
  for (const std::string& part : parts) {
    ByteReader in(std::as_bytes(std::span(part)));
    for (auto left = in.number<std::uint64_t>(); left > 0; --left) {
      const auto tree = in.array<char>();
      all.emplace_back(tree.begin(), tree.end());
    }
  }
  count = world.all_reduce(static_cast<std::uint64_t>(all.size()), Op::kMax);
  all.resize(count);
  for (std::string& each : all) each = world.broadcast_text(each);
  return all;
}

TEST(SearchStealing, AllStopWhenTheWorldHasFinishedSomeAndGoOnElsewhere) {
  const Communicator world = Communicator::world();
  Found found;
  std::vector<std::string> trees;
  std::int64_t taken = 0, finished = 0;
  for (const std::int64_t target : {7, 20, 41, 1000}) {
    SharedCounters counters(world, kCounters);
    counters.set(kTaken, taken);
    counters.set(kFinished, finished);
    SharedWork work(ids(), counters, kTaken);
    SharedTarget pause(counters, kFinished, target);
    StubExpander expander({}, 2, 11);
    const SearchPool::Finished keep = into(found);
    SearchPool pool(options(), 4, expander, work, [&](TreeSearch&& search) {
      keep(std::move(search));
      pause.count();
    });
    // Trees go to other ranks than those that had them.
    for (std::size_t k = 0; k < trees.size(); ++k) {
      const auto rank = static_cast<int>((k + 1) % static_cast<std::size_t>(world.size()));
      if (rank == world.rank()) pool.adopt(std::as_bytes(std::span(trees[k])));
    }
    const bool all = pool.run([&] { return pause.reached(); });
    world.barrier();
    finished = counters.read(kFinished);
    taken = std::min<std::int64_t>(counters.read(kTaken), kTrees);
    EXPECT_EQ(finished, world.all_reduce(static_cast<std::int64_t>(found.size()), comm::Op::kSum));
    if (target < static_cast<std::int64_t>(kTrees)) {
      // One piece of every rank's work, two expansions, may have come in between.
      EXPECT_GE(finished, target);
      EXPECT_LT(finished, target + 2 * world.size());
    } else {
      EXPECT_TRUE(all);
    }
    trees = shared_trees(world, pool);
    EXPECT_EQ(finished + static_cast<std::int64_t>(trees.size()), taken);
    world.barrier();
  }
  expect_serial(world, found);
}

TEST(SearchStealing, RootsMergedInAnyOrderOfRanks) {
  const Communicator world = Communicator::world();
  const SearchOptions plain = options();
  const auto tree_of = [&](std::uint64_t id) {
    StubWorld stub;
    stub.most_children = 6;
    StubExpander expander(stub);
    return searched(plain, expander, id).take_tree();
  };
  RootMerge mine;
  for (std::uint64_t id = 0; id < 8; ++id) {
    if (id % static_cast<std::uint64_t>(world.size()) == static_cast<std::uint64_t>(world.rank())) {
      mine.add(tree_of(id));
    }
  }
  ByteWriter out;
  mine.put(out);
  const auto* text = reinterpret_cast<const char*>(out.bytes().data());
  const auto parts = world.gather_texts(std::string(text, out.bytes().size()));
  if (!world.is_root()) return;
  RootMerge all, expected;
  for (const std::string& part : parts) {
    ByteReader in(std::as_bytes(std::span(part)));
    all.add(RootMerge::get(in));
  }
  for (std::uint64_t id = 8; id-- > 0;) expected.add(tree_of(id));
  EXPECT_EQ(all.trees(), 8U);
  EXPECT_TRUE(all.tree() == expected.tree());
}

}  // namespace
}  // namespace tenfold::search
