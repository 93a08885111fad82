#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "rl/replay.hpp"

namespace tenfold::rl {
namespace {

// Transition number n: every field tells n.
void add_numbered(ReplayShard& replay, int n) {
  const auto value = static_cast<float>(n);
  const std::array<float, 2> observation = {value, value + 0.25F};
  const std::array<float, 1> action = {-value};
  const std::array<float, 2> next = {value + 1, value + 1.25F};
  replay.add(observation, action, 10 * value, next, n % 3 == 0 ? Ending::kTerminal : Ending::kNone);
}

struct Batch {
  explicit Batch(std::size_t rows)
      : observation(2 * rows), action(rows), reward(rows), next(2 * rows), discount(rows) {}
  std::vector<float> observation, action, reward, next, discount;
};

Batch gather(const ReplayShard& replay, const std::vector<std::size_t>& slots,
             const NStep& n = {.steps = 1, .gamma = 0.5, .stride = 1}) {
  Batch batch(slots.size());
  replay.gather(slots, n,
                {batch.observation.data(), batch.action.data(), batch.reward.data(),
                 batch.next.data(), batch.discount.data()});
  return batch;
}

Batch draw(const ReplayShard& replay, std::size_t rows, std::uint64_t step = 0) {
  base::Stream stream(3, base::Purpose::kTest, 1, step);
  std::vector<std::size_t> slots;
  for (std::size_t row = 0; row < rows; ++row) slots.push_back(replay.draw(stream));
  return gather(replay, slots);
}

TEST(Replay, OverwritesTheOldestFirst) {
  ReplayShard replay(5, 2, 1);
  for (int n = 0; n < 13; ++n) {
    add_numbered(replay, n);
    EXPECT_EQ(replay.size(), static_cast<std::size_t>(std::min(n + 1, 5)));
    EXPECT_EQ(*replay.cursor(), static_cast<std::uint64_t>((n + 1) % 5));
    std::set<int> held;
    for (std::size_t slot = 0; slot < replay.size(); ++slot) {
      held.insert(static_cast<int>(replay.observations()[2 * slot]));
    }
    std::set<int> expected;
    for (int k = std::max(0, n - 4); k <= n; ++k) expected.insert(k);
    EXPECT_EQ(held, expected);
  }
}

TEST(Replay, FieldsOfARowBelongTogether) {
  ReplayShard replay(7, 2, 1);
  for (int n = 0; n < 20; ++n) add_numbered(replay, n);
  const Batch batch = draw(replay, 200);
  for (std::size_t row = 0; row < 200; ++row) {
    const float n = batch.observation[2 * row];
    EXPECT_GE(n, 13);
    EXPECT_LE(n, 19);
    EXPECT_EQ(batch.observation[2 * row + 1], n + 0.25F);
    EXPECT_EQ(batch.action[row], -n);
    EXPECT_EQ(batch.reward[row], 10 * n);
    EXPECT_EQ(batch.next[2 * row], n + 1);
    EXPECT_EQ(batch.next[2 * row + 1], n + 1.25F);
    EXPECT_EQ(batch.discount[row], static_cast<int>(n) % 3 == 0 ? 0.0F : 0.5F);
  }
}

TEST(Replay, NeverDrawsAnUnwrittenSlot) {
  ReplayShard replay(1000, 2, 1);
  for (int n = 1; n <= 3; ++n) add_numbered(replay, n);
  const Batch batch = draw(replay, 3000);
  std::set<float> seen(batch.reward.begin(), batch.reward.end());
  EXPECT_EQ(seen, (std::set<float>{10, 20, 30}));
}

TEST(Replay, DrawsUniformly) {
  constexpr int kSlots = 50;
  constexpr std::size_t kDraws = 100'000;
  ReplayShard replay(kSlots, 2, 1);
  for (int n = 0; n < 3 * kSlots / 2; ++n) add_numbered(replay, n);
  const Batch batch = draw(replay, kDraws);
  std::vector<double> count(3 * kSlots / 2);
  for (const float reward : batch.reward) count[static_cast<std::size_t>(reward / 10)] += 1;
  double chi_square = 0;
  const double expected = static_cast<double>(kDraws) / kSlots;
  for (std::size_t n = kSlots / 2; n < count.size(); ++n) {
    chi_square += (count[n] - expected) * (count[n] - expected) / expected;
  }
  EXPECT_LT(chi_square, 85.35);  // 49 degrees of freedom, 99.9th percentile
  EXPECT_GT(chi_square, 23.98);  // 0.1th percentile: draws that are too even are not random
}

TEST(Replay, DrawsAreAFunctionOfTheStream) {
  ReplayShard replay(100, 2, 1);
  for (int n = 0; n < 100; ++n) add_numbered(replay, n);
  EXPECT_EQ(draw(replay, 64, 5).reward, draw(replay, 64, 5).reward);
  EXPECT_NE(draw(replay, 64, 5).reward, draw(replay, 64, 6).reward);
}

TEST(Replay, RestoredStorageContinuesWhereItStopped) {
  ReplayShard unbroken(5, 2, 1);
  ReplayShard first(5, 2, 1);
  for (int n = 0; n < 8; ++n) {
    add_numbered(unbroken, n);
    add_numbered(first, n);
  }
  ReplayShard second(5, 2, 1);
  std::copy_n(first.observations(), 10, second.observations());
  std::copy_n(first.actions(), 5, second.actions());
  std::copy_n(first.rewards(), 5, second.rewards());
  std::copy_n(first.next_observations(), 10, second.next_observations());
  std::copy_n(first.terminals(), 5, second.terminals());
  *second.cursor() = *first.cursor();
  *second.fill() = *first.fill();
  add_numbered(unbroken, 8);
  add_numbered(second, 8);
  EXPECT_EQ(draw(unbroken, 100).observation, draw(second, 100).observation);
  EXPECT_EQ(draw(unbroken, 100).discount, draw(second, 100).discount);
}

TEST(Replay, CountsWhatItEverHeldOrTheLeastThatFits) {
  ReplayShard replay(5, 2, 1);
  for (int n = 0; n < 13; ++n) {
    EXPECT_EQ(replay.written(), static_cast<std::uint64_t>(n));
    add_numbered(replay, n);
  }
  // (cursor, fill) -> rows that were written at least
  const std::uint64_t known[][3] = {{0, 0, 0}, {3, 3, 3}, {0, 5, 5}, {4, 5, 9}};
  for (const auto& [cursor, fill, written] : known) {
    *replay.cursor() = cursor;
    *replay.fill() = fill;
    replay.after_load();
    EXPECT_EQ(replay.written(), written);
    EXPECT_EQ(replay.written() % 5, cursor);
  }
  const std::uint64_t wrong[][2] = {{5, 5}, {0, 6}, {2, 3}, {3, 2}};
  for (const auto& [cursor, fill] : wrong) {
    *replay.cursor() = cursor;
    *replay.fill() = fill;
    EXPECT_THROW(replay.after_load(), base::Error) << cursor << " " << fill;
  }
}

TEST(Replay, EmptyMemoryAndWrongWidthsAreRefused) {
  ReplayShard replay(4, 2, 1);
  EXPECT_THROW(draw(replay, 1), base::Error);
  const std::array<float, 3> wide{};
  const std::array<float, 1> action{};
  EXPECT_THROW(replay.add(wide, action, 0, wide, Ending::kNone), base::Error);
  EXPECT_THROW(ReplayShard(0, 2, 1), base::Error);
}

// One environment's transition t: reward and observation tell t.
void add_timed(ReplayShard& replay, float t, Ending ending = Ending::kNone) {
  const std::array<float, 2> observation = {t, 0}, next = {t + 1, 0};
  const std::array<float, 1> action = {0};
  replay.add(observation, action, t, next, ending);
}

// papers/ddpg.md, oracle 9.4: rewards 1, 2, 3, gamma 0.5, Q' 8 -> 3.75.
TEST(NStep, SumsDiscountedRewardsAndBootstrapsBehindThem) {
  ReplayShard replay(10, 2, 1);
  for (int t = 1; t <= 5; ++t) add_timed(replay, static_cast<float>(t));
  const Batch batch = gather(replay, {0}, {.steps = 3, .gamma = 0.5, .stride = 1});
  EXPECT_EQ(batch.reward[0], 1 + 0.5F * 2 + 0.25F * 3);
  EXPECT_EQ(batch.next[0], 4);
  EXPECT_EQ(batch.discount[0], 0.125F);
  EXPECT_EQ(batch.reward[0] + batch.discount[0] * 8, 3.75F);
}

TEST(NStep, EndsWithTheEpisodeAndWithTheNewestTransition) {
  ReplayShard replay(10, 2, 1);
  add_timed(replay, 1);
  add_timed(replay, 2, Ending::kTruncated);
  add_timed(replay, 3);
  add_timed(replay, 4, Ending::kTerminal);
  add_timed(replay, 5);
  const Batch batch = gather(replay, {0, 2, 3, 4}, {.steps = 4, .gamma = 0.5, .stride = 1});
  EXPECT_EQ(batch.reward, (std::vector<float>{2, 5, 4, 5}));
  // A time limit bootstraps from the true last observation, a terminal state does not.
  EXPECT_EQ(batch.discount, (std::vector<float>{0.25F, 0, 0, 0.5F}));
  EXPECT_EQ((std::vector<float>{batch.next[0], batch.next[2], batch.next[4], batch.next[6]}),
            (std::vector<float>{3, 5, 5, 6}));
}

TEST(NStep, FollowsOneOfSeveralEnvironmentsThroughTheWrap) {
  constexpr std::size_t kEnvs = 3, kCapacity = 12;
  ReplayShard replay(kCapacity, 2, 1);
  // 7 rounds: those of times 3 to 6 are held; environment e's times are 100 e + t.
  for (int t = 0; t < 7; ++t) {
    for (std::size_t e = 0; e < kEnvs; ++e) {
      add_timed(replay, static_cast<float>(100 * e) + static_cast<float>(t));
    }
  }
  std::vector<std::size_t> slots(kCapacity);
  for (std::size_t slot = 0; slot < kCapacity; ++slot) slots[slot] = slot;
  const Batch batch = gather(replay, slots, {.steps = 3, .gamma = 1.0, .stride = kEnvs});
  for (std::size_t slot = 0; slot < kCapacity; ++slot) {
    const float first = batch.observation[2 * slot];
    const float base = 100 * std::floor(first / 100);
    const float steps = std::min(3.0F, 7 - (first - base));
    float sum = 0;
    for (float k = 0; k < steps; ++k) sum += first + k;
    EXPECT_EQ(batch.reward[slot], sum) << first;
    EXPECT_EQ(batch.next[2 * slot], first + steps) << first;
  }
  EXPECT_THROW(gather(replay, {0}, {.steps = 2, .gamma = 1, .stride = 5}), base::Error);
}

TEST(Replay, BytesNeededIsWhatIsStored) {
  // 17 + 17 observations, 6 actions and a reward of 4 bytes, and 1 byte for the flag.
  EXPECT_EQ(ReplayShard::bytes_needed(1'000'000, 17, 6), 165e6);
}

}  // namespace
}  // namespace tenfold::rl
