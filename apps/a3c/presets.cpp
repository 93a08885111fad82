#include "a3c/presets.hpp"

#include <string>
#include <utility>
#include <vector>

#include "cli/preset_values.hpp"

namespace tenfold::a3c {

namespace {

using Values = cli::PresetValues;

// What the paper's Atari experiments have in common; (code) marks what re-implementations were told
// by the authors.
Values atari() {
  return {{"parallel.virtual-shards", "16", "section 5.1: 16 actor-learners"},
          {"task.reward-scale", "1", "section 5.1"},
          {"task.reward-clip", "1", "Mnih et al. 2015: rewards clipped to [-1, 1]"},
          {"train.total-steps", "80000000", "320 million frames (code)"},
          {"method.t-max", "5", "section 5.1"},
          {"method.gamma", "0.99", "section 5.1"},
          {"method.entropy", "0.01", "section 5.1"},
          {"method.value-coef", "0.5", "(code); 1 is the paper's formula"},
          {"method.target-period", "10000", "section 5.1: 40 000 frames, 4 to a decision"},
          {"method.epsilon-anneal", "1000000", "section 5.1: over 4 million frames"},
          {"network.net", "256", "section 5.1"},
          {"network.conv", "dqn13", "section 5.1: 16 8x8/4, 32 4x4/2"},
          {"optimizer.optimizer", "shared-rmsprop", "section 4"},
          {"optimizer.lr", "7e-4", "(code); the paper draws it from LogUniform(1e-4, 1e-2)"},
          {"optimizer.lr-anneal", "linear", "section 5.1"},
          {"optimizer.rms-alpha", "0.99", "section 5.1"},
          {"optimizer.rms-eps", "0.1", "(code)"},
          {"optimizer.clip", "40", "(code)"}};
}

using cli::with;

Values small(const std::string& task) {
  return {{"parallel.virtual-shards", "16", "section 5.1: 16 actor-learners"},
          {"task.task", task, "what the preset is for"},
          {"optimizer.rms-eps", "0.01", "small nets learn faster with it than with 0.1"}};
}

}  // namespace

void declare_presets(cli::OptionTable& table) {
  table.preset({"cartpole", "balancing a pole: seconds on one core (default)",
                with(small("classic_cartpole"),
                     {{"task.reward-scale", "0.01", "returns near 100 swamp the policy's gradient"},
                      {"train.total-steps", "500000", "enough for 450 of 500"},
                      {"network.net", "128", "notes, section 7"},
                      {"optimizer.lr", "3e-3", "notes, section 7"}})});
  table.preset({"catch", "the smallest game from a picture: under a minute",
                with(small("catch"),
                     {{"task.reward-scale", "1", "rewards are 1 and -1"},
                      {"train.total-steps", "600000", "notes, section 7"},
                      {"network.net", "64", "notes, section 7"},
                      {"method.entropy", "0.05",
                       "with 0.01 it settles before it finds the edges; 0.1 costs return"},
                      {"optimizer.lr", "1e-2", "notes, section 7: best for all four methods"}})});
  table.preset(
      {"breakout10", "breakout on 10 x 10 planes: a few minutes",
       with(small("breakout"), {{"task.reward-scale", "1", "a brick is 1"},
                                {"train.total-steps", "3000000", "notes, section 7"},
                                {"network.net", "128", "notes, section 7"},
                                {"optimizer.lr", "2e-3", "notes, section 7: 1e-3 to 3e-3"}})});
  table.preset({"memory", "a cue to be remembered along a corridor, with an LSTM",
                with(small("tmaze"), {{"task.reward-scale", "1", "rewards are 1 and -1"},
                                      {"train.total-steps", "500000", "notes, section 7"},
                                      {"method.t-max", "50",
                                       "an episode of random actions, cue to prize, fits in most"},
                                      {"network.net", "32", "ours"},
                                      {"network.lstm", "32", "ours"},
                                      {"network.forget-bias", "2",
                                       "Gers et al. 2000: without, the cue is gone, and some runs "
                                       "never find that it matters"},
                                      {"optimizer.lr", "1e-2", "ours"},
                                      {"optimizer.rms-eps", "0.1",
                                       "(code); with 0.01 some seeds "
                                       "lose what they learned"}})});
  table.preset(
      {"continuous",
       "continuous control from states, with the paper's nets",
       {{"parallel.virtual-shards", "16", "section 5.1: 16 actor-learners"},
        {"task.task", "classic_pendulum", "what the preset is for"},
        {"task.reward-scale", "0.01", "returns of -1600"},
        {"train.total-steps", "2000000", "ours"},
        {"method.t-max", "20", "ours; the paper updates once an episode"},
        {"method.entropy", "1e-2", "ours: with the paper's 1e-4 the variance is gone too soon"},
        {"network.net", "200", "supplement, section 9"},
        {"network.lstm", "128", "supplement, section 9"},
        {"optimizer.lr", "1e-3", "ours"},
        {"optimizer.rms-eps", "0.01", "ours"}}});
  table.preset({"atari-ff", "the paper's Atari agent, feed-forward, literally", atari()});
  table.preset(
      {"atari-lstm", "the paper's Atari agent with an LSTM",
       with(atari(), {{"network.lstm", "256", "section 5.1"}, {"method.t-max", "20", "(code)"}})});
  table.preset({"labyrinth", "random mazes from 84 x 84 RGB, as the paper's section 5.4",
                with(atari(), {{"task.task", "labyrinth", "what the preset is for"},
                               {"task.reward-clip", "0", "apples 1 and the portal 10 differ"},
                               {"network.lstm", "256", "section 5.4"},
                               {"method.t-max", "20", "(code)"}})});
}

}  // namespace tenfold::a3c
