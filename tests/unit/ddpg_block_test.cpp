// Blocks of transitions: who gets which, and that nothing of them changes on the way.
#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "base/error.hpp"
#include "ddpg/topology/block.hpp"

namespace tenfold::ddpg {
namespace {

constexpr std::size_t kShards = 8, kPerShard = 2, kObservation = 3, kAction = 2;

using Row = std::tuple<std::vector<float>, std::vector<float>, float, std::vector<float>, int>;

// What environment row `row` of a shard does in a round.
Row row_of(std::size_t shard, std::size_t row, std::size_t round) {
  const auto base = static_cast<float>(10000 * shard + 1000 * row + round);
  return {{base, base + 0.25F, -base},
          {base / 3, -1},
          1 / (base + 1),
          {base + 1, base + 1.25F, -base - 1},
          static_cast<int>((shard + row + round) % 3)};
}

void give(TransitionSink& sink, std::size_t local_shard, const Row& row) {
  sink.add(local_shard, std::get<0>(row), std::get<1>(row), std::get<2>(row), std::get<3>(row),
           static_cast<rl::Ending>(std::get<4>(row)));
}

class Recorder : public TransitionSink {
 public:
  void add(std::size_t local_shard, std::span<const float> observation,
           std::span<const float> action, float reward, std::span<const float> next,
           rl::Ending ending) override {
    rows[local_shard].push_back({{observation.begin(), observation.end()},
                                 {action.begin(), action.end()},
                                 reward,
                                 {next.begin(), next.end()},
                                 static_cast<int>(ending)});
  }
  void add_frame(std::size_t local_shard, std::size_t environment,
                 std::span<const std::uint8_t> frame, std::span<const float> action, float reward,
                 std::span<const std::uint8_t> next, rl::Ending ending) override {
    frames.push_back({local_shard,
                      environment,
                      {frame.begin(), frame.end()},
                      {action.begin(), action.end()},
                      reward,
                      {next.begin(), next.end()},
                      ending});
  }
  struct Frame {
    std::size_t shard, environment;
    std::vector<std::uint8_t> frame;
    std::vector<float> action;
    float reward;
    std::vector<std::uint8_t> next;
    rl::Ending ending;
    bool operator==(const Frame&) const = default;
  };
  std::map<std::size_t, std::vector<Row>> rows;
  std::vector<Frame> frames;
};

class ToWriter : public TransitionSink {
 public:
  explicit ToWriter(BlockWriter& writer) : writer_(writer) {}
  void add(std::size_t /*local_shard*/, std::span<const float> observation,
           std::span<const float> action, float reward, std::span<const float> next,
           rl::Ending ending) override {
    writer_.add(observation, action, reward, next, ending);
  }
  void add_frame(std::size_t /*local_shard*/, std::size_t /*environment*/,
                 std::span<const std::uint8_t> frame, std::span<const float> action, float reward,
                 std::span<const std::uint8_t> next, rl::Ending ending) override {
    writer_.add_frame(frame, action, reward, next, ending);
  }

 private:
  BlockWriter& writer_;
};

// Naive: every shard's rows in order of rounds, at learner shard mod L as its (shard div L)-th.
TEST(Block, RoutesEveryShardToItsLearnerInOrder) {
  constexpr std::size_t kRounds = 5;
  const BlockShape shape{kObservation, 0, kAction, kPerShard, 3};
  for (const auto& [learners, actors] :
       std::vector<std::pair<int, int>>{{1, 1}, {1, 3}, {2, 1}, {2, 3}, {4, 4}, {2, 8}, {8, 5}}) {
    std::vector<Recorder> memories(static_cast<std::size_t>(learners));
    for (int actor = 0; actor < actors; ++actor) {
      for (int learner = 0; learner < learners; ++learner) {
        const Link link = make_link(kShards, actors, actor, learners, learner);
        if (link.shards.empty()) continue;
        BlockWriter writer(shape, link);
        ToWriter sink(writer);
        for (std::size_t round = 0; round < kRounds; ++round) {
          writer.begin(100 + round, round);
          for (const std::size_t shard : link.shards) {
            for (std::size_t row = 0; row < kPerShard; ++row) {
              give(sink, 0, row_of(shard, row, round));
            }
          }
          writer.end_round();
          if (!writer.full() && round + 1 < kRounds) continue;
          const auto words = writer.take({});
          EXPECT_LE(words.size(), shape.most_words(link));
          const BlockHeader header = unpack_block(words, shape, link, learners,
                                                  memories[static_cast<std::size_t>(learner)]);
          EXPECT_EQ(header.first_round, round < 3 ? 100U : 103U);
          EXPECT_EQ(header.rounds, round < 3 ? 3U : 2U);
          EXPECT_EQ(header.version, round < 3 ? 0U : 3U) << "of the block's oldest action";
        }
      }
    }
    for (std::size_t shard = 0; shard < kShards; ++shard) {
      std::vector<Row> expected;
      for (std::size_t round = 0; round < kRounds; ++round) {
        for (std::size_t row = 0; row < kPerShard; ++row) {
          expected.push_back(row_of(shard, row, round));
        }
      }
      const auto count = static_cast<std::size_t>(learners);
      EXPECT_EQ(memories[shard % count].rows[shard / count], expected)
          << learners << " learners, " << actors << " actors, shard " << shard;
    }
  }
}

TEST(Block, FramesOfAnyNumberOfBytesArriveAsTheyWere) {
  for (const std::size_t bytes : {1, 3, 4, 7}) {
    const BlockShape shape{kObservation, bytes, kAction, kPerShard, 2};
    const Link link = make_link(kShards, 2, 1, 2, 1);  // shards 1, 3, 5, 7
    BlockWriter writer(shape, link);
    ToWriter sink(writer);
    std::vector<Recorder::Frame> expected;
    for (std::size_t round = 0; round < 2; ++round) {
      writer.begin(round, 0);
      for (const std::size_t shard : link.shards) {
        for (std::size_t row = 0; row < kPerShard; ++row) {
          Recorder::Frame frame{shard / 2,
                                row,
                                {},
                                {1, static_cast<float>(row)},
                                0.5F,
                                {},
                                static_cast<rl::Ending>((shard + round) % 3)};
          for (std::size_t i = 0; i < bytes; ++i) {
            frame.frame.push_back(static_cast<std::uint8_t>(50 * shard + 20 * row + i));
            frame.next.push_back(static_cast<std::uint8_t>(255 - i - round));
          }
          sink.add_frame(0, row, frame.frame, frame.action, frame.reward, frame.next, frame.ending);
          expected.push_back(frame);
        }
      }
      writer.end_round();
    }
    const auto words = writer.take({});
    EXPECT_EQ(words.size(), shape.most_words(link));
    Recorder memory;
    unpack_block(words, shape, link, 2, memory);
    EXPECT_EQ(memory.frames, expected);
  }
}

TEST(Block, OfAnotherShapeIsRefused) {
  const BlockShape shape{kObservation, 0, kAction, 1, 2};
  const Link link = make_link(2, 1, 0, 1, 0);
  BlockWriter writer(shape, link);
  ToWriter sink(writer);
  writer.begin(0, 0);
  give(sink, 0, row_of(0, 0, 0));
  writer.end_round();  // without shard 1
  Recorder memory;
  EXPECT_THROW(unpack_block(writer.take({}), shape, link, 1, memory), base::Error);
  EXPECT_THROW(unpack_block({}, shape, link, 1, memory), base::Error);
}

}  // namespace
}  // namespace tenfold::ddpg
