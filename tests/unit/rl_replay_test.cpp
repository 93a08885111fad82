#include <gtest/gtest.h>

#include <array>
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
  replay.add(observation, action, 10 * value, next, n % 3 == 0);
}

struct Batch {
  explicit Batch(std::size_t rows)
      : observation(2 * rows), action(rows), reward(rows), next(2 * rows), terminal(rows) {}
  std::vector<float> observation, action, reward, next, terminal;
};

Batch draw(const ReplayShard& replay, std::size_t rows, std::uint64_t step = 0) {
  Batch batch(rows);
  base::Stream stream(3, base::Purpose::kTest, 1, step);
  replay.sample(stream, rows, batch.observation.data(), batch.action.data(), batch.reward.data(),
                batch.next.data(), batch.terminal.data());
  return batch;
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
    EXPECT_EQ(batch.terminal[row], static_cast<int>(n) % 3 == 0 ? 1.0F : 0.0F);
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
  EXPECT_EQ(draw(unbroken, 100).terminal, draw(second, 100).terminal);
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
  EXPECT_THROW(replay.add(wide, action, 0, wide, false), base::Error);
  EXPECT_THROW(ReplayShard(0, 2, 1), base::Error);
}

TEST(Replay, BytesNeededIsWhatIsStored) {
  // 17 + 17 observations, 6 actions and a reward of 4 bytes, and 1 byte for the flag.
  EXPECT_EQ(ReplayShard::bytes_needed(1'000'000, 17, 6), 165e6);
}

}  // namespace
}  // namespace tenfold::rl
