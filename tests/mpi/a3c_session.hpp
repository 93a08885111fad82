// One run of a3c without its run directory.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "a3c/experiment.hpp"
#include "support/state_bytes.hpp"
#include "support/training_world.hpp"

namespace tenfold::a3c {

/// A few hundred decisions of four actors, in which episodes end and are cut.
inline Config short_run(const std::string& method) {
  Config config;
  config.method = method;
  config.horizon = 13;
  config.net = {8};
  config.total_steps = 400;
  config.block = 100;
  config.target_period = 30;
  config.epsilon_anneal = 300;
  config.eval_episodes = 6;
  return config;
}

class Session {
 public:
  static constexpr std::int64_t kActors = 4;

  Session(const comm::Communicator& ranks, const Config& config,
          train::ReduceMode mode = train::ReduceMode::kOrdered)
      : config_(config), training_(ranks, kActors, mode), experiment_(config_) {
    experiment_.build(training_.context());
    experiment_.state(registry_);
  }

  /// Returns by how much.
  std::uint64_t step() {
    const std::uint64_t more = experiment_.step(training_.context());
    training_.context().step += more;
    return more;
  }
  void go_to(std::uint64_t step_number) {
    while (training_.context().step < step_number) step();
  }
  /// What a checkpoint moves from one process to another, of an actor that plays all shards.
  void load(const Session& other) {
    other.registry_.before_save();
    for (std::size_t f = 0; f < registry_.fields().size(); ++f) {
      const store::StateField& from = other.registry_.fields()[f];
      std::uint64_t bytes = store::dtype_size(from.dtype);
      for (const std::uint64_t extent : from.shape) bytes *= extent;
      const bool sharded = from.scope == store::Scope::kSharded;
      for (const std::size_t shard :
           sharded ? training_.plan().mine : std::vector<std::size_t>{0}) {
        std::memcpy(registry_.fields()[f].data(shard), from.data(shard), bytes);
      }
    }
    registry_.after_load();
    training_.context().step = other.training_.context().step;
  }

  std::map<std::string, std::string> state() const {
    return test::state_bytes(registry_, training_.plan().mine);
  }
  std::int64_t number(const std::string& name) const {
    return test::values_of<std::int64_t>(state(), name).front();
  }
  std::vector<float> parameters() const {
    std::vector<float> all;
    for (const auto& [name, bytes] : state()) {
      if (!name.starts_with("model/")) continue;
      const auto values = test::values_of<float>({{name, bytes}}, name);
      all.insert(all.end(), values.begin(), values.end());
    }
    return all;
  }
  /// Of all actors of all ranks, by what they say themselves. Collective.
  std::int64_t decisions_of_actors() const {
    std::int64_t sum = 0;
    for (const auto& [name, bytes] : state()) {
      if (!name.starts_with("actors/decisions@")) continue;
      sum +=
          static_cast<std::int64_t>(test::values_of<std::uint64_t>({{name, bytes}}, name).front());
    }
    return training_.context().world.all_reduce(sum * config_.envs_per_actor, comm::Op::kSum);
  }
  const store::StateRegistry& registry() const { return registry_; }
  train::RunContext& context() { return training_.context(); }
  train::Metrics& metrics() { return training_.metrics(); }

 private:
  Config config_;
  test::TrainingWorld training_;
  Experiment experiment_;
  store::StateRegistry registry_;
};

/// Everything that the first session's ranks hold, also of the second's.
inline void expect_same_bits(const Session& mine, const Session& whole) {
  const auto expected = whole.state();
  for (const auto& [name, bytes] : mine.state()) {
    EXPECT_TRUE(expected.at(name) == bytes) << name << " differs";
  }
}

}  // namespace tenfold::a3c
