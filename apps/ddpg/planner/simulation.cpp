#include "ddpg/planner/simulation.hpp"

#include <limits>

namespace tenfold::ddpg {

namespace {

env::EnvOptions without_time_limit(env::EnvOptions options) {
  options.horizon = std::numeric_limits<std::int64_t>::max();
  return options;
}

}  // namespace

EnvSimulation::EnvSimulation(const std::string& task, std::size_t rows, env::EnvOptions options)
    : envs_(env::make_env(task, rows, without_time_limit(std::move(options)))),
      smooth_(dynamic_cast<const env::SmoothBatchEnv*>(envs_.get())),
      ended_(rows) {}

void EnvSimulation::load(std::size_t row, std::span<const double> state) {
  envs_->load(row, state);
  loaded_.assign(state.begin(), state.end());
  ended_[row] = 0;
}

void EnvSimulation::step(std::span<const float> actions, std::span<double> costs) {
  // All rows of a BatchEnv are stepped together and must be inside an episode.
  for (std::size_t row = 0; row < rows(); ++row) {
    if (ended(row)) envs_->load(row, loaded_);
  }
  envs_->step(actions);
  for (std::size_t row = 0; row < rows(); ++row) {
    const double reward =
        smooth_ ? smooth_->exact_rewards()[row] : static_cast<double>(envs_->rewards()[row]);
    costs[row] = ended(row) ? 1 : 1 - reward;
    if (envs_->terminal()[row] != 0 || envs_->truncated()[row] != 0) ended_[row] = 1;
  }
}

}  // namespace tenfold::ddpg
