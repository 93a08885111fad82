#include "ddpg/config.hpp"
#include "ddpg/experiment.hpp"
#include "train/run_app.hpp"

int main(int argc, char** argv) {
  return tenfold::train::run_app<tenfold::ddpg::Config, tenfold::ddpg::Experiment>(
      argc, argv,
      {"ddpg", "deterministic policy gradients for continuous control",
       "Lillicrap et al., Continuous control with deep reinforcement learning, ICLR 2016"});
}
