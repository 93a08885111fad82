#include <memory>

#include "mcts_dpo/config.hpp"
#include "mcts_dpo/modes/iterate.hpp"
#include "mcts_dpo/modes/measure.hpp"
#include "mcts_dpo/modes/sft.hpp"
#include "mcts_dpo/modes/theory.hpp"
#include "train/run_app.hpp"

namespace {

using namespace tenfold;

std::unique_ptr<train::Experiment> make(const mcts_dpo::Config& config) {
  if (config.mode == "sft") return std::make_unique<mcts_dpo::SupervisedFineTuning>(config);
  if (config.mode == "evaluate") return std::make_unique<mcts_dpo::Measurement>(config);
  if (config.mode == "theory") return std::make_unique<mcts_dpo::Theory>(config);
  return std::make_unique<mcts_dpo::Iteration>(config);
}

}  // namespace

int main(int argc, char** argv) {
  mcts_dpo::Config config;
  return train::run(
      argc, argv,
      {"mcts_dpo", "reasoning improved by tree search and preferences between steps",
       "Xie et al., Monte Carlo Tree Search Boosts Reasoning via Iterative Preference "
       "Learning, 2024"},
      {[&](cli::OptionTable& table) { config.declare(table); }, [&] { config.validate(); },
       [&] { return make(config); },
       [&](int ranks) { return mcts_dpo::learning_ranks(config, ranks); },
       [](train::RunOptions& options) { options.nonfinite = "skip"; }});
}
