// The accounts of blocks against sequences that own what they hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "base/philox.hpp"
#include "nn/decoding/kv_blocks.hpp"

namespace tenfold::nn {
namespace {

// A pool of numbers in place of keys and values, kept as an engine does.
class FakeEngine {
 public:
  explicit FakeEngine(const KvBlocksOptions& options)
      : blocks(options),
        size_(static_cast<std::size_t>(options.block_tokens)),
        pool_(static_cast<std::size_t>(options.blocks) * size_, -1) {}
  void write(Sequence sequence, int value) {
    for (const KvBlocks::Copy& copy : blocks.pending_copies()) {
      std::copy_n(pool_.begin() + copy.from * static_cast<std::ptrdiff_t>(size_), size_,
                  pool_.begin() + copy.to * static_cast<std::ptrdiff_t>(size_));
    }
    blocks.copied();
    const auto position = static_cast<std::size_t>(blocks.filled(sequence));
    const auto block =
        static_cast<std::size_t>(blocks.fill_next(sequence, static_cast<std::int64_t>(position)));
    pool_[block * size_ + position % size_] = value;
  }
  std::vector<int> text(Sequence sequence) const {
    std::vector<int> result;
    const auto table = blocks.table(sequence);
    for (std::size_t p = 0; p < static_cast<std::size_t>(blocks.filled(sequence)); ++p) {
      result.push_back(pool_[static_cast<std::size_t>(table[p / size_]) * size_ + p % size_]);
    }
    return result;
  }
  KvBlocks blocks;

 private:
  std::size_t size_;
  std::vector<int> pool_;
};

class RandomWalk {
 public:
  RandomWalk(std::uint32_t seed, const KvBlocksOptions& options)
      : engine_(options), stream_(seed, base::Purpose::kTest, 0, 0) {}
  void step() {
    const std::uint64_t what = stream_.below(10);
    if (what == 0 || texts_.empty()) return create();
    const auto it =
        std::next(texts_.begin(), static_cast<std::ptrdiff_t>(stream_.below(texts_.size())));
    const Sequence sequence = it->first;
    if (what <= 2) return fork(sequence);
    if (what == 3) {
      engine_.blocks.release(sequence);
      texts_.erase(it);
      EXPECT_FALSE(engine_.blocks.alive(sequence));
      return;
    }
    if (what == 4) {
      const auto length = stream_.below(it->second.size() + 1);
      engine_.blocks.truncate(sequence, static_cast<std::int64_t>(length));
      it->second.resize(length);
      return;
    }
    extend(sequence, it->second);
  }
  void check() const {
    std::set<std::int32_t> used;
    std::int64_t references = 0;
    for (const auto& [sequence, text] : texts_) {
      ASSERT_EQ(engine_.text(sequence), text);
      ASSERT_EQ(engine_.blocks.length(sequence), std::ssize(text));
      const auto table = engine_.blocks.table(sequence);
      used.insert(table.begin(), table.end());
      references += std::ssize(table);
    }
    const KvStatistics statistics = engine_.blocks.statistics();
    ASSERT_EQ(statistics.free, statistics.blocks - std::ssize(used));
    ASSERT_EQ(statistics.references, references);
    ASSERT_EQ(statistics.sequences, std::ssize(texts_));
  }
  int full = 0, too_long = 0;

 private:
  void create() {
    const Sequence made = engine_.blocks.create();
    EXPECT_EQ(texts_.count(made), 0U);
    texts_[made] = {};
  }
  void fork(Sequence parent) {
    const std::vector<int> text = texts_[parent];
    const auto length = stream_.below(2) == 0 ? text.size() : stream_.below(text.size() + 1);
    const Sequence made = engine_.blocks.fork(parent, static_cast<std::int64_t>(length));
    texts_[made] = {text.begin(), text.begin() + static_cast<std::ptrdiff_t>(length)};
  }
  void extend(Sequence sequence, std::vector<int>& text) {
    const auto count = static_cast<std::int64_t>(stream_.below(9));
    const std::int64_t free = engine_.blocks.free_blocks();
    const std::int64_t needed = engine_.blocks.blocks_to_extend(sequence, count);
    const Extension answer = engine_.blocks.extend(sequence, count);
    if (std::ssize(text) + count > engine_.blocks.options().longest) {
      ++too_long;
      EXPECT_EQ(answer.room, Room::kTooLong);
    } else if (needed > free) {
      ++full;
      EXPECT_EQ(answer.room, Room::kPoolFull);
      EXPECT_EQ(answer.missing_blocks, needed - free);
    } else {
      EXPECT_TRUE(answer);
      EXPECT_EQ(engine_.blocks.free_blocks(), free - needed);
      for (std::int64_t i = 0; i < count; ++i) {
        text.push_back(next_++);
        engine_.write(sequence, text.back());
      }
      return;
    }
    EXPECT_EQ(engine_.blocks.free_blocks(), free) << "refused: nothing changes";
  }

  FakeEngine engine_;
  std::map<Sequence, std::vector<int>> texts_;
  base::Stream stream_;
  int next_ = 0;
};

TEST(KvBlocks, SharedBlocksNeverShowThroughInRandomUse) {
  int full = 0, too_long = 0;
  for (std::uint32_t seed = 0; seed < 30; ++seed) {
    RandomWalk walk(seed, {seed % 3 == 0 ? 1 : 4, 24, 30});
    for (int i = 0; i < 400; ++i) {
      walk.step();
      walk.check();
      if (testing::Test::HasFatalFailure()) return;
    }
    full += walk.full;
    too_long += walk.too_long;
  }
  EXPECT_GT(full, 100) << "the pool was never full: the test tries nothing";
  EXPECT_GT(too_long, 10);
}

TEST(KvBlocks, OnlyAPartlyFilledSharedBlockIsCopied) {
  FakeEngine engine({4, 10, 40});
  KvBlocks& blocks = engine.blocks;
  const Sequence trunk = blocks.create();
  ASSERT_TRUE(blocks.extend(trunk, 8));
  for (int i = 0; i < 8; ++i) engine.write(trunk, i);
  const Sequence full = blocks.fork(trunk);
  ASSERT_TRUE(blocks.extend(full, 1));
  EXPECT_EQ(blocks.statistics().copies, 0);
  EXPECT_EQ(blocks.free_blocks(), 7);
  engine.write(full, 8);
  const Sequence partial = blocks.fork(full);
  ASSERT_TRUE(blocks.extend(partial, 1));
  EXPECT_EQ(blocks.statistics().copies, 1);
  ASSERT_TRUE(blocks.extend(full, 1));
  EXPECT_EQ(blocks.statistics().copies, 1) << "nobody shares it any more";
  EXPECT_EQ(blocks.statistics().most_used, 4);
}

TEST(KvBlocks, HandlesOfReleasedSequencesStayUnknown) {
  KvBlocks blocks({4, 4, 16});
  const Sequence first = blocks.create();
  blocks.release(first);
  const Sequence second = blocks.create();
  EXPECT_NE(first, second);
  EXPECT_THROW(blocks.release(first), base::Error);
  EXPECT_THROW((void)blocks.length(Sequence::kNone), base::Error);
  ASSERT_TRUE(blocks.extend(second, 5));
  blocks.clear();
  EXPECT_FALSE(blocks.alive(second));
  EXPECT_EQ(blocks.free_blocks(), 4);
  EXPECT_THROW(KvBlocks({4, 0, 16}), base::Error);
  EXPECT_THROW(KvBlocks({0, 4, 16}), base::Error);
}

}  // namespace
}  // namespace tenfold::nn
