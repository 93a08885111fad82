// What an application gives to the library, and what it gets from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "comm/communicator.hpp"
#include "store/state_registry.hpp"
#include "train/device.hpp"
#include "train/flat_adam.hpp"
#include "train/gradient_reducer.hpp"
#include "train/metrics.hpp"
#include "train/roles.hpp"
#include "train/shard_plan.hpp"

namespace tenfold::train {

/// One run as an experiment sees it. Everything here outlives the experiment.
struct RunContext {
  comm::Communicator world;
  ShardPlan shards{};  ///< over all ranks, or over the learners: the others hold none of them
  std::uint32_t seed = 1;
  DeviceChoice device{};
  GradientReducer* reducer = nullptr;  ///< of the ranks that hold shards
  Metrics* metrics = nullptr;
  OptimizerOptions optimizer{};
  /// What build() found that results depend on and no option says ("render.backend"): goes into the
  /// manifest, and a resume under another one warns. Rank 0's count.
  std::map<std::string, std::string> facts = {};
  std::uint64_t step = 0;  ///< steps done, counted in the experiment's own unit over all ranks
  std::optional<Roles> roles{};  ///< nothing: all ranks do the same
  /// What an experiment cannot go on after, equal on all ranks, set in a step that leaves a sound
  /// state: the run ends with it once that state is in a checkpoint.
  std::optional<comm::AgreedError> failure{};
  /// The run's directory, for what an application keeps beside metrics and checkpoints; of a dry
  /// run one that is removed. Empty: nothing is kept.
  std::filesystem::path folder{};

  /// The ranks with the role of this one; all, where there are no roles.
  const comm::Communicator& group() const { return roles ? roles->group : world; }
};

/// One of the ten systems. The library calls, on every rank alike: build, (load), then step and
/// evaluate until total_steps, then summary. Collective calls are allowed everywhere but in build
/// and state. An exception from build is agreed on; later ones end the job unless they are
/// AgreedErrors.
class Experiment {
 public:
  virtual ~Experiment() = default;
  /// Makes environments, networks and buffers, and declares metrics. No collective calls.
  virtual void build(RunContext& context) = 0;
  /// Names everything that a checkpoint must hold. Called once, after build.
  virtual void state(store::StateRegistry& registry) = 0;
  /// One step of the loop; returns by how much context.step advances (at least 1).
  virtual std::uint64_t step(RunContext& context) = 0;
  /// Measures without changing any state that training depends on.
  virtual void evaluate(RunContext& context) = 0;
  /// What --dry-run does instead of a step: one that takes all the memory that a run will.
  virtual void rehearse(RunContext& context) { context.step += step(context); }
  /// What --dry-run says after it; peak: bytes that the largest rank came to hold, of the host,
  /// from build on. Rank 0's is printed. Collective.
  virtual std::string rehearsed(RunContext& context, double peak) {
    static_cast<void>(context);
    static_cast<void>(peak);
    return {};
  }
  /// A few lines for the end of the run; rank 0's is printed.
  virtual std::string summary(RunContext& context) = 0;

  virtual std::uint64_t total_steps() const = 0;
  virtual std::uint64_t evaluate_every() const = 0;  ///< 0: only at start and end
  virtual std::string step_unit() const = 0;         ///< "decisions", for progress and the report
};

}  // namespace tenfold::train
