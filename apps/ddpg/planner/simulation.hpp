// What a planner asks of the thing it plans for: copies of one simulation, set to any state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "env/registry.hpp"
#include "env/smooth_batch_env.hpp"

namespace tenfold::ddpg {

/// Rows are independent copies. Actions lie in [-1, 1].
class Simulation {
 public:
  virtual ~Simulation() = default;
  virtual std::size_t rows() const = 0;
  virtual std::size_t state_size() const = 0;
  virtual std::size_t action_size() const = 0;
  /// Directions in which a state can be moved; 0: it cannot, and derivatives cannot be taken.
  virtual std::size_t tangent_size() const = 0;

  virtual void load(std::size_t row, std::span<const double> state) = 0;
  virtual void save(std::size_t row, std::span<double> state) const = 0;
  /// One decision in every row: actions [rows, action_size], costs [rows]. A row that has ended
  /// stays where it is and costs what a decision without reward costs.
  virtual void step(std::span<const float> actions, std::span<double> costs) = 0;
  /// Whether the row has ended (a fall, unstable physics) since it was loaded.
  virtual bool ended(std::size_t row) const = 0;

  virtual void displace(std::span<double> state, std::span<const double> tangent) const = 0;
  virtual void difference(std::span<const double> from, std::span<const double> to,
                          std::span<double> tangent) const = 0;
};

/// Makes a simulation of that many rows.
using SimulationFactory = std::function<std::unique_ptr<Simulation>(std::size_t rows)>;

/// A task's own environments; cost = 1 - reward. They never reach a time limit: a plan may look
/// past the end of an episode.
class EnvSimulation final : public Simulation {
 public:
  EnvSimulation(const std::string& task, std::size_t rows, env::EnvOptions options);

  std::size_t rows() const override { return envs_->size(); }
  std::size_t state_size() const override { return envs_->state_size(); }
  std::size_t action_size() const override { return envs_->spec().action_size; }
  std::size_t tangent_size() const override { return smooth_ ? smooth_->tangent_size() : 0; }
  void load(std::size_t row, std::span<const double> state) override;
  void save(std::size_t row, std::span<double> state) const override { envs_->save(row, state); }
  void step(std::span<const float> actions, std::span<double> costs) override;
  bool ended(std::size_t row) const override { return ended_[row] != 0; }
  void displace(std::span<double> state, std::span<const double> tangent) const override {
    smooth_->displace(state, tangent);
  }
  void difference(std::span<const double> from, std::span<const double> to,
                  std::span<double> tangent) const override {
    smooth_->difference(from, to, tangent);
  }

 private:
  std::unique_ptr<env::BatchEnv> envs_;
  const env::SmoothBatchEnv* smooth_;  ///< envs_, or null when it is none
  std::vector<double> loaded_;         ///< a state inside an episode
  std::vector<std::uint8_t> ended_;
};

}  // namespace tenfold::ddpg
