// A small state of every kind that a checkpoint can hold, with contents that are a function of
// (seed, field, shard, index), and a folder that all ranks share.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "comm/communicator.hpp"
#include "store/checkpoint_store.hpp"

namespace tenfold::store {

inline constexpr std::size_t kShards = 8;
/// Above the size up to which a rank's rows are packed into one transfer.
inline constexpr std::uint64_t kWide = 300000;

inline ShardMap shard_map(const comm::Communicator& communicator, std::size_t shards = kShards) {
  ShardMap map{shards, {}};
  for (auto shard = static_cast<std::size_t>(communicator.rank()); shard < shards;
       shard += static_cast<std::size_t>(communicator.size())) {
    map.mine.push_back(shard);
  }
  return map;
}

/// One rank's part of the state.
class Model {
 public:
  explicit Model(const ShardMap& map) : map_(map) {
    weights.assign(37, 0);
    large.assign(kWide, 0);
    for (const std::size_t shard : map.mine) {
      counter[shard] = 0;
      replay[shard].assign(50 * 3, 0);
      wide[shard].assign(kWide, 0);
    }
  }

  /// Rows of the replay that are in use; none in shard 3.
  static std::uint64_t used(std::size_t shard) { return shard == 3 ? 0 : 5 + 6 * shard; }

  static double expected(int seed, int field, std::size_t shard, std::size_t index) {
    return seed * 1000003.0 + field * 10007.0 + static_cast<double>(shard * 131 + index);
  }

  void fill(int seed) {
    step = static_cast<std::int64_t>(expected(seed, 0, 0, 0));
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = expected(seed, 1, 0, i);
    for (std::size_t i = 0; i < large.size(); ++i) {
      large[i] = static_cast<float>(static_cast<std::uint32_t>(expected(seed, 2, 0, i)) % 65536);
    }
    for (const std::size_t shard : map_.mine) {
      counter[shard] = static_cast<std::uint64_t>(expected(seed, 3, shard, 0));
      for (std::size_t i = 0; i < used(shard) * 3; ++i) {
        replay[shard][i] = static_cast<float>(i + 1) + static_cast<float>(shard) * 1000 +
                           static_cast<float>(seed) * 100000;
      }
      for (std::size_t i = 0; i < kWide; ++i) {
        wide[shard][i] =
            static_cast<std::uint8_t>(i * 7 + shard * 13 + static_cast<unsigned>(seed));
      }
    }
  }

  void clear() {
    const Model blank(map_);
    *this = blank;
  }

  bool operator==(const Model& other) const {
    return step == other.step && weights == other.weights && large == other.large &&
           counter == other.counter && replay == other.replay && wide == other.wide;
  }

  StateRegistry registry(const std::string& task = "cartpole") {
    StateRegistry all;
    all.identity("task", task);
    all.identity("actor_net", "64-64");
    all.replicated("progress/step", &step);
    all.replicated("model/actor/layer0.weight", weights.data(), {37});
    all.replicated("model/large", large.data(), {kWide / 3, 3});
    all.sharded<std::uint64_t>("rng/counter", {}, [this](std::size_t s) { return &counter[s]; });
    all.sharded<float>(
        "replay/observation", {50, 3}, [this](std::size_t s) { return replay[s].data(); },
        &Model::used);
    all.sharded<std::uint8_t>("env/wide", {kWide},
                              [this](std::size_t s) { return wide[s].data(); });
    return all;
  }

  std::int64_t step = 0;
  std::vector<double> weights;
  std::vector<float> large;
  std::map<std::size_t, std::uint64_t> counter;
  std::map<std::size_t, std::vector<float>> replay;
  std::map<std::size_t, std::vector<std::uint8_t>> wide;

 private:
  ShardMap map_;
};

/// Tests over all ranks of the world. Every call of save and load is made by every rank; failures
/// are EXPECTs, so that no rank leaves a collective early.
class CheckpointTest : public ::testing::Test {
 protected:
  CheckpointTest() : world_(comm::Communicator::world()) {
    std::string pattern = (std::filesystem::temp_directory_path() / "tenfold-XXXXXX").string();
    if (world_.is_root()) pattern = ::mkdtemp(pattern.data());
    folder_ = world_.broadcast_text(pattern);
  }
  ~CheckpointTest() override {
    world_.barrier();
    if (world_.is_root()) std::filesystem::remove_all(folder_);
  }

  CheckpointStore store(RetentionPolicy retention = {10, 0}) const {
    return {world_, folder_, shard_map(world_), retention};
  }
  Model filled(int seed) const {
    Model model(shard_map(world_));
    model.fill(seed);
    return model;
  }
  /// Saves the state of seed as step; every rank.
  SaveReport save(std::uint64_t step, int seed, const std::string& task = "cartpole") const {
    Model model = filled(seed);
    return store().save(step, model.registry(task), {});
  }
  /// Runs body on rank 0 while the others wait.
  template <class Body>
  void on_root(Body&& body) const {
    world_.barrier();
    if (world_.is_root()) body();
    world_.barrier();
  }
  template <class Body>
  static std::optional<base::Error> error_of(Body&& body) {
    try {
      body();
    } catch (const base::Error& error) {
      return error;
    }
    return std::nullopt;
  }
  static std::string read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void write_file(const std::filesystem::path& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
  }
  bool has_partial() const {
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      if (entry.path().extension() == ".partial") return true;
    }
    return false;
  }

  comm::Communicator world_;
  std::filesystem::path folder_;
};

}  // namespace tenfold::store
