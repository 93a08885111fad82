// The memory that stores every frame once, against a list of whole transitions.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <set>
#include <vector>

#include "base/error.hpp"
#include "rl/frame_replay.hpp"

namespace tenfold::rl {
namespace {

constexpr std::size_t kFrame = 5, kAction = 2;
using Bytes = std::vector<std::uint8_t>;

// What environment e sees at its time t: different bytes for every (e, t) of a test.
Bytes frame_of(std::size_t environment, int time) {
  return {static_cast<std::uint8_t>(environment), static_cast<std::uint8_t>(time),
          static_cast<std::uint8_t>(time / 256), 7, static_cast<std::uint8_t>(environment * time)};
}

// A row as the naive memory has it: everything of a transition, kept until it is pushed out.
struct Row {
  std::size_t environment = 0;
  bool transition = true;
  Bytes frame = {}, next = {};
  std::array<float, kAction> action{};
  float reward = 0;
  Ending ending = Ending::kNone;
  bool known = false;  // its successor has been seen
};

struct Expected {
  Bytes frame, next;
  std::array<float, kAction> action{};
  float reward = 0, discount = 0;
};

// Keeps rows in a list, oldest first, next frames with them. Rows are numbered from the start of
// time; number % capacity is the slot.
class Naive {
 public:
  explicit Naive(std::size_t capacity) : capacity_(capacity) {}
  void push(Row row) {
    rows_.push_back(std::move(row));
    ++written_;
    if (rows_.size() > capacity_) rows_.pop_front();
  }
  void see(std::size_t environment) {  // its transitions have all led somewhere by now
    for (Row& row : rows_) row.known |= row.environment == environment;
  }
  std::size_t slot(std::size_t i) const { return (written_ - rows_.size() + i) % capacity_; }
  const std::deque<Row>& rows() const { return rows_; }
  std::map<std::size_t, Expected> transitions(const NStep& n) const {
    std::map<std::size_t, Expected> all;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (!rows_[i].transition || !rows_[i].known) continue;
      Expected one{rows_[i].frame, {}, rows_[i].action, 0, 0};
      double reward = 0, discount = 1;
      std::int64_t steps = 0;
      for (std::size_t j = i; j < rows_.size() && steps < n.steps; ++j) {
        const Row& row = rows_[j];
        if (row.environment != rows_[i].environment || !row.transition || !row.known) continue;
        reward += discount * static_cast<double>(row.reward);
        discount *= n.gamma;
        ++steps;
        one.next = row.next;
        if (row.ending == Ending::kTerminal) discount = 0;
        if (row.ending != Ending::kNone) break;
      }
      one.reward = static_cast<float>(reward);
      one.discount = static_cast<float>(discount);
      all[slot(i)] = one;
    }
    return all;
  }

 private:
  std::size_t capacity_, written_ = 0;
  std::deque<Row> rows_;
};

// Environments that take turns, or decide at random times, with episodes of random lengths.
class Play {
 public:
  Play(std::size_t capacity, std::size_t environments, bool in_turns)
      : shard(capacity, kFrame, kAction, environments),
        naive(capacity),
        times_(environments),
        in_turns_(in_turns) {}
  FrameShard::Added step() {
    const std::size_t environments = times_.size();
    const std::size_t e = in_turns_ ? count_ % environments : draws_.below(environments);
    ++count_;
    const auto chance = draws_.below(8);
    Row row{.environment = e, .frame = frame_of(e, times_[e]), .next = frame_of(e, times_[e] + 1)};
    row.action = {static_cast<float>(draws_.uniform(-1, 1)), static_cast<float>(times_[e])};
    row.reward = static_cast<float>(draws_.uniform(-1, 1));
    row.ending = chance == 0 ? Ending::kTerminal : chance == 1 ? Ending::kTruncated : Ending::kNone;
    naive.see(e);
    naive.push(row);
    const auto added = shard.add(e, row.frame, row.action, row.reward, row.next, row.ending);
    times_[e] += 1;
    if (row.ending != Ending::kNone) {
      naive.see(e);
      naive.push({.environment = e, .transition = false});
      times_[e] += 1;  // the next episode starts with another frame
    }
    return added;
  }
  FrameShard shard;
  Naive naive;

