#include "a3c/config.hpp"
#include "a3c/experiment.hpp"
#include "train/run_app.hpp"

int main(int argc, char** argv) {
  using namespace tenfold;
  return train::run_app<a3c::Config, a3c::Experiment>(
      argc, argv,
      {"a3c", "asynchronous Q, Sarsa, n-step Q and advantage actor-critic",
       "Mnih et al., Asynchronous methods for deep reinforcement learning, ICML 2016"});
}
