// The replay memory of frames as ddpg uses it: several environments of a shard, priorities, returns
// over several steps, checkpoints.
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "base/error.hpp"
#include "ddpg/memory.hpp"
#include "support/state_bytes.hpp"
#include "support/training_world.hpp"

namespace tenfold::ddpg {
namespace {

constexpr std::int64_t kShards = 4, kRows = 6, kEnvs = 2, kSteps = 3;
constexpr std::size_t kFrame = 4, kCapacity = 32;
constexpr double kGamma = 0.5;

Config remembering(const std::string& sampling, std::int64_t shift = 0) {
  Config config;
  config.pixel_size = 2;
  config.augment_shift = shift;
  config.replay = kShards * static_cast<std::int64_t>(kCapacity);
  config.envs_per_shard = kEnvs;
  config.sampling = sampling;
  config.per_alpha = 0.7;
  config.per_beta = 0.5;
  config.gamma = kGamma;
  config.n_step = kSteps;
  return config;
}

env::Spec spec() {
  env::Spec facts;
  facts.observation_size = 99;  // the state, which nobody stores
  facts.action_size = 1;
  return facts;
}

// Environment e of shard s has episodes of 4 + e decisions; its frame number t of all says so.
struct Filled {
  Filled(const comm::Communicator& communicator, const std::string& sampling,
         std::int64_t shift = 0)
      : config(remembering(sampling, shift)),
        training(communicator, kShards, train::ReduceMode::kOrdered, 3),
        memory(config, spec(), training.context(), kFrame) {
    const auto groups = static_cast<std::int64_t>(training.plan().local());
    for (at::Tensor* each :
         {&batch.reward, &batch.discount, &batch.weight, &batch.error, &batch.action}) {
      *each = at::zeros({groups, kRows, 1}, at::kFloat);
    }
    batch.observation = at::zeros({groups, kRows, 2, 2, 1}, at::kByte);
    batch.next_observation = at::zeros({groups, kRows, 2, 2, 1}, at::kByte);
    memory.state(registry);
    for (int round = 0; round < 60; ++round) decide();
  }
  static std::array<std::uint8_t, kFrame> frame(std::size_t shard, std::size_t e, int t) {
    return {static_cast<std::uint8_t>(shard), static_cast<std::uint8_t>(e),
            static_cast<std::uint8_t>(t), 1};
  }
  // Whether decision number t of environment e is its episode's last, and how that ends.
  static rl::Ending ending(std::size_t e, int t) {
    const int length = 4 + static_cast<int>(e);
    if (t % length != length - 1) return rl::Ending::kNone;
    return t / length % 2 == 0 ? rl::Ending::kTerminal : rl::Ending::kTruncated;
  }
  // Frame numbers count an episode's last frame too.
  static int frame_number(std::size_t e, int t) { return t + t / (4 + static_cast<int>(e)); }
  void decide() {
    for (std::size_t k = 0; k < training.plan().local(); ++k) {
      for (std::size_t e = 0; e < kEnvs; ++e) {
        const std::size_t shard = training.plan().mine[k];
        const int number = frame_number(e, time);
        const std::array<float, 1> action = {static_cast<float>(time)};
        memory.add_frame(k, e, frame(shard, e, number), action, static_cast<float>(time),
                         frame(shard, e, number + 1), ending(e, time));
      }
    }
    ++time;
  }
  static float error_of(float time) { return 0.01F * time + 0.5F; }
  void learn(std::uint64_t number) {
    memory.sample(batch, kRows, number, 0);
    for (std::int64_t i = 0; i < batch.action.numel(); ++i) {
      batch.error.data_ptr<float>()[i] = -error_of(batch.action.data_ptr<float>()[i]);
    }
    memory.update_priorities(batch);
  }
  template <class T>
  std::vector<T> rows(const at::Tensor& block, std::size_t local_shard) const {
    const auto width = static_cast<std::size_t>(block[0].numel());
    const T* data = block.data_ptr<T>() + local_shard * width;
    return {data, data + width};
  }
  Config config;
  test::TrainingWorld training;
  Memory memory;
  Batch batch;
  store::StateRegistry registry;
  int time = 0;
};

void expect_same_rows(const Filled& a, std::size_t local_a, const Filled& b, std::size_t local_b) {
  EXPECT_EQ(a.rows<std::uint8_t>(a.batch.observation, local_a),
            b.rows<std::uint8_t>(b.batch.observation, local_b));
  EXPECT_EQ(a.rows<std::uint8_t>(a.batch.next_observation, local_a),
            b.rows<std::uint8_t>(b.batch.next_observation, local_b));
  EXPECT_EQ(a.rows<float>(a.batch.reward, local_a), b.rows<float>(b.batch.reward, local_b));
  EXPECT_EQ(a.rows<float>(a.batch.weight, local_a), b.rows<float>(b.batch.weight, local_b));
}

class FrameMemory : public testing::TestWithParam<const char*> {};

TEST_P(FrameMemory, MinibatchesAreTransitionsThatHappened) {
  Filled filled(comm::Communicator::world(), GetParam());
  int ends = 0, cut = 0;
  for (std::uint64_t number = 0; number < 60; ++number) {
    if (number % 5 == 0) filled.decide();
    filled.learn(number);
    // What the newest decision led to has only been seen where it ended the episode.
    const auto seen = [&](std::size_t e, int t) {
      return t < filled.time - 1 ||
             (t == filled.time - 1 && Filled::ending(e, t) != rl::Ending::kNone);
    };
    for (std::size_t k = 0; k < filled.training.plan().local(); ++k) {
      const auto frames = filled.rows<std::uint8_t>(filled.batch.observation, k);
      const auto next = filled.rows<std::uint8_t>(filled.batch.next_observation, k);
      const auto times = filled.rows<float>(filled.batch.action, k);
      const auto rewards = filled.rows<float>(filled.batch.reward, k);
      const auto discounts = filled.rows<float>(filled.batch.discount, k);
      for (std::size_t row = 0; row < kRows; ++row) {
        const std::size_t shard = filled.training.plan().mine[k], e = frames[row * kFrame + 1];
        const int t = static_cast<int>(times[row]);
        double reward = 0, discount = 1;
        int last = t;
        int steps = 0;
        for (; steps < kSteps && seen(e, t + steps); ++steps) {
          last = t + steps;
          reward += discount * last;
          discount *= kGamma;
          if (Filled::ending(e, last) != rl::Ending::kNone) break;
        }
        const auto first = Filled::frame(shard, e, Filled::frame_number(e, t));
        const auto after = Filled::frame(shard, e, Filled::frame_number(e, last) + 1);
        EXPECT_EQ(std::memcmp(&frames[row * kFrame], first.data(), kFrame), 0) << t;
        EXPECT_EQ(std::memcmp(&next[row * kFrame], after.data(), kFrame), 0) << t;
        ASSERT_TRUE(seen(e, t)) << t;
        const rl::Ending ending = Filled::ending(e, last);
        ends += ending != rl::Ending::kNone ? 1 : 0;
        cut += ending == rl::Ending::kNone && steps < kSteps ? 1 : 0;
        const bool terminal = ending == rl::Ending::kTerminal;
        EXPECT_FLOAT_EQ(rewards[row], static_cast<float>(reward)) << t;
        EXPECT_FLOAT_EQ(discounts[row], terminal ? 0.0F : static_cast<float>(discount)) << t;
      }
    }
  }
  EXPECT_GT(ends, 20);
  EXPECT_GT(cut, 0) << "by the present";
}

TEST_P(FrameMemory, MinibatchesDependOnTheShardNotOnTheRank) {
  for (const std::int64_t shift : {0, 1}) {
    Filled together(comm::Communicator::world(), GetParam(), shift);
    Filled alone(comm::Communicator::self(), GetParam(), shift);
    for (std::uint64_t number = 0; number < 9; ++number) {
      together.learn(number);
      alone.learn(number);
      for (const std::size_t shard : together.training.plan().mine) {
        expect_same_rows(together, together.training.plan().local_index(shard), alone, shard);
      }
    }
  }
}

TEST_P(FrameMemory, ShiftsMoveFramesAndNothingElse) {
  Filled still(comm::Communicator::self(), GetParam());
  Filled moved(comm::Communicator::self(), GetParam(), 1);
  std::vector<bool> same;
  for (std::uint64_t number = 0; number < 9; ++number) {
    still.learn(number);
    moved.learn(number);
    for (std::size_t shard = 0; shard < kShards; ++shard) {
      EXPECT_EQ(still.rows<float>(still.batch.action, shard),
                moved.rows<float>(moved.batch.action, shard));
      EXPECT_EQ(still.rows<float>(still.batch.reward, shard),
                moved.rows<float>(moved.batch.reward, shard));
      const auto before = still.rows<std::uint8_t>(still.batch.observation, shard);
      const auto after = moved.rows<std::uint8_t>(moved.batch.observation, shard);
      for (std::size_t row = 0; row < kRows; ++row) {
        const auto* const frame = &before[row * kFrame];
        const auto* const other = &after[row * kFrame];
        for (std::size_t k = 0; k < kFrame; ++k) {
          EXPECT_NE(std::find(frame, frame + kFrame, other[k]), frame + kFrame);
        }
        same.push_back(std::equal(frame, frame + kFrame, other));
      }
    }
  }
  // Of the 9 shifts of 2 x 2 different bytes one leaves them alone.
  const auto share = static_cast<double>(std::count(same.begin(), same.end(), true)) /
                     static_cast<double>(same.size());
  EXPECT_LT(share, 0.5);
}

TEST_P(FrameMemory, GoesOnFromWhatWasSaved) {
  Filled unbroken(comm::Communicator::self(), GetParam());
  Filled resumed(comm::Communicator::self(), GetParam());
  for (std::uint64_t number = 0; number < 5; ++number) unbroken.learn(number);
  for (int round = 0; round < 9; ++round) resumed.decide();  // of another past
  for (std::size_t f = 0; f < resumed.registry.fields().size(); ++f) {
    const store::StateField& from = unbroken.registry.fields()[f];
    const store::StateField& to = resumed.registry.fields()[f];
    std::uint64_t count = 1;
    for (const std::uint64_t extent : from.shape) count *= extent;
    for (std::size_t shard = 0; shard < kShards; ++shard) {
      std::memcpy(to.data(shard), from.data(shard), count * store::dtype_size(from.dtype));
    }
  }
  resumed.time = unbroken.time;
  resumed.registry.after_load();
  EXPECT_EQ(resumed.memory.transitions_per_shard(), unbroken.memory.transitions_per_shard());
  for (std::uint64_t number = 5; number < 20; ++number) {
    unbroken.decide();
    resumed.decide();
    unbroken.learn(number);
    resumed.learn(number);
    for (std::size_t shard = 0; shard < kShards; ++shard) {
      EXPECT_EQ(resumed.memory.held(shard), unbroken.memory.held(shard));
      expect_same_rows(unbroken, shard, resumed, shard);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sampling, FrameMemory, testing::Values("uniform", "prioritised"),
                         [](const auto& each) { return std::string(each.param); });

TEST(FrameMemory, WeightsUndoThePriorities) {
  Filled filled(comm::Communicator::self(), "prioritised");
  for (std::uint64_t number = 0; number < 40; ++number) filled.learn(number);
  filled.memory.sample(filled.batch, kRows, 40, 0.25);
  const double beta = 0.5 + 0.5 * 0.25;
  std::vector<double> expected;
  const auto state = test::state_bytes(filled.registry, filled.training.plan().mine);
  for (std::size_t shard = 0; shard < kShards; ++shard) {
    const std::string at = "@" + std::to_string(shard);
    const auto priorities = test::values_of<double>(state, "replay/priority" + at);
    const auto times = test::values_of<float>(state, "replay/action" + at);
    const auto endings = test::values_of<std::uint8_t>(state, "replay/terminal" + at);
    double total = 0, drawable = 0;
    for (std::size_t slot = 0; slot < priorities.size(); ++slot) {
      const bool newest = times[slot] == static_cast<float>(filled.time - 1) && endings[slot] == 0;
      if (endings[slot] == 3 || newest) {
        EXPECT_EQ(priorities[slot], 0) << "no transition that leads anywhere";
        continue;
      }
      const double learned =
          std::pow(static_cast<double>(Filled::error_of(times[slot])) + 1e-6, 0.7);
      EXPECT_TRUE(std::abs(priorities[slot] - learned) < 1e-12 || priorities[slot] >= 1.0);
      total += priorities[slot];
      drawable += 1;
    }
    EXPECT_EQ(drawable, static_cast<double>(filled.memory.held(shard)));
    const auto owners = test::values_of<std::uint32_t>(state, "replay/environment" + at);
    const auto drawn = filled.rows<float>(filled.batch.action, shard);
    const auto frames = filled.rows<std::uint8_t>(filled.batch.observation, shard);
    for (std::size_t row = 0; row < kRows; ++row) {
      double priority = 0;
      for (std::size_t slot = 0; slot < times.size(); ++slot) {
        const bool same = times[slot] == drawn[row] && owners[slot] == frames[row * kFrame + 1];
        if (same && endings[slot] != 3) priority = priorities[slot];
      }
      expected.push_back(std::pow(drawable * priority / total, -beta));
    }
  }
  const double largest = *std::max_element(expected.begin(), expected.end());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(filled.batch.weight.data_ptr<float>()[i], expected[i] / largest, 1e-6);
  }
}

TEST(FrameMemory, CheckpointsHoldEveryFrameOnce) {
  Filled filled(comm::Communicator::self(), "uniform");
  std::uint64_t row = 0;
  for (const store::StateField& field : filled.registry.fields()) {
    if (!field.written) continue;
    std::uint64_t bytes = store::dtype_size(field.dtype);
    for (std::size_t i = 1; i < field.shape.size(); ++i) bytes *= field.shape[i];
    row += bytes;
    EXPECT_EQ(field.shape.front(), kCapacity);
  }
  // The frame, an action of one number, the reward, the ending, the environment.
  EXPECT_EQ(row, kFrame + 4 + 4 + 1 + 4);
}

TEST(FrameMemory, TooFewFramesAreRefused) {
  Config config = remembering("uniform");
  config.replay = kShards * 5;
  test::TrainingWorld training(comm::Communicator::self(), kShards);
  try {
    Memory memory(config, spec(), training.context(), kFrame);
    ADD_FAILURE() << "5 frames for 2 environments";
  } catch (const base::Error& error) {
    EXPECT_EQ(error.code(), base::Code::kUsage);
    EXPECT_NE(std::string(error.what()).find("at least 6"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace tenfold::ddpg
