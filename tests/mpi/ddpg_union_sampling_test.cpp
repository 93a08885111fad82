// papers/ddpg.md, section 3: sampling is uniform over the union of all ranks' memories, and the
// same as in a serial run.
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <array>

#include "ddpg/memory.hpp"
#include "support/training_world.hpp"

namespace tenfold::ddpg {
namespace {

constexpr std::int64_t kShards = 8, kRows = 3;
constexpr std::size_t kHeld = 10, kUnion = kShards * kHeld;

// A memory whose rewards are global indices: number * shards + shard.
class Union {
 public:
  explicit Union(const comm::Communicator& communicator)
      : training_(communicator, kShards, train::ReduceMode::kOrdered, 5),
        memory_(config(), spec(), training_.context()) {
    const auto groups = static_cast<std::int64_t>(training_.plan().local());
    const auto block = [&] { return at::zeros({groups, kRows, 1}, at::kFloat); };
    batch_ = {block(), block(), block(), block(), block(), {}, {}};
    for (std::size_t k = 0; k < training_.plan().local(); ++k) {
      for (std::size_t number = 0; number < kHeld; ++number) {
        const auto index = static_cast<float>(number * kShards + training_.plan().mine[k]);
        const std::array<float, 1> any = {0};
        memory_.add(k, any, any, index, any, rl::Ending::kNone);
      }
    }
  }
  static const Config& config() {
    static const Config config = [] {
      Config small;
      small.replay = 2 * kUnion;
      return small;
    }();
    return config;
  }
  static env::Spec spec() {
    env::Spec facts;
    facts.observation_size = facts.action_size = 1;
    return facts;
  }
  // The minibatch of all ranks, [shard][row]; shards of other ranks stay empty.
  std::array<std::vector<int>, kShards> draw(std::uint64_t number) {
    memory_.sample(batch_, kRows, number, 0);
    std::array<std::vector<int>, kShards> drawn;
    const float* at = batch_.reward.data_ptr<float>();
    for (const std::size_t shard : training_.plan().mine) {
      for (std::int64_t row = 0; row < kRows; ++row) {
        drawn[shard].push_back(static_cast<int>(*at++));
      }
    }
    return drawn;
  }
  const std::vector<std::size_t>& mine() const { return training_.plan().mine; }

 private:
  test::TrainingWorld training_;
  Memory memory_;
  Batch batch_;
};

TEST(Sampling, UniformOverTheUnionEqualsTheSerialRun) {
  Union together(comm::Communicator::world());
  Union serial(comm::Communicator::self());
  for (std::uint64_t number = 0; number < 50; ++number) {
    const auto drawn = together.draw(number);
    const auto expected = serial.draw(number);
    for (const std::size_t shard : together.mine()) {
      EXPECT_EQ(drawn[shard], expected[shard]) << "shard " << shard << ", minibatch " << number;
    }
  }
}

TEST(Sampling, EveryTransitionOfTheUnionIsAsLikely) {
  constexpr int kDraws = 2000;
  Union serial(comm::Communicator::self());
  std::array<int, kUnion> counts{};
  for (std::uint64_t number = 0; number < kDraws; ++number) {
    for (const auto& shard : serial.draw(number)) {
      for (const int index : shard) ++counts[static_cast<std::size_t>(index)];
    }
  }
  const double expected = kDraws * static_cast<double>(kRows * kShards) / kUnion;
  double chi_squared = 0;
  for (const int count : counts) {
    chi_squared += (count - expected) * (count - expected) / expected;
  }
  // 72 degrees of freedom: each shard's total is fixed. Quantiles 0.0005 and 0.9995.
  EXPECT_GT(chi_squared, 38.8);
  EXPECT_LT(chi_squared, 118.3);
}

}  // namespace
}  // namespace tenfold::ddpg