 private:
  std::vector<int> times_;
  bool in_turns_;
  std::size_t count_ = 0;
  base::Stream draws_{5, base::Purpose::kTest, 0, 0};
};

struct Batch {
  explicit Batch(std::size_t rows)
      : observation(kFrame * rows),
        next(kFrame * rows),
        action(kAction * rows),
        reward(rows),
        discount(rows) {}
  FrameBatch pointers() {
    return {observation.data(), action.data(), reward.data(), next.data(), discount.data()};
  }
  Bytes observation, next;
  std::vector<float> action, reward, discount;
};

// Every slot: whether it can be drawn, and if so what it gives.
void expect_same(const FrameShard& shard, const Naive& naive, const NStep& n) {
  const auto expected = naive.transitions(n);
  std::vector<std::size_t> slots;
  for (std::size_t slot = 0; slot < shard.capacity(); ++slot) {
    EXPECT_EQ(shard.drawable(slot), expected.contains(slot)) << slot;
    if (shard.drawable(slot)) slots.push_back(slot);
  }
  ASSERT_EQ(shard.drawable_count(), expected.size());
  Batch batch(slots.size());
  shard.gather(slots, n, batch.pointers());
  const auto part = [](const Bytes& all, std::size_t row) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(row * kFrame);
    return Bytes(begin, begin + kFrame);
  };
  for (std::size_t row = 0; row < slots.size(); ++row) {
    const Expected& one = expected.at(slots[row]);
    EXPECT_EQ(part(batch.observation, row), one.frame);
    EXPECT_EQ(part(batch.next, row), one.next);
    EXPECT_EQ(batch.action[2 * row], one.action[0]);
    EXPECT_EQ(batch.action[2 * row + 1], one.action[1]);
    EXPECT_FLOAT_EQ(batch.reward[row], one.reward);
    EXPECT_FLOAT_EQ(batch.discount[row], one.discount);
  }
}

struct Case {
  std::size_t capacity, environments;
  bool in_turns;
  std::int64_t steps;
};

TEST(FrameReplay, HoldsWhatAListOfTransitionsHolds) {
  for (const Case& each : {Case{23, 1, true, 1}, Case{23, 3, true, 1}, Case{40, 3, true, 4},
                           Case{8, 3, true, 3}, Case{31, 2, false, 3}, Case{4, 1, true, 2}}) {
    SCOPED_TRACE(testing::Message() << each.capacity << " rows, " << each.environments
                                    << " environments, " << each.steps << " steps");
    Play play(each.capacity, each.environments, each.in_turns);
    const NStep n{.steps = each.steps, .gamma = 0.9};
    for (int k = 0; k < 250; ++k) {
      play.step();
      expect_same(play.shard, play.naive, n);
      if (HasFailure()) return;
    }
    EXPECT_GT(play.shard.written(), 5 * each.capacity) << "the ring went round several times";
  }
}

TEST(FrameReplay, SaysWhatAnAddChanged) {
  Play play(16, 3, true);
  std::set<std::size_t> known;
  for (int k = 0; k < 200; ++k) {
    const auto added = play.step();
    for (const std::size_t slot : added.slots) {
      if (slot == TransitionRing::kNoSlot) continue;
      known.erase(slot);
      if (play.shard.drawable(slot)) known.insert(slot);
    }
    if (added.preceding != TransitionRing::kNoSlot) known.insert(added.preceding);
    std::set<std::size_t> drawable;
    for (std::size_t slot = 0; slot < 16; ++slot) {
      if (play.shard.drawable(slot)) drawable.insert(slot);
    }
    ASSERT_EQ(known, drawable);
  }
}

