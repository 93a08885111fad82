// A state with rings, whose rows are a function of (shard, number), and its checkpoints.
#pragma once

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "checkpoint_model.hpp"
#include "store/checkpoint_commit.hpp"

namespace tenfold::store {

inline constexpr std::uint64_t kSlots = 10;
/// Wide enough that several rows of one rank are not packed into one transfer.
inline constexpr std::uint64_t kWideRow = 40000;

/// One rank's shards. Equal counts mean equal memory, so every test knows what must be there.
class Rings {
 public:
  explicit Rings(const ShardMap& map, std::uint64_t slots = kSlots) : map_(map), slots_(slots) {
    for (const std::size_t shard : map.mine) {
      count[shard] = 0;
      narrow[shard].assign(slots * 3, 0);
      wide[shard].assign(slots * kWideRow, 0);
    }
  }

  /// rows(shard) more rows of each, the way a replay memory takes them.
  void add(const std::function<std::uint64_t(std::size_t shard)>& rows) {
    ++step;
    for (const std::size_t shard : map_.mine) {
      for (std::uint64_t n = rows(shard); n > 0; --n) {
        const std::uint64_t number = count[shard]++, slot = number % slots_;
        for (std::size_t i = 0; i < 3; ++i) {
          narrow[shard][slot * 3 + i] =
              static_cast<float>(number * 10 + i) + 0.5F * static_cast<float>(shard);
        }
        for (std::size_t i = 0; i < kWideRow; ++i) {
          wide[shard][slot * kWideRow + i] = static_cast<std::uint8_t>(number + shard * 37 + i % 7);
        }
      }
    }
  }
  void add_each(std::uint64_t rows) {
    add([rows](std::size_t) { return rows; });
  }
  /// Slots that are not in use mean nothing.
  bool operator==(const Rings& other) const {
    const auto same = [this](const auto& mine, const auto& theirs, std::uint64_t width) {
      for (const auto& [shard, values] : mine) {
        const auto used = std::min(count.at(shard), slots_) * width;
        const auto end = values.begin() + static_cast<std::ptrdiff_t>(used);
        if (!std::equal(values.begin(), end, theirs.at(shard).begin())) return false;
      }
      return true;
    };
    return step == other.step && count == other.count && same(narrow, other.narrow, 3) &&
           same(wide, other.wide, kWideRow);
  }

  StateRegistry registry(bool increments = true) {
    StateRegistry all;
    const auto written = [this](std::size_t shard) { return count[shard]; };
    all.identity("task", "rings");
    all.replicated("progress/step", &step);
    all.sharded<std::uint64_t>("replay/count", {}, [this](std::size_t s) { return &count[s]; });
    all.ring<float>(
        "replay/narrow", {slots_, 3}, [this](std::size_t s) { return narrow[s].data(); }, written);
    all.ring<std::uint8_t>(
        "replay/wide", {slots_, kWideRow}, [this](std::size_t s) { return wide[s].data(); },
        written);
    all.set_increments(increments);
    return all;
  }

  std::int64_t step = 0;
  std::map<std::size_t, std::uint64_t> count;
  std::map<std::size_t, std::vector<float>> narrow;
  std::map<std::size_t, std::vector<std::uint8_t>> wide;

 private:
  ShardMap map_;
  std::uint64_t slots_;
};

class RingTest : public CheckpointTest {
 protected:
  std::filesystem::path folder_of(std::uint64_t step) const { return folder_ / step_name(step); }
  CommitRecord record(std::uint64_t step) const { return read_commit(folder_of(step)); }
  std::vector<std::uint64_t> needs(std::uint64_t step) const {
    std::vector<std::uint64_t> steps;
    for (const auto& need : record(step).needs) steps.push_back(need.step);
    return steps;
  }
  std::vector<std::uint64_t> steps() const {
    world_.barrier();
    std::vector<std::uint64_t> all;
    for (const auto& path : list_checkpoints(folder_)) all.push_back(read_commit(path).step);
    world_.barrier();
    return all;
  }
  /// What a new process on the same ranks finds at a step.
  void expect_at(std::uint64_t step, const Rings& expected, std::uint64_t slots = kSlots) const {
    Rings found(shard_map(world_), slots);
    store().load(folder_of(step), found.registry());
    EXPECT_EQ(found, expected) << step;
  }
};

}  // namespace tenfold::store
