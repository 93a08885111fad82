#include <memory>

#include "ddpg/config.hpp"
#include "ddpg/experiment.hpp"
#include "ddpg/planner/planner_run.hpp"
#include "ddpg/topology/topology.hpp"
#include "train/run_app.hpp"

namespace {

using namespace tenfold;

std::unique_ptr<train::Experiment> make(const ddpg::Config& config) {
  if (config.planner != "none") return std::make_unique<ddpg::PlannerRun>(config);
  return std::make_unique<ddpg::Experiment>(config);
}

}  // namespace

int main(int argc, char** argv) {
  ddpg::Config config;
  return train::run(
      argc, argv,
      {"ddpg", "deterministic policy gradients for continuous control",
       "Lillicrap et al., Continuous control with deep reinforcement learning, ICLR 2016"},
      {[&](cli::OptionTable& table) { config.declare(table); }, [&] { config.settle(); },
       [&] { return make(config); },
       [&](int ranks) { return ddpg::learning_ranks(config, ranks); }});
}