TEST(FrameReplay, DrawsUniformlyOfWhatCanBeDrawn) {
  Play play(50, 3, true);
  for (int k = 0; k < 130; ++k) play.step();
  constexpr int kDraws = 40'000;
  std::map<std::size_t, double> count;
  base::Stream stream(3, base::Purpose::kTest, 1, 0);
  for (int k = 0; k < kDraws; ++k) count[play.shard.draw(stream)] += 1;
  const double slots = static_cast<double>(play.shard.drawable_count());
  ASSERT_EQ(static_cast<double>(count.size()), slots);
  double chi_square = 0;
  for (const auto& [slot, times] : count) {
    EXPECT_TRUE(play.shard.drawable(slot));
    chi_square += (times - kDraws / slots) * (times - kDraws / slots) / (kDraws / slots);
  }
  // Within 3.3 standard deviations of the mean, chi-square's k +- sqrt(2 k).
  EXPECT_NEAR(chi_square, slots - 1, 3.3 * std::sqrt(2 * (slots - 1)));
}

TEST(FrameReplay, RestoredRowsFindTheirSuccessorsAgain) {
  for (const int steps : {3, 12, 40, 101}) {
    Play unbroken(24, 3, true);
    for (int k = 0; k < steps; ++k) unbroken.step();
    FrameShard& from = unbroken.shard;
    FrameShard restored(24, kFrame, kAction, 3);
    std::copy_n(from.frames(), 24 * kFrame, restored.frames());
    std::copy_n(from.actions(), 24 * kAction, restored.actions());
    std::copy_n(from.rewards(), 24, restored.rewards());
    std::copy_n(from.terminals(), 24, restored.terminals());
    std::copy_n(from.environments(), 24, restored.environments());
    *restored.cursor() = *from.cursor();
    *restored.fill() = *from.fill();
    restored.after_load();
    EXPECT_EQ(restored.written() % 24, from.written() % 24);
    expect_same(restored, unbroken.naive, {.steps = 3, .gamma = 0.9});
    // The next frame of each environment still makes its last transition whole.
    std::swap(unbroken.shard, restored);
    for (int k = 0; k < 30; ++k) unbroken.step();
    expect_same(unbroken.shard, unbroken.naive, {.steps = 3, .gamma = 0.9});
  }
}

TEST(FrameReplay, ContradictionsAreRefused) {
  FrameShard shard(8, kFrame, kAction, 2);
  const Bytes frame = frame_of(0, 0);
  const std::array<float, kAction> action{};
  shard.add(0, frame, action, 0, frame, Ending::kNone);
  base::Stream stream(3, base::Purpose::kTest, 1, 0);
  EXPECT_THROW(shard.draw(stream), base::Error) << "what it led to is not known yet";
  Batch batch(1);
  EXPECT_THROW(shard.gather(std::array<std::size_t, 1>{0}, {}, batch.pointers()), base::Error);
  EXPECT_THROW(shard.add(2, frame, action, 0, frame, Ending::kNone), base::Error);
  EXPECT_THROW(shard.add(0, Bytes(4), action, 0, frame, Ending::kNone), base::Error);
  EXPECT_THROW(shard.add(0, frame, action, 0, Bytes(4), Ending::kTerminal), base::Error);
  EXPECT_THROW(FrameShard(5, kFrame, kAction, 2), base::Error);
  shard.environments()[0] = 2;
  EXPECT_THROW(shard.after_load(), base::Error);
}

// papers/ddpg.md, section 3: 64 x 64 x 9 bytes an observation, stored once.
TEST(FrameReplay, AFrameIsStoredOnce) {
  // Beside it: 6 actions and a reward of 4 bytes, the ending, the environment and the link.
  EXPECT_EQ(FrameShard::bytes_needed(1'000'000, 64 * 64 * 9, 6), (36'864 + 28 + 1 + 8) * 1e6);
}

}  // namespace
}  // namespace tenfold::rl
